//go:build linux

package reactor_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/lars-lb/lars/internal/eventually"
	"github.com/lars-lb/lars/internal/wire"
	"github.com/lars-lb/lars/reactor"
)

func TestEcho(t *testing.T) {
	checkDescriptors(t)
	s := serveTCP(t, reactor.TCPServerConfig{}, echoRouter())
	p := dialTCP(t, s.Addr())
	for _, body := range []string{"hello", "", strings.Repeat("x", wire.MaxBody), "again"} {
		p.send(msgEcho, body)
		p.expect(body)
	}
}

func TestFramesInAnyPieces(t *testing.T) {
	s := serveTCP(t, reactor.TCPServerConfig{}, echoRouter())
	random := rand.New(rand.NewPCG(1, 2))
	var bodies []string
	var stream []byte
	for i := range 400 {
		n := random.IntN(200)
		if i%40 == 0 {
			n = random.IntN(wire.MaxBody + 1)
		}
		bodies = append(bodies, strings.Repeat(string(rune('a'+i%26)), n))
		stream = wire.AppendFrame(stream, msgEcho, []byte(bodies[i]))
	}
	for name, piece := range map[string]func() int{
		"one byte":         func() int { return 1 },
		"a head and a bit": func() int { return 9 },
		"random":           func() int { return 1 + random.IntN(3000) },
		"everything":       func() int { return len(stream) },
	} {
		t.Run(name, func(t *testing.T) {
			frames, data := bodies, stream
			if name == "one byte" { // thousands of them suffice
				frames = bodies[1:30]
				data = nil
				for _, b := range frames {
					data = wire.AppendFrame(data, msgEcho, []byte(b))
				}
			}
			p := dialTCP(t, s.Addr())
			var writer sync.WaitGroup
			writer.Go(func() {
				for rest := data; len(rest) > 0; {
					n := min(piece(), len(rest))
					if _, err := p.Write(rest[:n]); err != nil {
						t.Error(err)
						return
					}
					rest = rest[n:]
				}
			})
			for _, b := range frames {
				p.expect(b)
			}
			writer.Wait()
		})
	}
}

func TestUnknownMessageIsSkipped(t *testing.T) {
	s := serveTCP(t, reactor.TCPServerConfig{}, echoRouter())
	p := dialTCP(t, s.Addr())
	p.send(77, "from a newer peer")
	p.send(-1, "")
	p.send(msgEcho, "known")
	p.expect("known")
	if n := s.Stats().UnknownMessage; n != 2 {
		t.Errorf("%d unknown messages counted, want 2", n)
	}
}

func TestBadInputClosesThatConnectionAlone(t *testing.T) {
	s := serveTCP(t, reactor.TCPServerConfig{}, echoRouter())
	good := dialTCP(t, s.Addr())
	for _, head := range [][]byte{
		{1, 0, 0, 0, 255, 255, 255, 255}, // negative
		{1, 0, 0, 0, 0xf8, 0xff, 0, 0},   // one more than a frame carries
		{1, 0, 0, 0, 255, 255, 255, 127},
	} {
		for _, split := range []int{0, 3} {
			p := dialTCP(t, s.Addr())
			p.send(msgEcho, "first")
			p.expect("first")
			p.write(head[:split])
			p.write(head[split:])
			p.expectClosed()
		}
	}
	p := dialTCP(t, s.Addr())
	p.send(msgBad, "body")
	p.expectClosed()
	good.send(msgEcho, "still served")
	good.expect("still served")
	eventually.True(t, patience, "closes counted by reason", func() bool {
		st := s.Stats()
		return st.ClosedBadFrame == 6 && st.ClosedBadBody == 1 && st.Open == 1
	})
}

func TestConnectionsAreSpreadInTurn(t *testing.T) {
	const workers, conns = 3, 12
	var mu sync.Mutex
	perLoop := make(map[*reactor.Loop]int)
	s := serveTCP(t, reactor.TCPServerConfig{Workers: workers, Hooks: reactor.ConnHooks{
		OnOpen: func(c *reactor.TCPConn) { mu.Lock(); perLoop[c.Loop()]++; mu.Unlock() },
	}}, echoRouter())
	for range conns {
		p := dialTCP(t, s.Addr())
		p.send(msgEcho, "x")
		p.expect("x")
	}
	mu.Lock()
	defer mu.Unlock()
	if len(s.Loops()) != workers || len(perLoop) != workers {
		t.Fatalf("%d loops, %d used; want %d", len(s.Loops()), len(perLoop), workers)
	}
	for _, l := range s.Loops() {
		if perLoop[l] != conns/workers {
			t.Errorf("a loop has %d connections, want %d", perLoop[l], conns/workers)
		}
	}
}

