//go:build linux

package reactor_test

import (
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lars-lb/lars/internal/eventually"
	"github.com/lars-lb/lars/internal/wire"
	"github.com/lars-lb/lars/reactor"
)

// startClient returns a client whose answers arrive on a channel.
func startClient(t *testing.T, cfg reactor.TCPClientConfig) (*reactor.Loop, *reactor.TCPClient, chan string) {
	t.Helper()
	l := runLoop(t)
	answers := make(chan string, 100)
	r := reactor.NewRouter[*reactor.TCPConn]()
	r.Handle(msgEcho, func(_ *reactor.TCPConn, body []byte) error { answers <- string(body); return nil })
	c, err := reactor.NewTCPClient(l, cfg, r)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Start(); err != nil {
		t.Fatal(err)
	}
	return l, c, answers
}

// freeAddr is an address that nobody listens on, and that the kernel gives to
// nobody else while the test holds it bound.
func freeAddr(t *testing.T) *net.TCPAddr {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(fd) })
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	sa, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: sa.(*unix.SockaddrInet4).Port}
}

func TestClientWaitsForItsServer(t *testing.T) {
	checkDescriptors(t)
	addr := freeAddr(t)
	var refused atomic.Int32
	opened := make(chan struct{}, 1)
	l, c, answers := startClient(t, reactor.TCPClientConfig{
		Addrs:          []string{addr.String()},
		OnConnectError: func(error) { refused.Add(1) },
		Hooks:          reactor.ConnHooks{OnOpen: func(*reactor.TCPConn) { opened <- struct{}{} }},
	})
	eventually.True(t, patience, "several tries were refused", func() bool { return refused.Load() >= 3 })
	serveTCP(t, reactor.TCPServerConfig{Addr: addr.AddrPort()}, echoRouter())
	<-opened
	onLoop(t, l, func() {
		if err := c.Conn().Send(msgEcho, []byte("at last")); err != nil {
			t.Error(err)
		}
	})
	if got := <-answers; got != "at last" {
		t.Errorf("answer = %q", got)
	}
	if st := c.Stats(); st.ConnectFailures < 3 || st.Opened != 1 {
		t.Errorf("stats = %+v", st)
	}
}

func TestClientReconnectsForEver(t *testing.T) {
	checkDescriptors(t)
	s := serveTCP(t, reactor.TCPServerConfig{}, echoRouter())
	closed := make(chan error, 10)
	l, c, answers := startClient(t, reactor.TCPClientConfig{
		Addrs: []string{s.Addr().String()}, MinBackoff: time.Millisecond, MaxBackoff: 5 * time.Millisecond,
		Hooks: reactor.ConnHooks{
			OnOpen:  func(c *reactor.TCPConn) { _ = c.Send(msgClose, []byte("hello")) },
			OnClose: func(_ *reactor.TCPConn, reason error) { closed <- reason },
		},
	})
	for range 10 {
		if got := <-answers; got != "hello" {
			t.Fatalf("answer = %q", got)
		}
		if reason := <-closed; reason != reactor.ErrPeerClosed {
			t.Fatalf("reason = %v", reason)
		}
	}
	c.Close()
	onLoop(t, l, func() {
		if c.Conn() != nil && c.Conn().Send(msgEcho, nil) == nil {
			t.Error("a closed client has a connection")
		}
	})
}

// silentAddr is where a connection is neither taken nor refused: that of a
// listener whose queue is full.
func silentAddr(t *testing.T) *net.TCPAddr {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(fd) })
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	if err := unix.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	sa, _ := unix.Getsockname(fd)
	for range 2 {
		filler, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = unix.Close(filler) })
		_ = unix.Connect(filler, sa)
	}
	return &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: sa.(*unix.SockaddrInet4).Port}
}

