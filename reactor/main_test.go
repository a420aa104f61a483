//go:build linux

package reactor_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/netip"
	"os"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/lars-lb/lars/internal/eventually"
	"github.com/lars-lb/lars/internal/wire"
	"github.com/lars-lb/lars/reactor"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds waiting for what takes milliseconds on an idle machine.
const patience = 20 * time.Second

var loopback = netip.MustParseAddrPort("127.0.0.1:0")

// Message ids of the tests' protocol.
const (
	msgEcho  = 1 // answered with the same body
	msgBad   = 2 // refused by the handler
	msgClose = 3 // answered, then closed by the handler
	msgFill  = 4 // answered with frames until the output is full
)

// descriptors is the number of descriptors that this process has open.
func descriptors(t testing.TB) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// checkDescriptors fails the test if, once everything that it started has been
// closed, more descriptors are open than before.
func checkDescriptors(t *testing.T) {
	t.Helper()
	before := descriptors(t)
	t.Cleanup(func() {
		eventually.True(t, patience, "all descriptors closed again", func() bool { return descriptors(t) <= before })
	})
}

// runLoop runs a loop until the test ends.
func runLoop(t testing.TB) *reactor.Loop {
	t.Helper()
	l, err := reactor.NewLoop()
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- l.Run() }()
	t.Cleanup(func() {
		l.Close()
		if err := <-done; err != nil && !errors.Is(err, reactor.ErrClosed) { // closed before it ran
			t.Errorf("Run = %v", err)
		}
	})
	return l
}

// onLoop runs f on the loop and waits for it.
func onLoop(t testing.TB, l *reactor.Loop, f func()) {
	t.Helper()
	done := make(chan struct{})
	if err := l.Post(func() { f(); close(done) }); err != nil {
		t.Fatal(err)
	}
	<-done
}

// serveTCP runs a server until the test ends.
func serveTCP(t testing.TB, cfg reactor.TCPServerConfig, r *reactor.Router[*reactor.TCPConn]) *reactor.TCPServer {
	t.Helper()
	if !cfg.Addr.IsValid() {
		cfg.Addr = loopback
	}
	s, err := reactor.ListenTCP(cfg, r)
	if err != nil {
		t.Fatal(err)
	}
	serve(t, s)
	return s
}

// serve runs a TCP or UDP server until the test ends.
func serve(t testing.TB, s interface {
	Serve(context.Context) error
	Close()
}) {
	t.Helper()
	done := make(chan error, 1)
	go func() { done <- s.Serve(context.Background()) }()
	t.Cleanup(func() {
		s.Close()
		if err := <-done; err != nil {
			t.Errorf("Serve = %v", err)
		}
	})
}

// echoRouter speaks the tests' protocol.
func echoRouter() *reactor.Router[*reactor.TCPConn] {
	r := reactor.NewRouter[*reactor.TCPConn]()
	r.Handle(msgEcho, func(c *reactor.TCPConn, body []byte) error { return c.Send(msgEcho, body) })
	r.Handle(msgBad, func(*reactor.TCPConn, []byte) error { return io.ErrUnexpectedEOF })
	r.Handle(msgClose, func(c *reactor.TCPConn, body []byte) error {
		err := c.Send(msgEcho, body)
		c.Close(nil)
		return err
	})
	return r
}

// peer is the other end of a TCP connection, by the standard library.
type peer struct {
	t testing.TB
	net.Conn
}

func dialTCP(t testing.TB, addr netip.AddrPort) peer {
	t.Helper()
	c, err := net.Dial("tcp", addr.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return peer{t, c}
}

func (p peer) write(b []byte) {
	p.t.Helper()
	if _, err := p.Write(b); err != nil {
		p.t.Fatal(err)
	}
}

func (p peer) send(msgid int32, body string) {
	p.t.Helper()
	p.write(wire.AppendFrame(nil, msgid, []byte(body)))
}

// next reads one frame.
func (p peer) next() (msgid int32, body string) {
	p.t.Helper()
	head := make([]byte, wire.HeadSize)
	if _, err := io.ReadFull(p, head); err != nil {
		p.t.Fatalf("read a head: %v", err)
	}
	h, err := wire.DecodeHead(head)
	if err != nil {
		p.t.Fatal(err)
	}
	b := make([]byte, h.Len)
	if _, err := io.ReadFull(p, b); err != nil {
		p.t.Fatalf("read a body: %v", err)
	}
	return h.ID, string(b)
}

func (p peer) expect(body string) {
	p.t.Helper()
	if id, got := p.next(); id != msgEcho || got != body {
		p.t.Fatalf("got message %d, %d bytes %.40q; want %d, %d bytes %.40q", id, len(got), got, msgEcho, len(body), body)
	}
}

// expectClosed waits for the server to close the connection.
func (p peer) expectClosed() {
	p.t.Helper()
	if n, err := p.Read(make([]byte, 1)); n != 0 || err == nil {
		p.t.Fatalf("read %d bytes, %v; want the connection closed", n, err)
	} else if e, ok := err.(net.Error); ok && e.Timeout() {
		p.t.Fatal("the connection was not closed")
	}
}