func TestMaxConn(t *testing.T) {
	checkDescriptors(t)
	const maxConn = 20
	s := serveTCP(t, reactor.TCPServerConfig{MaxConn: maxConn, Workers: 2}, echoRouter())
	var held []peer
	for range maxConn {
		p := dialTCP(t, s.Addr())
		p.send(msgEcho, "in")
		p.expect("in")
		held = append(held, p)
	}
	for range 5 {
		dialTCP(t, s.Addr()).expectClosed()
	}
	for i, p := range held {
		p.send(msgEcho, "still in")
		p.expect("still in")
		if i%2 == 0 {
			_ = p.Close()
		}
	}
	eventually.True(t, patience, "closed connections released", func() bool { return s.Stats().Open == maxConn/2 })
	p := dialTCP(t, s.Addr())
	p.send(msgEcho, "a place is free")
	p.expect("a place is free")
	if n := s.Stats().RejectedMaxConn; n != 5 {
		t.Errorf("%d rejected, want 5", n)
	}
}

func TestHooksAndValue(t *testing.T) {
	type event struct {
		what   string
		value  any
		reason error
	}
	events := make(chan event, 10)
	r := echoRouter()
	s := serveTCP(t, reactor.TCPServerConfig{Hooks: reactor.ConnHooks{
		OnOpen: func(c *reactor.TCPConn) {
			c.SetValue("state of " + c.RemoteAddr().String())
			events <- event{what: "open", value: c.Value()}
		},
		OnClose: func(c *reactor.TCPConn, reason error) {
			if err := c.Send(msgEcho, nil); err != reactor.ErrClosed {
				t.Errorf("Send in OnClose = %v", err)
			}
			events <- event{"close", c.Value(), reason}
		},
	}}, r)
	p := dialTCP(t, s.Addr())
	want := "state of " + p.LocalAddr().String()
	if e := <-events; e.what != "open" || e.value != want {
		t.Errorf("got %+v", e)
	}
	_ = p.Close()
	if e := <-events; e.what != "close" || e.value != want || e.reason != reactor.ErrPeerClosed {
		t.Errorf("got %+v", e)
	}
	dialTCP(t, s.Addr())
	<-events
	s.Close()
	if e := <-events; e.what != "close" || e.reason != reactor.ErrClosed {
		t.Errorf("on server close: %+v", e)
	}
}

func TestCloseInsideHandler(t *testing.T) {
	s := serveTCP(t, reactor.TCPServerConfig{}, echoRouter())
	p := dialTCP(t, s.Addr())
	// Frames behind the closing one are in the same read and must not be handled.
	var stream []byte
	stream = wire.AppendFrame(stream, msgEcho, []byte("before"))
	stream = wire.AppendFrame(stream, msgClose, []byte("last"))
	stream = wire.AppendFrame(stream, msgEcho, []byte("after"))
	p.write(stream)
	p.expect("before")
	p.expect("last")
	p.expectClosed()
	eventually.True(t, patience, "counted", func() bool { st := s.Stats(); return st.ClosedByUs == 1 && st.Open == 0 })
}

// TestCloseOfAnotherConnectionInTheSameTurn closes, from one handler, peers
// whose events may be in the same batch, while new connections take over their
// descriptors' numbers.
func TestCloseOfAnotherConnectionInTheSameTurn(t *testing.T) {
	checkDescriptors(t)
	open := make(map[*reactor.TCPConn]bool)
	r := echoRouter()
	r.Handle(msgClose, func(c *reactor.TCPConn, body []byte) error {
		for other := range open {
			if other != c {
				other.Close(nil)
			}
		}
		return c.Send(msgEcho, body)
	})
	s := serveTCP(t, reactor.TCPServerConfig{Hooks: reactor.ConnHooks{
		OnOpen:  func(c *reactor.TCPConn) { open[c] = true },
		OnClose: func(c *reactor.TCPConn, _ error) { delete(open, c) },
	}}, r)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 50 {
				c, err := net.Dial("tcp", s.Addr().String())
				if err != nil {
					t.Error(err)
					return
				}
				_, _ = c.Write(wire.AppendFrame(wire.AppendFrame(nil, msgEcho, []byte("x")), msgClose, nil))
				_, _ = c.Read(make([]byte, 64))
				_ = c.Close()
			}
		})
	}
	wg.Wait()
	p := dialTCP(t, s.Addr())
	p.send(msgEcho, "alive")
	p.expect("alive")
}

