package reactor

import (
	"context"
	"io"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/lars-lb/lars/internal/bench/result"
)

// TestMain lets the test binary be the servers as well.
func TestMain(m *testing.M) {
	if len(os.Args) == 3 && os.Args[1] == "-echo" {
		os.Exit(Serve(context.Background(), os.Args[2], os.Stdin, os.Stdout, os.Stderr))
	}
	goleak.VerifyTestMain(m)
}

func TestEveryScenarioIsRecorded(t *testing.T) {
	r := result.NewRecorder("reactor", io.Discard)
	if err := Run(t.Context(), Config{Rounds: 1, Length: 200 * time.Millisecond}, r); err != nil {
		t.Fatal(err)
	}
	judged, drawn := 0, 0
	for _, s := range scenarios {
		if s.judged {
			judged++
		}
		if s.window == 1 {
			drawn++
		}
	}
	if len(r.Rows) != 3*judged || len(r.Latencies) != judged || len(r.Curves) != 1 {
		t.Fatalf("%d rows, %d latencies and %d curves of %d scenarios", len(r.Rows), len(r.Latencies), len(r.Curves), judged)
	}
	for _, row := range r.Rows {
		if row.Ours <= 0 || row.Other <= 0 {
			t.Errorf("%+v", row)
		}
	}
	for _, series := range r.Curves[0].Series {
		if len(series.Points) < 4 || len(series.Points) > drawn {
			t.Errorf("%s has %d points", series.Name, len(series.Points))
		}
		for i, p := range series.Points {
			if p.Y <= 0 || i > 0 && p.X <= series.Points[i-1].X {
				t.Errorf("%s: %v", series.Name, series.Points)
			}
		}
	}
}

func TestMeasuringEndsWithTheContext(t *testing.T) {
	ctx, stop := context.WithCancel(t.Context())
	time.AfterFunc(100*time.Millisecond, stop)
	err := Run(ctx, Config{Rounds: 1000, Length: time.Hour}, result.NewRecorder("reactor", io.Discard))
	if err == nil || ctx.Err() == nil {
		t.Errorf("Run = %v", err)
	}
}

// servers runs a server of each kind in this process.
func servers(t *testing.T) map[string]*server {
	t.Helper()
	running := make(map[string]*server)
	for _, kind := range []string{KindReactor, KindNet} {
		stdin, end := io.Pipe()
		stdout, port := io.Pipe()
		ended := make(chan int, 1)
		go func() { ended <- Serve(context.Background(), kind, stdin, port, io.Discard) }()
		t.Cleanup(func() {
			_ = end.Close()
			if code := <-ended; code != 0 {
				t.Errorf("the server %s ended with %d", kind, code)
			}
		})
		buf := make([]byte, 16)
		n, err := stdout.Read(buf)
		if err != nil {
			t.Fatal(err)
		}
		addr := netip.MustParseAddrPort("127.0.0.1:" + strings.TrimSpace(string(buf[:n])))
		running[kind] = &server{kind: kind, addr: addr, pid: os.Getpid()}
	}
	return running
}

func TestNothingIsLeftUnderWay(t *testing.T) {
	for kind, s := range servers(t) {
		l, err := openLoad(s, scenario{conns: 7, window: 5})
		if err != nil {
			t.Fatal(err)
		}
		for range 3 {
			got, err := l.measure(t.Context(), 20*time.Millisecond, cores{})
			if err != nil {
				t.Fatalf("%s: %v", kind, err)
			}
			if got.latency.total == 0 || got.rate <= 0 || got.latency.max > 20*time.Second || l.underWay != 0 {
				t.Errorf("%s: %v frames/s, %d latencies up to %v, %d under way", kind, got.rate, got.latency.total, got.latency.max, l.underWay)
			}
		}
		l.close()
	}
}

// What is not what was sent is an error, not a number.
func TestWrongAnswerIsAnError(t *testing.T) {
	for kind, s := range servers(t) {
		l, err := openLoad(s, scenario{conns: 1, window: 2})
		if err != nil {
			t.Fatal(err)
		}
		l.input = make([]byte, 1) // in pieces, one byte after the other
		if _, err := l.measure(t.Context(), 20*time.Millisecond, cores{}); err != nil {
			t.Errorf("%s: in pieces: %v", kind, err)
		}
		sent := append([]byte(nil), l.pattern...)
		l.pattern[frameSize-1]++
		l.conns[0].partial = 0
		if err := l.send(&l.conns[0], 1, 0); err != nil {
			t.Fatal(err)
		}
		l.pattern = sent
		if err := l.runUntil(t.Context(), time.Now(), func(time.Duration) bool { return l.underWay == 0 }); err == nil || !strings.Contains(err.Error(), "answered") {
			t.Errorf("%s: a wrong answer: %v", kind, err)
		}
		l.close()
	}
}

func TestUnknownServer(t *testing.T) {
	var stderr strings.Builder
	if code := Serve(t.Context(), "quic", strings.NewReader(""), io.Discard, &stderr); code != 2 || !strings.Contains(stderr.String(), `"quic"`) {
		t.Errorf("exit code %d, %s", code, stderr.String())
	}
}
