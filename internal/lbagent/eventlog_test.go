package lbagent

import (
	"bytes"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/balance"
	"github.com/lars-lb/lars/internal/eventually"
	"github.com/lars-lb/lars/reactor"
)

// syncBuffer takes what loops write and a test reads.
type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// startEventLog runs an event log until the test ends or stop. Its clock stands
// still.
func startEventLog(t *testing.T) (l *eventLog, out *syncBuffer, stop func()) {
	t.Helper()
	loop, err := reactor.NewLoop()
	if err != nil {
		t.Fatal(err)
	}
	out = new(syncBuffer)
	noTime := func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}
	log := slog.New(slog.NewTextHandler(out, &slog.HandlerOptions{ReplaceAttr: noTime}))
	l = newEventLog(loop, func() time.Duration { return time.Hour }, log)
	done := make(chan error, 1)
	go func() { done <- loop.Run() }()
	stop = sync.OnceFunc(func() {
		loop.Close()
		if err := <-done; err != nil && !errors.Is(err, reactor.ErrClosed) { // closed before it ran
			t.Errorf("Run = %v", err)
		}
		l.tell()
	})
	t.Cleanup(stop)
	return l, out, stop
}

func TestEventLogLines(t *testing.T) {
	l, out, stop := startEventLog(t)
	for _, e := range []balance.Event{
		{
			Host: hostA, State: balance.Overload, Out: 1, Hosts: 3,
			Reason: balance.Reason{Cause: balance.Degraded, Bad: 9, Calls: 71, Normal: 0.00213, Cost: 41 * time.Millisecond, PeerCost: 3 * time.Millisecond},
		},
		{Host: hostA, State: balance.Idle, Hosts: 3, Reason: balance.Reason{Cause: balance.Recovered}},
		{State: balance.Idle, Hosts: 3, Reason: balance.Reason{Cause: balance.SharedCause}},
		{State: balance.Overload, Out: 3, Hosts: 3, Reason: balance.Reason{Cause: balance.Blackout, Bad: 30, Calls: 30}},
		{State: balance.Idle, Hosts: 3, Reason: balance.Reason{Cause: balance.Recovered}},
	} {
		l.add(module1, e)
	}
	stop()
	const want = `level=WARN msg="host ejected" modid=1 cmdid=1 host=10.0.0.1:80 cause=degraded bad=9 calls=71 normal=0.0021 cost=41ms peer_cost=3ms out=1 hosts=3
level=INFO msg="host is back" modid=1 cmdid=1 host=10.0.0.1:80 cause=recovered bad=0 calls=0 normal=0 cost=0s peer_cost=0s out=0 hosts=3
level=WARN msg="shared cause: nothing is ejected" modid=1 cmdid=1 cause="shared cause" bad=0 calls=0 out=0 hosts=3
level=WARN msg="module is in the dark" modid=1 cmdid=1 cause=blackout bad=30 calls=30 out=3 hosts=3
level=INFO msg="module is back" modid=1 cmdid=1 cause=recovered bad=0 calls=0 out=0 hosts=3
`
	if got := out.String(); got != want {
		t.Errorf("log:\n%swant:\n%s", got, want)
	}
}

// Of many events at once a few are logged, and one line says how many are not.
func TestEventLogIsBounded(t *testing.T) {
	l, out, stop := startEventLog(t)
	blocked, release := make(chan struct{}), make(chan struct{})
	_ = l.loop.Post(func() { close(blocked); <-release })
	<-blocked
	const events = eventQueue + 300
	for range events {
		l.add(module1, balance.Event{Host: hostB, State: balance.Overload})
	}
	close(release)
	eventually.True(t, patience, "it is said how many were left out", func() bool { return strings.Contains(out.String(), "left_out=") })
	got := out.String()
	if n := strings.Count(got, "host ejected"); n != maxLines {
		t.Errorf("%d lines, want %d", n, maxLines)
	}
	if !strings.Contains(got, `msg="too many hosts change at once: some were left out of this log" left_out=1304`) {
		t.Errorf("log ends with %s", got[max(0, len(got)-200):])
	}
	if s, want := l.Stats(), (EventStats{Logged: maxLines, LeftOut: events - maxLines}); s != want {
		t.Errorf("stats %+v, want %+v", s, want)
	}
	l.add(module1, balance.Event{Host: hostB}) // in the same second, by the clock
	stop()
	if got := out.String(); strings.Count(got, "left_out=") != 2 || !strings.HasSuffix(got, "left_out=1\n") {
		t.Errorf("what was left out last is not told of: %s", got[max(0, len(got)-200):])
	}
}