func TestPostAllReachesEveryWorker(t *testing.T) {
	s := serveTCP(t, reactor.TCPServerConfig{Workers: 4}, echoRouter())
	got := make(chan *reactor.Loop, 4)
	if err := s.PostAll(func(l *reactor.Loop) { got <- l }); err != nil {
		t.Fatal(err)
	}
	seen := make(map[*reactor.Loop]bool)
	for range 4 {
		seen[<-got] = true
	}
	if len(seen) != 4 {
		t.Errorf("%d loops, want 4", len(seen))
	}
}

func TestServeEndsWithItsContext(t *testing.T) {
	checkDescriptors(t)
	s, err := reactor.ListenTCP(reactor.TCPServerConfig{Addr: loopback, Workers: 2}, echoRouter())
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- s.Serve(ctx) }()
	p := dialTCP(t, s.Addr())
	p.send(msgEcho, "x")
	p.expect("x")
	cancel()
	if err := <-done; err != nil {
		t.Errorf("Serve = %v", err)
	}
	p.expectClosed()
	s.Close()
}

// TestServeThatEndsAtOnce closes a server while connections are on their way
// to workers that do not run yet.
func TestServeThatEndsAtOnce(t *testing.T) {
	checkDescriptors(t)
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	for range 100 {
		s, err := reactor.ListenTCP(reactor.TCPServerConfig{Addr: loopback, Workers: 2}, echoRouter())
		if err != nil {
			t.Fatal(err)
		}
		var queued []net.Conn
		for range 4 {
			c, err := net.Dial("tcp", s.Addr().String())
			if err != nil {
				t.Fatal(err)
			}
			queued = append(queued, c)
		}
		if err := s.Serve(ctx); err != nil {
			t.Fatal(err)
		}
		for _, c := range queued {
			_ = c.Close()
		}
	}
}

func TestListenErrors(t *testing.T) {
	checkDescriptors(t)
	s := serveTCP(t, reactor.TCPServerConfig{}, echoRouter())
	if _, err := reactor.ListenTCP(reactor.TCPServerConfig{Addr: s.Addr()}, echoRouter()); err == nil || !strings.Contains(err.Error(), s.Addr().String()) {
		t.Errorf("listening twice on %v: %v", s.Addr(), err)
	}
	if _, err := reactor.ListenTCP(reactor.TCPServerConfig{}, echoRouter()); err == nil {
		t.Error("no address: want an error")
	}
	unserved, err := reactor.ListenTCP(reactor.TCPServerConfig{Addr: loopback}, echoRouter())
	if err != nil {
		t.Fatal(err)
	}
	unserved.Close()
}

// TestNoAllocationPerMessage measures the whole process, so the client uses
// bare system calls.
func TestNoAllocationPerMessage(t *testing.T) {
	s := serveTCP(t, reactor.TCPServerConfig{}, echoRouter())
	fd := rawDial(t, s)
	for _, frames := range []int{1, 50} {
		var stream []byte
		for i := range frames {
			stream = wire.AppendFrame(stream, msgEcho, fmt.Appendf(nil, "message %d", i))
		}
		answer := make([]byte, len(stream))
		roundTrip := func() {
			if _, err := unix.Write(fd, stream); err != nil {
				t.Fatal(err)
			}
			for n := 0; n < len(stream); {
				m, err := unix.Read(fd, answer[n:])
				if err != nil || m == 0 {
					t.Fatalf("read %d, %v", m, err)
				}
				n += m
			}
		}
		if n := testing.AllocsPerRun(500, roundTrip); n != 0 {
			t.Errorf("%v allocations for %d messages, want none", n, frames)
		}
		if string(answer) != string(stream) {
			t.Error("the echo differs")
		}
	}
}

func rawDial(t testing.TB, s *reactor.TCPServer) int {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(fd) })
	sa := &unix.SockaddrInet4{Addr: s.Addr().Addr().As4(), Port: int(s.Addr().Port())}
	if err := unix.Connect(fd, sa); err != nil {
		t.Fatal(err)
	}
	return fd
}
