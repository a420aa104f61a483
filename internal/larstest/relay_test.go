package larstest_test

import (
	"io"
	"net"
	"net/netip"
	"sync"
	"testing"

	"github.com/lars-lb/lars/internal/wire"
	pb "github.com/lars-lb/lars/proto/larspb"
)

// relay stands between an agent and lars-reporter. It can keep back what
// lars-reporter says, and lose all connections.
type relay struct {
	ln    net.Listener
	group sync.WaitGroup

	mu      sync.Mutex
	to      netip.AddrPort
	silent  bool // nothing comes back on connections made from now on
	streams map[net.Conn]bool
	lost    int // acknowledgements of reports that did not come back
}

func newRelay(t *testing.T, to netip.AddrPort) *relay {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &relay{ln: ln, to: to, streams: make(map[net.Conn]bool)}
	r.group.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			r.group.Go(func() { r.serve(c) })
		}
	})
	t.Cleanup(func() {
		_ = ln.Close()
		r.cut()
		r.group.Wait()
	})
	return r
}

func (r *relay) port() int { return r.ln.Addr().(*net.TCPAddr).Port }

func (r *relay) serve(agent net.Conn) {
	r.mu.Lock()
	to, silent := r.to, r.silent
	r.mu.Unlock()
	reporter, err := net.Dial("tcp", to.String())
	if err != nil {
		_ = agent.Close()
		return
	}
	r.mu.Lock()
	changed := r.to != to || r.silent != silent
	r.streams[agent], r.streams[reporter] = true, true
	r.mu.Unlock()
	if changed { // this one was made too early to be cut, and too late to count
		_ = agent.Close()
		_ = reporter.Close()
	}
	var back sync.WaitGroup
	back.Go(func() {
		if silent {
			r.swallow(reporter)
		} else {
			_, _ = io.Copy(agent, reporter)
		}
		_ = agent.Close()
	})
	_, _ = io.Copy(reporter, agent)
	_ = reporter.Close()
	back.Wait()
	r.mu.Lock()
	delete(r.streams, agent)
	delete(r.streams, reporter)
	r.mu.Unlock()
}

// swallow reads what lars-reporter says, and keeps it back.
func (r *relay) swallow(reporter net.Conn) {
	head := make([]byte, wire.HeadSize)
	for {
		if _, err := io.ReadFull(reporter, head); err != nil {
			return
		}
		h, err := wire.DecodeHead(head)
		if err != nil {
			return
		}
		body := make([]byte, h.Len)
		if _, err := io.ReadFull(reporter, body); err != nil {
			return
		}
		var ack pb.ReportStatusResponse
		if ack.UnmarshalVT(body) == nil && ack.Seq > 0 {
			r.mu.Lock()
			r.lost++
			r.mu.Unlock()
		}
	}
}

// acksLost is how many acknowledgements were kept back.
func (r *relay) acksLost() int {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.lost
}

// set says where the next connections go, and whether anything comes back.
func (r *relay) set(to netip.AddrPort, silent bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.to, r.silent = to, silent
}

// cut loses all connections. Both sides find theirs closed.
func (r *relay) cut() {
	r.mu.Lock()
	defer r.mu.Unlock()
	for c := range r.streams {
		_ = c.Close()
	}
}
