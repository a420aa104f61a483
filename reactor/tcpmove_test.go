//go:build linux

package reactor_test

import (
	"errors"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/eventually"
	"github.com/lars-lb/lars/reactor"
)

var errSilent = errors.New("silent")

// asking is a client that asks a server before it moves there.
func asking(j *journal, addrs ...net.Addr) reactor.TCPClientConfig {
	cfg := quick(j, addrs...)
	cfg.ProbeTimeout = 20 * time.Millisecond
	cfg.Probe = func(c *reactor.TCPConn) bool { return c.Send(msgEcho, []byte("well?")) == nil }
	return cfg
}

// frozen takes connections and answers nothing, as a stopped process does,
// until thaw.
type frozen struct {
	*reactor.TCPServer
	thawed atomic.Bool
}

func serveFrozen(t *testing.T) *frozen {
	t.Helper()
	f := &frozen{}
	r := reactor.NewRouter[*reactor.TCPConn]()
	r.Handle(msgEcho, func(c *reactor.TCPConn, body []byte) error {
		if !f.thawed.Load() {
			return nil
		}
		return c.Send(msgEcho, body)
	})
	f.TCPServer = serveTCP(t, reactor.TCPServerConfig{}, r)
	return f
}

func (f *frozen) addr() net.Addr { return net.TCPAddrFromAddrPort(f.Addr()) }

// A try that fails before it has begun, as one to a network that this machine
// has no way to, is followed by others.
func TestClientTriesOnWhenATryFailsAtOnce(t *testing.T) {
	checkDescriptors(t)
	var failures atomic.Int32
	nowhere := &net.TCPAddr{IP: net.IPv4(127, 255, 255, 255), Port: 1} // a broadcast address
	var j journal
	cfg := quick(&j, nowhere)
	cfg.OnConnectError = func(error) { failures.Add(1) }
	startClient(t, cfg)
	eventually.True(t, patience, "it is tried again and again", func() bool { return failures.Load() > 3 })
}

// A client leaves a silent server for one that answers, and not before there is
// one.
func TestClientSeeksAServerThatAnswers(t *testing.T) {
	checkDescriptors(t)
	used, other := serveFrozen(t), serveFrozen(t)
	var j journal
	l, c, answers := startClient(t, asking(&j, used.addr(), freeAddr(t), other.addr()))
	j.await(t, used.addr())
	onLoop(t, l, func() { c.Seek(errSilent) })
	onLoop(t, l, func() { c.Seek(errors.New("said already")) })
	eventually.True(t, patience, "the other one was tried twice", func() bool { return other.Stats().Opened >= 2 })
	if n := used.Stats().Opened; n < 2 {
		t.Errorf("the one in use was connected to %d times: a new connection may do", n)
	}
	if got := j.reasons(); len(got) != 0 {
		t.Fatalf("connections were closed for %v while nobody answers", got)
	}
	other.thawed.Store(true)
	j.await(t, used.addr(), other.addr())
	if got := j.reasons(); !slices.Equal(got, []error{errSilent}) {
		t.Errorf("connections were closed for %v", got)
	}
	onLoop(t, l, func() { _ = c.Conn().Send(msgEcho, []byte("now")) })
	if got := <-answers; got != "now" { // what the second connection was answered is nobody's
		t.Errorf("answer %q", got)
	}
	eventually.True(t, patience, "one connection is left", func() bool { return used.Stats().Open == 0 && other.Stats().Open == 1 })
	if st := c.Stats(); st.Opened != 2 || st.Open != 1 || st.Switched != 1 {
		t.Errorf("stats = %+v", st)
	}
}

func TestClientSeeksANewConnectionToItsOnlyServer(t *testing.T) {
	checkDescriptors(t)
	only := serveFrozen(t)
	var j journal
	l, c, _ := startClient(t, asking(&j, only.addr()))
	j.await(t, only.addr())
	onLoop(t, l, func() { c.Seek(errSilent) })
	eventually.True(t, patience, "it is asked on another connection", func() bool { return only.Stats().FramesIn > 0 })
	only.thawed.Store(true)
	j.await(t, only.addr(), only.addr())
	if st := c.Stats(); st.Switched != 0 {
		t.Errorf("stats = %+v", st)
	}
}

func TestClientStays(t *testing.T) {
	checkDescriptors(t)
	used, other := serveFrozen(t), serveFrozen(t)
	var j journal
	cfg := asking(&j, used.addr(), other.addr())
	cfg.ProbeTimeout = time.Hour
	l, c, _ := startClient(t, cfg)
	j.await(t, used.addr())
	onLoop(t, l, func() { c.Seek(errSilent) })
	eventually.True(t, patience, "the other one is asked", func() bool { return other.Stats().FramesIn == 1 })
	onLoop(t, l, c.Stay)
	eventually.True(t, patience, "it is left alone", func() bool { return other.Stats().Open == 0 })
	other.thawed.Store(true)
	onLoop(t, l, func() { c.Seek(errSilent) }) // and may be sought again
	j.await(t, used.addr(), other.addr())
}

