//go:build linux

package reactor_test

import (
	"context"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/eventually"
	"github.com/lars-lb/lars/internal/wire"
	"github.com/lars-lb/lars/reactor"
)

func TestLoopStats(t *testing.T) {
	l := runLoop(t)
	onLoop(t, l, func() {})
	eventually.True(t, patience, "the loop waits", func() bool { return l.Busy() == 0 && l.Stats().Turns.Count > 0 })
	before := l.Stats()

	const held = 20 * time.Millisecond
	goOn, late := make(chan struct{}), make(chan struct{})
	if err := l.Post(func() {
		l.AfterFunc(0, func() { close(late) })
		<-goOn
	}); err != nil {
		t.Fatal(err)
	}
	eventually.True(t, patience, "the turn takes long", func() bool { return l.Busy() >= held })
	for range 3 {
		if err := l.Post(func() {}); err != nil {
			t.Fatal(err)
		}
	}
	if s := l.Stats(); s.Busy < held.Seconds() || s.Tasks != 3 || s.MaxTasks != 1<<16 || s.Turns != before.Turns {
		t.Errorf("during the turn: %+v", s)
	}
	close(goOn)
	<-late
	eventually.True(t, patience, "the loop waits again", func() bool { return l.Stats().Tasks == 0 && l.Busy() == 0 })
	s := l.Stats()
	if took := s.Turns.Sum - before.Turns.Sum; took < held.Seconds() {
		t.Errorf("turns took %v s more", took)
	}
	if s.Late.Count == 0 || s.Late.Sum < held.Seconds() {
		t.Errorf("a timer was late by %+v", s.Late)
	}
	for name, d := range map[string]reactor.Durations{"turns": s.Turns, "late": s.Late} {
		sum, long := uint64(0), uint64(0)
		for i, n := range d.Counts {
			sum += n
			if i >= 5 { // above 10 ms
				long += n
			}
		}
		if sum != d.Count || long == 0 {
			t.Errorf("%s: %+v", name, d)
		}
	}
	if s.Busy != 0 {
		t.Errorf("busy for %v s while it waits", s.Busy)
	}
}

func TestDurations(t *testing.T) {
	bounds := reactor.DurationBounds()
	var d reactor.Durations
	if len(bounds)+1 != len(d.Counts) {
		t.Fatalf("%d bounds of %d buckets", len(bounds), len(d.Counts))
	}
	for i, bound := range bounds {
		at := time.Duration(bound * float64(time.Second))
		d.Add(at)
		d.Add(at + 1)
		if d.Counts[i] < 1 || d.Counts[i+1] != 1 {
			t.Errorf("after %v: %v", at, d.Counts)
		}
	}
	d.Add(-time.Second) // a clock that was set back cannot be told from none
	if d.Count != uint64(2*len(bounds)+1) {
		t.Errorf("counted %d", d.Count)
	}
}

// What the kernel drops because the loop is slow is counted, exactly, and goes
// on being known when the socket is gone.
func TestUDPKernelDrops(t *testing.T) {
	const sent = 1000
	entered, goOn := make(chan struct{}, 1), make(chan struct{})
	r := reactor.NewRouter[*reactor.Datagram]()
	r.Handle(msgEcho, func(*reactor.Datagram, []byte) error {
		select {
		case entered <- struct{}{}:
			<-goOn
		default:
		}
		return nil
	})
	s, err := reactor.ListenUDP(reactor.UDPServerConfig{Addr: loopback, RecvBuffer: 8 << 10, MaxDatagram: 2048}, r)
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx) }()
	c := dialUDP(t, s.Addr())
	frame := wire.AppendFrame(nil, msgEcho, make([]byte, 100))
	sendUDP(t, c, frame)
	<-entered // the loop is held up
	for range sent - 1 {
		sendUDP(t, c, frame)
	}
	stats := s.Stats()
	if stats.KernelDropped == 0 || stats.ReceiveQueued == 0 || stats.ReceiveQueued > stats.ReceiveBuffer+4096 || stats.ReceiveBuffer != 16<<10 {
		t.Errorf("while the loop is held up: %+v", stats)
	}
	close(goOn)
	eventually.True(t, patience, "every datagram was received or dropped", func() bool {
		stats = s.Stats()
		return stats.Received+stats.KernelDropped == sent
	})
	stop()
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	if after := s.Stats(); after.KernelDropped != stats.KernelDropped || after.ReceiveQueued != 0 {
		t.Errorf("after the end: %+v, before: %+v", after, stats)
	}
}