func TestClientGivesUpASilentTry(t *testing.T) {
	checkDescriptors(t)
	addr := silentAddr(t)
	failures := make(chan error, 10)
	startClient(t, reactor.TCPClientConfig{
		Addrs: []string{addr.String()}, ConnectTimeout: 20 * time.Millisecond, MinBackoff: time.Millisecond,
		OnConnectError: func(err error) {
			select {
			case failures <- err:
			default:
			}
		},
	})
	for range 2 {
		if err := <-failures; !strings.Contains(err.Error(), "deadline") {
			t.Errorf("failure = %v", err)
		}
	}
}

func TestClientResolvesNames(t *testing.T) {
	s := serveTCP(t, reactor.TCPServerConfig{}, echoRouter())
	_, port, _ := net.SplitHostPort(s.Addr().String())
	_, _, answers := startClient(t, reactor.TCPClientConfig{
		Addrs: []string{net.JoinHostPort("localhost", port)},
		Hooks: reactor.ConnHooks{OnOpen: func(c *reactor.TCPConn) { _ = c.Send(msgEcho, []byte("by name")) }},
	})
	if got := <-answers; got != "by name" {
		t.Errorf("answer = %q", got)
	}
}

func TestClientSaysWhichNameFails(t *testing.T) {
	failures := make(chan error, 1)
	startClient(t, reactor.TCPClientConfig{Addrs: []string{"no-such-host.invalid:1"}, OnConnectError: func(err error) {
		select {
		case failures <- err:
		default:
		}
	}})
	var lookup *net.DNSError
	if err := <-failures; !errors.As(err, &lookup) {
		t.Errorf("failure = %v", err)
	}
}

// TestClientClosesAlthoughTheLoopIsFull closes while no task can be posted.
func TestClientClosesAlthoughTheLoopIsFull(t *testing.T) {
	s := serveTCP(t, reactor.TCPServerConfig{}, echoRouter())
	l, c, _ := startClient(t, reactor.TCPClientConfig{Addrs: []string{s.Addr().String()}})
	eventually.True(t, patience, "connected", func() bool { return s.Stats().Open == 1 })
	release, blocked := make(chan struct{}), make(chan struct{})
	_ = l.Post(func() { close(blocked); <-release })
	<-blocked
	for l.Post(func() {}) == nil {
	}
	c.Close()
	c.Close()
	close(release)
	eventually.True(t, patience, "the connection is closed", func() bool { return s.Stats().Open == 0 })
}

// A try can fail before it has begun: without descriptors, without a network,
// or as here, to an address that no connection can be made to.
func TestClientTriesAgainAfterATryThatFailsAtOnce(t *testing.T) {
	checkDescriptors(t)
	var failed atomic.Int32
	startClient(t, reactor.TCPClientConfig{
		Addrs:          []string{"127.255.255.255:9"},
		OnConnectError: func(error) { failed.Add(1) },
	})
	eventually.True(t, patience, "several tries failed", func() bool { return failed.Load() >= 3 })
}

func TestClientRefusesABadAddress(t *testing.T) {
	l := runLoop(t)
	for _, addr := range []string{"", "127.0.0.1", "127.0.0.1:0", "127.0.0.1:70000", "127.0.0.1:dns", ":7778"} {
		if _, err := reactor.NewTCPClient(l, reactor.TCPClientConfig{Addrs: []string{addr}}, nil); err == nil {
			t.Errorf("address %q was taken", addr)
		}
	}
}

func TestClientUnderstandsSingleBytes(t *testing.T) {
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	_, _, answers := startClient(t, reactor.TCPClientConfig{Addrs: []string{ln.Addr().String()}})
	c, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, b := range wire.AppendFrame(wire.AppendFrame(nil, msgEcho, []byte("byte by byte")), msgEcho, nil) {
		if _, err := c.Write([]byte{b}); err != nil {
			t.Fatal(err)
		}
	}
	if got := <-answers; got != "byte by byte" {
		t.Errorf("answer = %q", got)
	}
	if got := <-answers; got != "" {
		t.Errorf("answer = %q", got)
	}
}
