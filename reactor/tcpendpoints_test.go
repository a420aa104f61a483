//go:build linux

package reactor_test

import (
	"errors"
	"net"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/eventually"
	"github.com/lars-lb/lars/reactor"
)

// journal notes what the hooks of a client were called for.
type journal struct {
	mu     sync.Mutex
	opened []string // remote addresses
	closed []error
	open   int // connections that are in use
	most   int
}

func (j *journal) hooks() reactor.ConnHooks {
	return reactor.ConnHooks{
		OnOpen: func(c *reactor.TCPConn) {
			j.mu.Lock()
			defer j.mu.Unlock()
			j.opened = append(j.opened, c.RemoteAddr().String())
			j.open++
			j.most = max(j.most, j.open)
		},
		OnClose: func(_ *reactor.TCPConn, reason error) {
			j.mu.Lock()
			defer j.mu.Unlock()
			j.closed = append(j.closed, reason)
			j.open--
		},
	}
}

// await waits until the client has connected to these addresses, in turn.
func (j *journal) await(t *testing.T, want ...net.Addr) {
	t.Helper()
	var addrs []string
	for _, a := range want {
		addrs = append(addrs, a.String())
	}
	var opened []string
	eventually.True(t, patience, "connections are made", func() bool {
		j.mu.Lock()
		defer j.mu.Unlock()
		opened = slices.Clone(j.opened)
		return len(opened) >= len(addrs)
	})
	if !slices.Equal(opened, addrs) {
		t.Fatalf("connected to %v, want %v", opened, addrs)
	}
}

// reasons are those for which connections were closed.
func (j *journal) reasons() []error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.most > 1 {
		return append(slices.Clone(j.closed), errors.New("two connections were in use at once"))
	}
	return slices.Clone(j.closed)
}

func quick(j *journal, addrs ...net.Addr) reactor.TCPClientConfig {
	cfg := reactor.TCPClientConfig{Hooks: j.hooks(), MinBackoff: time.Millisecond, MaxBackoff: 5 * time.Millisecond, HomeAfter: time.Hour}
	for _, a := range addrs {
		cfg.Addrs = append(cfg.Addrs, a.String())
	}
	return cfg
}

func TestClientGoesToTheNextAddress(t *testing.T) {
	checkDescriptors(t)
	dead, second, third := freeAddr(t), freeAddr(t), freeAddr(t)
	s2 := serveTCP(t, reactor.TCPServerConfig{Addr: second.AddrPort()}, echoRouter())
	s3 := serveTCP(t, reactor.TCPServerConfig{Addr: third.AddrPort()}, echoRouter())
	var j journal
	l, c, _ := startClient(t, quick(&j, dead, second, third))
	j.await(t, second)
	s2.Close() // the connection is lost: to the third, and back over the first when that is gone
	j.await(t, second, third)
	stuck := errors.New("stuck")
	onLoop(t, l, func() {
		if c.Addr() != third.String() {
			t.Errorf("the client is at %s", c.Addr())
		}
		c.Next(stuck)
	})
	j.await(t, second, third, third) // first and second are gone
	if got := j.reasons(); len(got) != 2 || !errors.Is(got[1], stuck) {
		t.Errorf("connections were closed for %v", got)
	}
	s3.Close()
	c.Close()
}

// A client that had to go elsewhere goes back when its first address answers,
// and is not without a connection meanwhile.
func TestClientGoesHome(t *testing.T) {
	checkDescriptors(t)
	first, second := freeAddr(t), freeAddr(t)
	s2 := serveTCP(t, reactor.TCPServerConfig{Addr: second.AddrPort()}, echoRouter())
	var j journal
	cfg := quick(&j, first, second)
	cfg.HomeAfter = time.Millisecond
	l, c, answers := startClient(t, cfg)
	j.await(t, second)
	s1 := serveTCP(t, reactor.TCPServerConfig{Addr: first.AddrPort()}, echoRouter())
	j.await(t, second, first)
	if got := j.reasons(); !slices.Equal(got, []error{reactor.ErrMoved}) {
		t.Errorf("connections were closed for %v", got)
	}
	onLoop(t, l, func() {
		if err := c.Conn().Send(msgEcho, []byte("home")); err != nil {
			t.Error(err)
		}
	})
	if got := <-answers; got != "home" {
		t.Errorf("answer %q", got)
	}
	eventually.True(t, patience, "the other connection is closed", func() bool { return s2.Stats().Open == 0 && s1.Stats().Open == 1 })
	c.Close()
	eventually.True(t, patience, "closed", func() bool { return s1.Stats().Open == 0 })
}

// While the first address takes connections only to close them, a client does
// not give up one that works more and more often.
func TestClientDoesNotFlap(t *testing.T) {
	checkDescriptors(t)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	var taken atomic.Int32
	var group sync.WaitGroup
	group.Go(func() {
		for {
			conn, err := ln.Accept()
			if err != nil {
				return
			}
			taken.Add(1)
			_ = conn.Close()
		}
	})
	s2 := serveTCP(t, reactor.TCPServerConfig{}, echoRouter())
	var j journal
	cfg := reactor.TCPClientConfig{Hooks: j.hooks(), Addrs: []string{ln.Addr().String(), s2.Addr().String()},
		MinBackoff: time.Millisecond, MaxBackoff: 2 * time.Millisecond, HomeAfter: 2 * time.Millisecond}
	l, c, _ := startClient(t, cfg)
	eventually.True(t, patience, "it goes home as seldom as it may", func() (seldom bool) {
		onLoop(t, l, func() { seldom = c.HomeWait() == 16*cfg.HomeAfter })
		return seldom
	})
	if n := taken.Load(); n < 4 {
		t.Errorf("it was home %d times", n)
	}
	c.Close()
	_ = ln.Close()
	group.Wait()
	if got := j.reasons(); slices.Contains(got, nil) {
		t.Errorf("connections were closed for %v", got)
	}
}

// Whatever the client is at, Close leaves nothing open.
func TestClientClosesWhileGoingHome(t *testing.T) {
	for _, first := range []*net.TCPAddr{silentAddr(t), freeAddr(t)} {
		checkDescriptors(t)
		s := serveTCP(t, reactor.TCPServerConfig{}, echoRouter())
		var j journal
		cfg := quick(&j, first, net.TCPAddrFromAddrPort(s.Addr()))
		cfg.ConnectTimeout, cfg.HomeAfter = 50*time.Millisecond, time.Millisecond
		l, c, _ := startClient(t, cfg)
		eventually.True(t, patience, "connected", func() bool { return s.Stats().Open == 1 })
		for range 20 { // let it be under way home
			onLoop(t, l, func() {})
		}
		c.Close()
		eventually.True(t, patience, "closed", func() bool { return s.Stats().Open == 0 })
	}
}
