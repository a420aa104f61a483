package reporter

import (
	"context"
	"errors"
	"time"

	"github.com/lars-lb/lars/internal/store"
	"github.com/lars-lb/lars/proto/larspb"
	"github.com/lars-lb/lars/reactor"
)

// errFull is the reason for closing a connection whose reports have no room.
var errFull = errors.New("reporter: too many reports wait for the database")

// told is of a connection whose agent was told that its reports will be
// acknowledged.
type told struct {
	agent store.Agent // that sent the last report
	seq   uint64      // of it
	acked uint64      // the last acknowledgement
}

// answer answers a report that is a question whether we live, and reports
// whether it is one: it was taken before, on the same connection. The last
// acknowledgement may not have been heard: an agent that has just come listens
// for any answer.
func (s *Server) answer(c *reactor.TCPConn, a store.Agent, seq uint64) bool {
	t, ok := c.Value().(*told)
	if !ok || t.agent != a || seq > t.seq {
		return false
	}
	s.count.questions.Add(1)
	s.acknowledge(c, a, t.acked)
	return true
}

// takeNumbered takes a numbered report, on an event loop.
func (s *Server) takeNumbered(c *reactor.TCPConn, n numbered) {
	t, ok := c.Value().(*told)
	if !ok {
		t = new(told)
		c.SetValue(t)
		s.acknowledge(c, n.report.Agent, 0) // so that the agent waits, however long it takes
	}
	s.count.numbered.Add(1)
	// All reports of an agent to one worker, whatever they are about: they are
	// saved in the order in which they came.
	w := s.workerOf(n.report.Agent)
	results, ok := w.inbox.put(n)
	if !ok {
		// The agent has it, and all that follow, and comes back with them. To
		// take one of those now would count this one as saved.
		s.overflow.refused(s.count.refused.Add(1), s.cfg.MaxQueued)
		c.Close(errFull)
		return
	}
	if t.agent != n.report.Agent {
		*t = told{agent: n.report.Agent}
	}
	t.seq = n.report.Seq
	signal(w.some)
	if results >= s.cfg.EnoughRows {
		signal(w.many)
	}
}

// acknowledge tells an agent that its reports up to seq are in the database. It
// is called on the connection's loop.
func (s *Server) acknowledge(c *reactor.TCPConn, a store.Agent, seq uint64) {
	if t, ok := c.Value().(*told); ok && t.agent == a {
		t.acked = max(t.acked, seq)
	}
	ack := larspb.ReportStatusResponse{Caller: int32(a.Caller), BootId: a.BootID, Seq: seq}
	// Fails on a connection that is gone, or that the agent does not read: it
	// sends the reports again, and hears then.
	_ = c.SendMessage(int32(larspb.MessageId_ID_ReportStatusResponse), &ack)
}

// flushNumbered saves the numbered reports that wait now, and acknowledges
// them. It reports false when ctx ended first.
func (s *Server) flushNumbered(ctx context.Context, w *worker, stop <-chan struct{}) bool {
	for left, _ := w.inbox.len(); left > 0; left -= len(w.batch) {
		w.batch = w.inbox.batch(w.batch[:0], s.cfg.BatchRows)
		w.reports = w.reports[:0]
		for _, n := range w.batch {
			w.reports = append(w.reports, n.report)
		}
		if !s.insist(ctx, stop, func() error { return s.saveNumbered(ctx, w.reports) }) {
			return false
		}
		s.count.saves.Add(1)
		s.acknowledgeAll(ctx, w.batch)
		w.inbox.saved(len(w.batch))
	}
	return true
}

// saveNumbered saves reports, once whatever happens, where the tables allow it.
// Where they do not there are no sums that could be wrong: a report that comes
// twice gives the same statuses twice.
func (s *Server) saveNumbered(ctx context.Context, reports []store.Report) error {
	has, err := s.hasHistory(ctx)
	if err != nil {
		return err
	}
	if has {
		saved, err := s.store.SaveReports(ctx, reports, s.cfg.HistoryRetention > 0)
		if err == nil {
			s.count.duplicates.Add(uint64(saved.Duplicates))
			s.count.gaps.Add(uint64(saved.Gaps))
			s.count.historyRows.Add(uint64(saved.Rows))
		}
		return err
	}
	var statuses []store.Status
	for _, r := range reports {
		for _, res := range r.Results {
			statuses = append(statuses, store.Status{Module: r.Module, Host: res.Host, Caller: r.Agent.Caller,
				Succ: res.Succ, Err: res.Err, TS: r.TS, Overload: res.Overload})
		}
	}
	return s.store.SaveStatuses(ctx, statuses)
}

// hasHistory reports whether there are the tables for reports. As long as there
// are not, somebody may make them.
func (s *Server) hasHistory(ctx context.Context) (bool, error) {
	if s.history.Load() {
		return true, nil
	}
	has, err := s.store.HasHistory(ctx)
	if err == nil && has && !s.history.Swap(true) {
		s.log.Info("there is a table CallHistory: from now on calls are counted by the minute")
	}
	return has, err
}

// acknowledgeAll acknowledges the last report of each agent in a batch that was
// saved, on the connection that it came on.
func (s *Server) acknowledgeAll(ctx context.Context, batch []numbered) {
	type line struct {
		conn  *reactor.TCPConn
		agent store.Agent
	}
	last := make(map[line]uint64)
	for _, n := range batch {
		last[line{n.from, n.report.Agent}] = n.report.Seq
	}
	for l, seq := range last {
		for errors.Is(l.conn.Loop().Post(func() { s.acknowledge(l.conn, l.agent, seq) }), reactor.ErrFull) {
			// The loop has tens of thousands of tasks to do, but it does them.
			if !sleep(ctx, 10*time.Millisecond) {
				return
			}
		}
		s.count.acks.Add(1)
	}
}

const (
	// pruneEvery is the time between two deletions of what is old.
	pruneEvery = 10 * time.Minute
	// keepSequences is how long an agent that sends nothing is remembered: it
	// may come back with reports of which it does not know that they were saved.
	keepSequences = 30 * 24 * time.Hour
)

// prune deletes old history now and then, until ctx is done. Several replicas
// may do it at the same time.
func (s *Server) prune(ctx context.Context) {
	select {
	case <-s.prepared:
	case <-ctx.Done():
		return
	}
	for {
		if s.history.Load() {
			s.pruneOnce(ctx)
		}
		if !sleep(ctx, pruneEvery) {
			return
		}
	}
}

func (s *Server) pruneOnce(ctx context.Context) {
	var history int64
	var err error
	if s.cfg.HistoryRetention > 0 {
		history, err = s.store.PruneHistory(ctx, s.cfg.HistoryRetention)
	}
	sequences, seqErr := s.store.PruneSequences(ctx, keepSequences)
	s.count.pruned.Add(uint64(history + sequences))
	if err := errors.Join(err, seqErr); err != nil && ctx.Err() == nil {
		s.count.dbErrors.Add(1)
		s.log.Warn("old history was not deleted, trying again later", "err", err)
	}
}

// sleep reports false when ctx ended before d had passed.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
