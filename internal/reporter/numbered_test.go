package reporter_test

import (
	"errors"
	"io"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/eventually"
	"github.com/lars-lb/lars/internal/reporter"
	"github.com/lars-lb/lars/internal/store"
	"github.com/lars-lb/lars/internal/wire"
	"github.com/lars-lb/lars/proto/larspb"
)

var bootA = store.Agent{Caller: 3232235777, BootID: 1<<63 + 7}

// numbered is the frame of one call to host number n of (1,1).
func numbered(t *testing.T, a store.Agent, seq uint64, n uint32) []byte {
	t.Helper()
	return frame(t, &larspb.ReportStatusRequest{Modid: 1, Cmdid: 1, Caller: int32(a.Caller), Ts: uint32(time.Now().Unix()), BootId: a.BootID, Seq: seq,
		Results: []*larspb.HostCallResult{{Ip: int32(3232235777 + n), Port: 7777, Succ: 1}}})
}

// acknowledged reads acknowledgements until one is of seq.
func (a agent) acknowledged(seq uint64) {
	a.t.Helper()
	_ = a.SetReadDeadline(time.Now().Add(soon))
	for last := uint64(0); last < seq; {
		ack, err := a.readAck()
		if err != nil {
			a.t.Fatalf("waiting for the acknowledgement of %d, the last was of %d: %v", seq, last, err)
		}
		if ack.Seq < last || ack.Seq > seq {
			a.t.Fatalf("acknowledged %d after %d, want up to %d", ack.Seq, last, seq)
		}
		last = ack.Seq
	}
}

func (a agent) readAck() (*larspb.ReportStatusResponse, error) {
	head := make([]byte, wire.HeadSize)
	if _, err := io.ReadFull(a, head); err != nil {
		return nil, err
	}
	h, err := wire.DecodeHead(head)
	if err != nil || h.ID != int32(larspb.MessageId_ID_ReportStatusResponse) {
		a.t.Fatalf("got message %d, %v", h.ID, err)
	}
	body := make([]byte, h.Len)
	if _, err := io.ReadFull(a, body); err != nil {
		return nil, err
	}
	ack := new(larspb.ReportStatusResponse)
	return ack, ack.UnmarshalVT(body)
}

// Reports of several agents on several connections are saved in the order of
// each, acknowledged when they are, and not twice.
func TestNumberedReports(t *testing.T) {
	onStores(t, func(t *testing.T, st *store.Store) {
		r := serve(t, testConfig(), st)
		other := store.Agent{Caller: 0, BootID: 1}
		c1, c2 := dial(t, r), dial(t, r)
		const n = 300
		for seq := uint64(1); seq <= n; seq++ {
			c1.send(numbered(t, bootA, seq, uint32(seq%3)))
			c2.send(numbered(t, other, seq, 0))
		}
		c1.acknowledged(n)
		c2.acknowledged(n)

		// The connection broke, and the agent does not know how far it came.
		c3 := dial(t, r)
		for seq := uint64(n - 10); seq <= n+1; seq++ {
			c3.send(numbered(t, bootA, seq, 0))
		}
		c3.acknowledged(n + 1)
		if got := r.Stats(); got.Duplicates != 11 || got.Numbered != 2*n+12 {
			t.Errorf("stats %+v", got)
		}
		// A worker acknowledges before it counts what it is rid of.
		eventually.True(t, soon, "nothing is queued", func() bool { return r.Stats().Queued == 0 })
		sums, err := st.ListHistory(t.Context(), store.Filter{}, time.Now().Add(-time.Hour), time.Now().Add(time.Hour), store.HistoryKey{Caller: true})
		if err != nil || len(sums) != 2 || sums[0].Succ != n || sums[1].Succ != n+1 {
			t.Errorf("history %+v, %v", sums, err)
		}
		if got := statuses(t, st); len(got) != 4 {
			t.Errorf("%d statuses: %+v", len(got), got)
		}
	})
}

// Two replicas have the same reports at once, as after a connection that broke
// on one side only.
func TestTwoReportersOneDatabase(t *testing.T) {
	onStores(t, func(t *testing.T, st *store.Store) {
		r1, r2 := serve(t, testConfig(), st), serve(t, testConfig(), st)
		c1, c2 := dial(t, r1), dial(t, r2)
		const n = 500
		for seq := uint64(1); seq <= n; seq++ {
			c1.send(numbered(t, bootA, seq, 0))
			c2.send(numbered(t, bootA, seq, 0))
		}
		c1.acknowledged(n)
		c2.acknowledged(n)
		sums, err := st.ListHistory(t.Context(), store.Filter{}, time.Now().Add(-time.Hour), time.Now().Add(time.Hour), store.HistoryKey{})
		if err != nil || len(sums) != 1 || sums[0].Succ != n {
			t.Errorf("history %+v, %v; want %d calls", sums, err, n)
		}
		if d := r1.Stats().Duplicates + r2.Stats().Duplicates; d != n {
			t.Errorf("%d duplicates, want %d", d, n)
		}
	})
}