// A server that is liked better but is frozen takes connections; a client does
// not go back to it until it answers.
func TestClientGoesHomeToOneThatAnswers(t *testing.T) {
	checkDescriptors(t)
	first := serveFrozen(t)
	second := serveTCP(t, reactor.TCPServerConfig{}, echoRouter())
	var j journal
	cfg := asking(&j, first.addr(), net.TCPAddrFromAddrPort(second.Addr()))
	cfg.HomeAfter = time.Millisecond
	l, c, _ := startClient(t, cfg)
	j.await(t, first.addr())
	onLoop(t, l, func() { c.Seek(errSilent) })
	j.await(t, first.addr(), cfgAddr(second))
	opened := first.Stats().Opened
	eventually.True(t, patience, "the first was asked three times", func() bool { return first.Stats().Opened >= opened+3 })
	onLoop(t, l, func() {
		if c.HomeWait() != cfg.HomeAfter {
			t.Errorf("home is tried each %v: it was not even moved to", c.HomeWait())
		}
	})
	first.thawed.Store(true)
	j.await(t, first.addr(), cfgAddr(second), first.addr())
	if got := j.reasons(); !slices.Equal(got, []error{errSilent, reactor.ErrMoved}) {
		t.Errorf("connections were closed for %v", got)
	}
}

func cfgAddr(s *reactor.TCPServer) net.Addr { return net.TCPAddrFromAddrPort(s.Addr()) }

// While the first address is away for long, the second is better than the third.
func TestClientGoesToABetterAddress(t *testing.T) {
	checkDescriptors(t)
	first, second := freeAddr(t), freeAddr(t)
	third := serveTCP(t, reactor.TCPServerConfig{}, echoRouter())
	var j journal
	cfg := quick(&j, first, second, cfgAddr(third))
	cfg.HomeAfter = time.Millisecond
	startClient(t, cfg)
	j.await(t, cfgAddr(third))
	serveTCP(t, reactor.TCPServerConfig{Addr: second.AddrPort()}, echoRouter())
	j.await(t, cfgAddr(third), second)
}

// What waits to be written when a client goes home is written first.
func TestClientGoesHomeOnceItsOutputIsWritten(t *testing.T) {
	checkDescriptors(t)
	first := freeAddr(t)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	var j journal
	cfg := quick(&j, first, ln.Addr())
	cfg.HomeAfter = time.Millisecond
	l, c, _ := startClient(t, cfg)
	conn, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	j.await(t, ln.Addr())
	body, queued := strings.Repeat("r", 60_000), 0
	onLoop(t, l, func() {
		for c.Conn().Send(msgEcho, []byte(body)) == nil {
			queued++
		}
	})
	home := serveTCP(t, reactor.TCPServerConfig{Addr: first.AddrPort()}, echoRouter())
	eventually.True(t, patience, "home takes a connection", func() bool { return home.Stats().Open == 1 })
	onLoop(t, l, func() {
		if c.Conn().Buffered() == 0 {
			t.Error("the kernel has taken everything: nothing is tested")
		}
	})
	p := peer{t, conn}
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	for range queued {
		p.expect(body)
	}
	p.expectClosed()
	j.await(t, ln.Addr(), first)
}

// Close leaves nothing open, wherever the client is.
func TestClientClosesWhileMoving(t *testing.T) {
	for name, other := range map[string]func(*testing.T) net.Addr{
		"to one that is not there":        func(t *testing.T) net.Addr { return freeAddr(t) },
		"to one that does not take it":    func(t *testing.T) net.Addr { return silentAddr(t) },
		"to one that does not answer":     func(t *testing.T) net.Addr { return serveFrozen(t).addr() },
		"to one that answers":             func(t *testing.T) net.Addr { return cfgAddr(serveTCP(t, reactor.TCPServerConfig{}, echoRouter())) },
		"to a name":                       func(t *testing.T) net.Addr { return named("localhost:1") },
		"to one that there is no way to":  func(t *testing.T) net.Addr { return named("127.255.255.255:1") },
		"to one that cannot be looked up": func(t *testing.T) net.Addr { return named("no-such-host.invalid:1") },
	} {
		t.Run(name, func(t *testing.T) {
			addr := other(t)
			for turns := range 12 {
				checkDescriptors(t)
				used := serveFrozen(t)
				var j journal
				l, c, _ := startClient(t, asking(&j, used.addr(), addr))
				j.await(t, used.addr())
				onLoop(t, l, func() { c.Seek(errSilent) })
				for range turns { // let it get on
					onLoop(t, l, func() {})
				}
				if turns%2 == 0 {
					c.Close()
				} else {
					l.Close()
				}
				eventually.True(t, patience, "closed", func() bool { return used.Stats().Open == 0 })
			}
		})
	}
}

// named is an address by name.
type named string

func (n named) Network() string { return "tcp" }
func (n named) String() string  { return string(n) }

// TestClientClosesAsItMoves closes when the new connection is there and the old
// one is not yet released.
func TestClientClosesAsItMoves(t *testing.T) {
	checkDescriptors(t)
	used, other := serveFrozen(t), serveFrozen(t)
	var j journal
	cfg := quick(&j, used.addr(), other.addr())
	var c *reactor.TCPClient
	cfg.Probe = func(*reactor.TCPConn) bool {
		c.Close()
		return false
	}
	l, client, _ := startClient(t, cfg)
	j.await(t, used.addr())
	onLoop(t, l, func() {
		c = client
		c.Seek(errSilent)
	})
	eventually.True(t, patience, "closed", func() bool {
		return used.Stats().Open == 0 && other.Stats().Open == 0 && other.Stats().Opened == 1
	})
	j.await(t, used.addr())
}
