package lbagent

import (
	"io"
	"log/slog"
	"net"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/balance"
	"github.com/lars-lb/lars/internal/eventually"
	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/wire"
	pb "github.com/lars-lb/lars/proto/larspb"
)

// saver plays a lars-reporter: it answers the first frame of a connection, and
// those that it has had on it, at once, and acknowledges while it saves.
type saver struct {
	ln           net.Listener
	group        sync.WaitGroup
	mute, away   atomic.Bool // it answers nothing; its database is away
	open, opened atomic.Int32
	frames       atomic.Int32
	questions    atomic.Int32
	saved        atomic.Uint64 // the last number
}

func newSaver(t *testing.T) *saver {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	s := &saver{ln: ln}
	s.group.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			s.opened.Add(1)
			s.open.Add(1)
			s.group.Go(func() {
				defer s.open.Add(-1)
				defer c.Close()
				s.serve(c)
			})
		}
	})
	return s
}

func (s *saver) serve(c net.Conn) {
	head := make([]byte, wire.HeadSize)
	last, acked := uint64(0), uint64(0)
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
		var req pb.ReportStatusRequest
		if req.UnmarshalVT(body) != nil {
			return
		}
		s.frames.Add(1)
		answer := func(seq uint64) {
			ack, _ := (&pb.ReportStatusResponse{Caller: req.Caller, BootId: req.BootId, Seq: seq}).MarshalVT()
			_, _ = c.Write(wire.AppendFrame(nil, int32(pb.MessageId_ID_ReportStatusResponse), ack))
		}
		known := req.Seq <= last
		if known {
			s.questions.Add(1)
		}
		if first := last == 0; !s.mute.Load() && (first || known) {
			answer(acked)
		}
		last = max(last, req.Seq)
		if !known && !s.mute.Load() && !s.away.Load() {
			s.saved.Store(req.Seq)
			acked = req.Seq
			answer(acked)
		}
	}
}

// startReportClient runs a client on a clock that the test moves on. Each call
// of report gives it a frame to send.
func startReportClient(t *testing.T, servers ...*saver) (r *reportClient, pass func(time.Duration), report func()) {
	t.Helper()
	var addrs []string
	for _, s := range servers {
		addrs = append(addrs, s.ln.Addr().String())
	}
	var now atomic.Int64
	r, err := newReportClient(addrs, testShards(), func() time.Duration { return time.Duration(now.Load()) }, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := r.client.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() { done <- r.loop.Run() }()
	t.Cleanup(func() {
		r.loop.Close()
		if err := <-done; err != nil {
			t.Error(err)
		}
		for _, s := range servers {
			_ = s.ln.Close()
			s.group.Wait()
		}
	})
	report = func() {
		_ = r.loop.Post(func() {
			r.window.add(r.frame(route.Module{ModID: 1, CmdID: 1}, 1, []balance.Count{{Host: route.Host{IP: 1, Port: 1}, Succ: 1}}))
			r.send(false)
		})
	}
	return r, func(by time.Duration) { now.Add(int64(by)) }, report
}

// unacked is how many frames are not acknowledged.
func unacked(r *reportClient) int64 { return r.Stats().Unacked }

// A lars-reporter that is frozen is left for another one within seconds, which
// gets what was not acknowledged.
func TestAgentLeavesASilentReporter(t *testing.T) {
	first, second := newSaver(t), newSaver(t)
	r, pass, report := startReportClient(t, first, second)
	report()
	eventually.True(t, 20*time.Second, "the first is saved", func() bool { return first.saved.Load() == 1 && unacked(r) == 0 })
	pass(time.Hour) // with nothing to report nobody is asked
	first.mute.Store(true)
	report()
	eventually.True(t, 20*time.Second, "the second is sent", func() bool { return first.frames.Load() == 2 })
	pass(askAgain)
	eventually.True(t, 20*time.Second, "it is asked whether it works", func() bool { return first.questions.Load() == 1 })
	if second.opened.Load() != 0 {
		t.Error("another is connected to before there is a reason")
	}
	pass(silentAfter)
	eventually.True(t, 20*time.Second, "the other one has it", func() bool { return second.saved.Load() == 2 && unacked(r) == 0 && first.open.Load() == 0 })
	if got := r.link.to(); got != second.ln.Addr().String() {
		t.Errorf("connected to %q", got)
	}
}

// So is one that is frozen before its first answer on a connection, once it is
// known that somebody acknowledges.
func TestAgentLeavesAReporterThatNeverAnswers(t *testing.T) {
	first, second := newSaver(t), newSaver(t)
	r, pass, report := startReportClient(t, first, second)
	report()
	eventually.True(t, 20*time.Second, "the first is saved", func() bool { return unacked(r) == 0 && first.saved.Load() == 1 })
	first.mute.Store(true)
	_ = r.loop.Post(func() { r.client.Conn().Close(errFrozen) })
	second.mute.Store(true) // it is tried first, and no better
	eventually.True(t, 20*time.Second, "a connection to the other one", func() bool { return second.open.Load() == 1 })
	report()
	eventually.True(t, 20*time.Second, "the second is sent", func() bool { return second.frames.Load() > 0 })
	first.mute.Store(false)
	pass(silentAfter)
	eventually.True(t, 20*time.Second, "the first one has it", func() bool { return first.saved.Load() == 2 && unacked(r) == 0 })
}

// One whose database is away is stayed with: it answers when it is asked.
func TestAgentStaysWithAReporterThatWaits(t *testing.T) {
	first, second := newSaver(t), newSaver(t)
	r, pass, report := startReportClient(t, first, second)
	first.away.Store(true)
	report()
	eventually.True(t, 20*time.Second, "it is sent", func() bool { return first.frames.Load() == 1 })
	for n := range int32(5) {
		eventually.True(t, 20*time.Second, "it has answered", func() bool {
			answered := make(chan bool, 1)
			return r.loop.Post(func() { answered <- r.answers && !r.live.asked }) == nil && <-answered
		})
		pass(askAgain)
		eventually.True(t, 20*time.Second, "it is asked again", func() bool { return first.questions.Load() == n+1 })
	}
	if second.opened.Load() != 0 || first.opened.Load() != 1 || unacked(r) != 1 {
		t.Errorf("%d connections to another, %d to it, %d not acknowledged", second.opened.Load(), first.opened.Load(), unacked(r))
	}
}
