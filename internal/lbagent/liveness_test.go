package lbagent

import (
	"io"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/eventually"
	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/wire"
	pb "github.com/lars-lb/lars/proto/larspb"
)

var (
	knownModule   = route.Module{ModID: 1, CmdID: 1}
	unknownModule = route.Module{ModID: 9, CmdID: 9}
)

func TestLiveness(t *testing.T) {
	var l liveness
	l.restart(0)
	const hour = time.Hour
	if _, ok := l.question(hour); ok || l.silent(0, hour) {
		t.Error("a lars-dns that was asked nothing is silent")
	}
	if !l.silent(silentAfter, silentAfter) || l.silent(silentAfter-1, hour) {
		t.Error("one that answers no pull at all is silent after a while, and not before")
	}
	l.heard(hour)
	l.answered(knownModule, true)
	if _, ok := l.question(hour + askAgain - 1); ok || l.silent(hour, 2*hour) {
		t.Error("pulls that are not answered are taken for silence although nothing was asked that surely is")
	}
	asked := hour + askAgain
	if id, ok := l.question(asked); !ok || id != knownModule {
		t.Errorf("asked for %v, %v", id, ok)
	}
	if _, ok := l.question(asked + hour); ok {
		t.Error("asked twice")
	}
	if l.silent(0, asked+silentAfter-1) || !l.silent(0, asked+silentAfter) {
		t.Error("silence is not noticed when the time is up")
	}
	l.heard(asked + silentAfter)
	l.answered(unknownModule, false)
	if l.silent(hour, 2*hour) {
		t.Error("a push of another module is no sign of life")
	}
	l.heard(hour)
	l.answered(knownModule, false)
	if _, ok := l.question(2 * hour); ok {
		t.Error("a module that is gone is asked for")
	}
	l.heard(hour)
	l.answered(knownModule, true)
	l.restart(hour)
	if _, ok := l.question(2 * hour); ok || !l.silent(silentAfter, 2*hour) {
		t.Error("what another connection has answered says something of this one")
	}
	if !l.some {
		t.Error("nothing is left to ask another lars-dns for")
	}
}

// partDNS plays a lars-dns that serves from its file: it answers only some
// modules, while it answers at all.
type partDNS struct {
	ln     net.Listener
	group  sync.WaitGroup
	asked  sync.Map // route.Module to *atomic.Int32
	mute   atomic.Bool
	opened atomic.Int32
	open   atomic.Int32
}

func newPartDNS(t *testing.T, answered ...route.Module) *partDNS {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &partDNS{ln: ln}
	p.group.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			p.opened.Add(1)
			p.open.Add(1)
			p.group.Go(func() {
				p.serve(c, answered)
				p.open.Add(-1)
			})
		}
	})
	return p
}

func (p *partDNS) serve(c net.Conn, answered []route.Module) {
	defer c.Close()
	head := make([]byte, wire.HeadSize)
	for {
		if _, err := io.ReadFull(c, head); err != nil {
			return
		}
		h, err := wire.DecodeHead(head)
		if err != nil {
			return
		}
		body := make([]byte, h.Len)
		if _, err := io.ReadFull(c, body); err != nil {
			return
		}
		var req pb.GetRouteRequest
		if h.ID != int32(pb.MessageId_ID_GetRouteRequest) {
			continue // it is asked for each module by itself then
		}
		if req.UnmarshalVT(body) != nil {
			return
		}
		id := route.Module{ModID: req.Modid, CmdID: req.Cmdid}
		for _, a := range answered {
			if a == id && !p.mute.Load() {
				resp := pb.GetRouteResponse{Modid: id.ModID, Cmdid: id.CmdID, Stale: true, Host: []*pb.HostInfo{{Ip: 1, Port: 1}}}
				answer, _ := resp.MarshalVT()
				_, _ = c.Write(wire.AppendFrame(nil, int32(pb.MessageId_ID_GetRouteResponse), answer))
			}
		}
		n, _ := p.asked.LoadOrStore(id, new(atomic.Int32))
		n.(*atomic.Int32).Add(1)
	}
}

func (p *partDNS) pulls(id route.Module) int32 {
	n, ok := p.asked.Load(id)
	if !ok {
		return 0
	}
	return n.(*atomic.Int32).Load()
}

