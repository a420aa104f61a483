//go:build linux

package reactor_test

import (
	"context"
	"sync"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/wire"
	"github.com/lars-lb/lars/reactor"
)

// A loop that empties its socket is parked without another look. Whatever comes
// then, and whatever a handler begins, wakes it.
func TestParkedLoopHearsOfEverything(t *testing.T) {
	checkDescriptors(t)
	tcp := serveTCP(t, reactor.TCPServerConfig{}, echoRouter())
	udp := serveUDP(t, reactor.UDPServerConfig{}, echoDatagrams())
	done := make(chan struct{}, 1)
	told := func() { done <- struct{}{} }

	var s *reactor.UDPServer
	var toTCP *reactor.TCPClient
	var toUDP *reactor.UDPClient
	begin := map[string]func() error{
		"a task":        func() error { return s.Loop().Post(told) },
		"a timer":       func() error { s.Loop().AfterFunc(0, told); return nil },
		"a later timer": func() error { s.Loop().AfterFunc(time.Millisecond, told); return nil },
		"a stream":      func() error { return toTCP.Conn().Send(msgEcho, nil) },
		"a datagram":    func() error { return toUDP.Send(msgEcho, nil) },
		"a goroutine": func() error {
			s.Loop().Go(func(context.Context) { _ = s.Loop().Post(told) })
			return nil
		},
	}
	r := reactor.NewRouter[*reactor.Datagram]()
	r.Handle(msgEcho, func(_ *reactor.Datagram, body []byte) error { return begin[string(body)]() })
	s = serveUDP(t, reactor.UDPServerConfig{}, r)

	fromTCP := reactor.NewRouter[*reactor.TCPConn]()
	fromTCP.Handle(msgEcho, func(*reactor.TCPConn, []byte) error { told(); return nil })
	fromUDP := reactor.NewRouter[*reactor.Datagram]()
	fromUDP.Handle(msgEcho, func(*reactor.Datagram, []byte) error { told(); return nil })
	opened := make(chan struct{})
	onLoop(t, s.Loop(), func() {
		var err error
		if toUDP, err = reactor.DialUDP(s.Loop(), udp.Addr(), 0, fromUDP); err != nil {
			t.Error(err)
		}
		toTCP, err = reactor.NewTCPClient(s.Loop(), reactor.TCPClientConfig{
			Addrs: []string{tcp.Addr().String()},
			Hooks: reactor.ConnHooks{OnOpen: func(*reactor.TCPConn) { close(opened) }},
		}, fromTCP)
		if err != nil {
			t.Error(err)
		}
	})
	if err := toTCP.Start(); err != nil {
		t.Fatal(err)
	}
	<-opened

	c := dialUDP(t, s.Addr())
	for range 200 {
		for what := range begin {
			sendUDP(t, c, wire.AppendFrame(nil, msgEcho, []byte(what)))
			select {
			case <-done:
			case <-time.After(patience):
				t.Fatalf("the loop sleeps on after %s", what)
			}
		}
	}
}

// Datagrams and tasks that come at any moment of a turn are all met.
func TestLoopMeetsWhatComesWhileItParks(t *testing.T) {
	checkDescriptors(t)
	s := serveUDP(t, reactor.UDPServerConfig{}, echoDatagrams())
	var asking sync.WaitGroup
	for range 4 {
		c := dialUDP(t, s.Addr())
		asking.Go(func() {
			ask, answer := wire.AppendFrame(nil, msgEcho, []byte("x")), make([]byte, 100)
			for range 500 {
				if _, err := c.Write(ask); err != nil {
					t.Error(err)
				}
				if n, err := c.Read(answer); err != nil || string(answer[:n]) != string(ask) {
					t.Errorf("answered %q, %v", answer[:n], err)
					return
				}
			}
		})
	}
	for range 2 {
		asking.Go(func() {
			ran := make(chan struct{}, 1)
			for range 1000 {
				if err := s.Loop().Post(func() { ran <- struct{}{} }); err != nil {
					t.Error(err)
				}
				select {
				case <-ran:
				case <-time.After(patience):
					t.Error("the loop sleeps although there is something to do")
					return
				}
			}
		})
	}
	asking.Wait()
}
