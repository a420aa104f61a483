//go:build linux

package reactor_test

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lars-lb/lars/reactor"
)

// probe tries addr on the loop, from outside.
func probe(t *testing.T, l *reactor.Loop, addr netip.AddrPort, timeout time.Duration) error {
	t.Helper()
	result := make(chan error, 1)
	if err := l.Post(func() { l.ProbeTCP(addr, timeout, func(err error) { result <- err }) }); err != nil {
		t.Fatal(err)
	}
	return <-result
}

// The peer sees a connection that is reset: nothing of it lingers.
func TestProbeOfAListener(t *testing.T) {
	checkDescriptors(t)
	l := runLoop(t)
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	addr := ln.Addr().(*net.TCPAddr).AddrPort()
	for range 50 {
		if err := probe(t, l, addr, patience); err != nil {
			t.Fatal(err)
		}
		c, err := ln.Accept()
		if err != nil {
			t.Fatal(err)
		}
		if n, err := c.Read(make([]byte, 1)); n != 0 || !errors.Is(err, unix.ECONNRESET) {
			t.Errorf("the peer read %d bytes, %v", n, err)
		}
		_ = c.Close()
	}
}

func TestProbeThatFails(t *testing.T) {
	checkDescriptors(t)
	l := runLoop(t)
	if err := probe(t, l, freeAddr(t).AddrPort(), patience); !errors.Is(err, unix.ECONNREFUSED) {
		t.Errorf("nobody listens: %v", err)
	}
	if err := probe(t, l, silentAddr(t).AddrPort(), 20*time.Millisecond); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("nobody answers: %v", err)
	}
	// A broadcast address is refused by connect itself.
	if err := probe(t, l, netip.MustParseAddrPort("127.255.255.255:1"), patience); !errors.Is(err, unix.ENETUNREACH) && !errors.Is(err, unix.EACCES) {
		t.Errorf("broadcast: %v", err)
	}
}

func TestProbesEndWithTheLoop(t *testing.T) {
	checkDescriptors(t)
	l, err := reactor.NewLoop()
	if err != nil {
		t.Fatal(err)
	}
	const probes = 10
	addr, results := silentAddr(t).AddrPort(), make(chan error, probes)
	if err := l.Post(func() {
		for range probes {
			l.ProbeTCP(addr, time.Hour, func(err error) { results <- err })
		}
		l.Close()
	}); err != nil {
		t.Fatal(err)
	}
	if err := l.Run(); err != nil {
		t.Fatal(err)
	}
	for range probes {
		if err := <-results; err != reactor.ErrClosed {
			t.Errorf("result = %v", err)
		}
	}
}