// startDNSClient runs a client that knows both modules, on a clock that the test
// moves on.
func startDNSClient(t *testing.T, servers ...*partDNS) (d *dnsClient, pass func(time.Duration)) {
	t.Helper()
	shards := testShards()
	for _, id := range []route.Module{knownModule, unknownModule} {
		shards[id.Shard()].Pick(id, 0)
	}
	var addrs []string
	for _, s := range servers {
		addrs = append(addrs, s.ln.Addr().String())
	}
	var now atomic.Int64
	d, err := newDNSClient(addrs, shards, func() time.Duration { return time.Duration(now.Load()) }, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := d.client.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() { done <- d.loop.Run() }()
	t.Cleanup(func() {
		d.loop.Close()
		if err := <-done; err != nil {
			t.Error(err)
		}
		for _, s := range servers {
			_ = s.ln.Close()
			s.group.Wait()
		}
	})
	return d, func(by time.Duration) { now.Add(int64(by)) }
}

// A lars-dns that answers some modules and not others is not left, however
// long nothing else is asked.
func TestAgentStaysWithADNSThatServesFromItsFile(t *testing.T) {
	server, other := newPartDNS(t, knownModule), newPartDNS(t, knownModule, unknownModule)
	d, pass := startDNSClient(t, server, other)
	eventually.True(t, 20*time.Second, "both are pulled", func() bool { return server.pulls(knownModule) == 1 && server.pulls(unknownModule) >= 1 })
	for range 5 {
		awaitAnswer(t, d)
		before, unknown := server.pulls(knownModule), server.pulls(unknownModule)
		pass(askAgain)
		eventually.True(t, 20*time.Second, "it is asked whether it works", func() bool {
			return server.pulls(knownModule) > before && server.pulls(unknownModule) > unknown
		})
	}
	if n := server.opened.Load(); n != 1 || other.opened.Load() != 0 || d.silences.Load() != 0 {
		t.Errorf("%d connections, %d to another, %d silences", n, other.opened.Load(), d.silences.Load())
	}
}

// A lars-dns that answers nothing any more is left for one that does.
func TestAgentLeavesASilentDNS(t *testing.T) {
	first, second := newPartDNS(t, knownModule), newPartDNS(t, knownModule)
	d, pass := startDNSClient(t, first, second)
	awaitAnswer(t, d)
	first.mute.Store(true)
	pass(askAgain)
	eventually.True(t, 20*time.Second, "it is asked whether it works", func() bool { return first.pulls(knownModule) == 2 })
	if second.opened.Load() != 0 {
		t.Error("another is connected to before there is a reason")
	}
	pass(silentAfter)
	eventually.True(t, 20*time.Second, "the other one is used", func() bool { return d.silences.Load() == 1 && first.open.Load() == 0 })
	if got := d.client.Stats(); got.Switched != 1 {
		t.Errorf("stats = %+v", got)
	}
	if got := d.link.to(); got != second.ln.Addr().String() {
		t.Errorf("connected to %q", got)
	}
}

// A lars-dns that was only slow is stayed with.
func TestAgentStaysWithADNSThatAnswersAfterAll(t *testing.T) {
	first, second := newPartDNS(t, knownModule), newPartDNS(t, knownModule)
	d, pass := startDNSClient(t, first, second)
	awaitAnswer(t, d)
	first.mute.Store(true)
	second.mute.Store(true)
	pass(askAgain)
	eventually.True(t, 20*time.Second, "asked whether it works", func() bool { return first.pulls(knownModule) == 2 })
	pass(silentAfter)
	eventually.True(t, 20*time.Second, "the other one is asked", func() bool { return second.open.Load() == 1 && second.pulls(knownModule) >= 1 })
	first.mute.Store(false)
	d.pull(knownModule) // as for a program that asks
	eventually.True(t, 20*time.Second, "the other one is left alone", func() bool { return second.open.Load() == 0 && onLoop(d, func() bool { return !d.live.seeking }) })
	if d.silences.Load() != 0 || first.open.Load() != 1 {
		t.Errorf("%d silences, %d connections", d.silences.Load(), first.open.Load())
	}
}

// awaitAnswer waits until a route has come for what was asked.
func awaitAnswer(t *testing.T, d *dnsClient) {
	t.Helper()
	eventually.True(t, 20*time.Second, "the answer has come", func() bool {
		return onLoop(d, func() bool { return d.live.here && !d.live.asked })
	})
}

// onLoop asks something on the client's loop.
func onLoop(d *dnsClient, f func() bool) bool {
	answer := make(chan bool, 1)
	if d.loop.Post(func() { answer <- f() }) != nil {
		return false
	}
	return <-answer
}