// An agent of Lars 1.0 numbers nothing, and is sent nothing.
func TestUnnumberedReportsAreNotAcknowledged(t *testing.T) {
	st := newFakeStore()
	r := serve(t, testConfig(), st)
	c := dial(t, r)
	c.send(report(t, status(1, 1)))
	r.awaitSaved()
	if err := r.end(); err != nil {
		t.Fatal(err)
	}
	if got, err := io.ReadAll(c); err != nil && !errors.Is(err, syscall.ECONNRESET) || len(got) > 0 {
		t.Errorf("the agent was sent %q, %v", got, err)
	}
}

// The agent learns at once that there will be acknowledgements, and gets none
// while the database does not answer.
func TestNothingIsAcknowledgedBeforeItIsSaved(t *testing.T) {
	st := newFakeStore()
	r := serve(t, testConfig(), st)
	first := dial(t, r)
	first.send(numbered(t, bootA, 1, 0))
	first.acknowledged(1)
	st.set(errors.New("down"))
	c := dial(t, r)
	c.send(numbered(t, bootA, 2, 0))
	if ack, err := c.readAck(); err != nil || ack.Seq != 0 || ack.BootId != bootA.BootID || uint32(ack.Caller) != bootA.Caller {
		t.Fatalf("the first answer is %+v, %v", ack, err)
	}
	r.await("several tries", func(s reporter.Stats) bool { return s.DBErrors > 2 })
	if got := r.Stats(); got.Queued != 1 {
		t.Errorf("stats %+v", got)
	}
	// A reporter that stops loses nothing that it has not acknowledged.
	if err := r.end(); err != nil {
		t.Errorf("Serve: %v", err)
	}
	if rest, err := io.ReadAll(c); err != nil && !errors.Is(err, syscall.ECONNRESET) || len(rest) > 0 {
		t.Errorf("acknowledged: %q, %v", rest, err)
	}
	st.set(nil)
	again := dial(t, serve(t, testConfig(), st))
	again.send(numbered(t, bootA, 2, 0))
	again.acknowledged(2)
}

// A report that comes again on its connection is a question: it is answered at
// once, also while the database is away, and not kept a second time.
func TestRepeatedReportIsAnswered(t *testing.T) {
	st := newGatedStore()
	r := serve(t, testConfig(), st)
	c := dial(t, r)
	for seq := uint64(1); seq <= 3; seq++ {
		c.send(numbered(t, bootA, seq, 0))
	}
	for n, seq := range []uint64{1, 3, 2} {
		c.send(numbered(t, bootA, seq, 0))
		r.await("it is answered", func(s reporter.Stats) bool { return s.Questions == uint64(n)+1 })
	}
	for range 4 { // the first is due without a question
		if ack, err := c.readAck(); err != nil || ack.Seq != 0 || ack.BootId != bootA.BootID {
			t.Fatalf("answered %+v, %v", ack, err)
		}
	}
	if s := r.Stats(); s.Queued != 3 || s.Numbered != 3 || s.Results != 3 {
		t.Errorf("stats %+v", s)
	}
	close(st.gate)
	c.acknowledged(3)
	c.send(numbered(t, bootA, 3, 0)) // the acknowledgement was not heard
	c.acknowledged(3)
	if s := r.Stats(); s.Duplicates != 0 {
		t.Errorf("stats %+v", s)
	}
}

// A connection that brings more than there is room for is closed, so that no
// report is passed over while a later one is taken.
func TestFullQueueClosesTheConnection(t *testing.T) {
	st := newGatedStore()
	cfg := testConfig()
	cfg.MaxQueued = 5
	r := serve(t, cfg, st)
	c := dial(t, r)
	var stream []byte
	for seq := uint64(1); seq <= 50; seq++ {
		stream = append(stream, numbered(t, bootA, seq, 0)...)
	}
	c.send(stream)
	r.await("the connection is refused", func(s reporter.Stats) bool { return s.RefusedFull > 0 })
	if _, err := io.Copy(io.Discard, c); err != nil && !strings.Contains(err.Error(), "reset") {
		t.Errorf("the connection ended with %v", err)
	}
	if s := r.Stats(); s.Queued != 5 || s.QueueMax != 5 {
		t.Errorf("stats %+v", s)
	}
	close(st.gate)
	r.await("what there was room for is saved", func(s reporter.Stats) bool { return s.Queued == 0 })
	if seq, gaps := st.seq(bootA); gaps || seq != 5 {
		t.Errorf("saved up to %d, gaps: %v", seq, gaps)
	}
	c = dial(t, r)
	for seq := uint64(1); seq <= 10; seq++ {
		c.send(numbered(t, bootA, seq, 0))
		c.acknowledged(seq)
	}
	if _, gaps := st.seq(bootA); gaps {
		t.Error("a report was passed over")
	}
}

// Hosts that cannot be are left out, a report of nothing else is acknowledged.
func TestNumberedReportOfNoHost(t *testing.T) {
	st := newFakeStore()
	r := serve(t, testConfig(), st)
	c := dial(t, r)
	c.send(frame(t, &larspb.ReportStatusRequest{BootId: bootA.BootID, Seq: 1, Results: []*larspb.HostCallResult{{Ip: 0, Port: 80, Succ: 1}}}))
	c.acknowledged(1)
	if s := r.Stats(); s.DroppedInvalid != 1 || s.Queued != 0 {
		t.Errorf("stats %+v", s)
	}
}
