package reporter

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/lars-lb/lars/reactor"
)

// Stats counts what a Server has done since it was made.
type Stats struct {
	TCP reactor.TCPStats `json:"tcp"`

	Reports uint64 `json:"reports"` // messages
	Results uint64 `json:"results"` // in them, one a host
	Succ    uint64 `json:"succ"`    // calls that the results count, as reported
	Err     uint64 `json:"err"`

	// Results that did not wait for themselves to be saved, by reason. One
	// that was replaced may have been saved before.
	Replaced       uint64 `json:"replaced"`        // by a newer one of its key
	DroppedStale   uint64 `json:"dropped_stale"`   // a newer one was waiting
	DroppedInvalid uint64 `json:"dropped_invalid"` // an address or port that no host has
	DroppedFull    uint64 `json:"dropped_full"`    // more than MaxPending keys

	// Numbered reports, which are acknowledged.
	Numbered    uint64 `json:"numbered"`
	Duplicates  uint64 `json:"duplicates"`   // came again, and were counted before
	Gaps        uint64 `json:"gaps"`         // did not follow the last one: what is missing was acknowledged, and forgotten since
	RefusedFull uint64 `json:"refused_full"` // connections closed: more than MaxQueued results
	Acks        uint64 `json:"acks"`
	Questions   uint64 `json:"questions"`    // reports sent again on their connection, to see whether this program lives
	Queued      int64  `json:"queued"`       // results waiting to be saved, now
	QueueMax    int64  `json:"queue_max"`    // of them
	HistoryRows uint64 `json:"history_rows"` // of CallHistory that were added to
	Pruned      uint64 `json:"pruned"`       // rows deleted for their age

	PendingMax int64  `json:"pending_max"` // of Pending
	Pending    int64  `json:"pending"`     // keys waiting to be saved, now
	Saves      uint64 `json:"saves"`       // batches
	Rows       uint64 `json:"rows"`        // in them
	DBErrors   uint64 `json:"db_errors"`   // attempts that failed
	// DBFailing is for how many seconds the database has not taken what there
	// is; 0 while it does.
	DBFailing float64 `json:"db_failing_seconds"`

	Loops []reactor.NamedLoopStats `json:"loops"`
}

// counters is Stats as the event loops and workers write it.
type counters struct {
	reports, results, succ, errs   atomic.Uint64
	replaced, stale, invalid, full atomic.Uint64
	saves, rows, dbErrors          atomic.Uint64

	numbered, duplicates, gaps, refused, acks, questions, historyRows, pruned atomic.Uint64
}

// Stats returns the counters so far. It may be called on any goroutine.
func (s *Server) Stats() Stats {
	stats := Stats{
		TCP:            s.tcp.Stats(),
		Reports:        s.count.reports.Load(),
		Results:        s.count.results.Load(),
		Succ:           s.count.succ.Load(),
		Err:            s.count.errs.Load(),
		Replaced:       s.count.replaced.Load(),
		DroppedStale:   s.count.stale.Load(),
		DroppedInvalid: s.count.invalid.Load(),
		DroppedFull:    s.count.full.Load(),
		Numbered:       s.count.numbered.Load(),
		Duplicates:     s.count.duplicates.Load(),
		Gaps:           s.count.gaps.Load(),
		RefusedFull:    s.count.refused.Load(),
		Acks:           s.count.acks.Load(),
		Questions:      s.count.questions.Load(),
		Queued:         s.queue.used.Load(),
		QueueMax:       s.queue.max,
		HistoryRows:    s.count.historyRows.Load(),
		Pruned:         s.count.pruned.Load(),
		PendingMax:     s.room.max,
		Pending:        s.room.used.Load(),
		Saves:          s.count.saves.Load(),
		Rows:           s.count.rows.Load(),
		DBErrors:       s.count.dbErrors.Load(),
		DBFailing:      s.outage.lasts().Seconds(),
	}
	s.EachLoop(func(name string, l *reactor.Loop) {
		stats.Loops = append(stats.Loops, reactor.NamedLoopStats{Name: name, LoopStats: l.Stats()})
	})
	return stats
}

// EachLoop calls f with the server's event loops.
func (s *Server) EachLoop(f func(name string, l *reactor.Loop)) { s.tcp.EachLoop(f) }

// Explain says what is the matter with the server, a sentence each. It may be
// called on any goroutine.
func (s *Server) Explain() []string {
	lasts, pending := s.outage.lasts(), s.room.used.Load()
	if lasts == 0 {
		return nil
	}
	return []string{fmt.Sprintf("the database has not taken reports for %v: those of %d keys wait in memory, of at most %d; the log says what the database answers",
		lasts.Round(time.Second), pending, s.room.max)}
}
