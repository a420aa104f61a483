package reporter

import (
	"context"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/lars-lb/lars/internal/store"
)

// worker saves the results of the keys that fall to it, and the numbered
// reports of the agents that do.
type worker struct {
	pending *pending
	inbox   inbox
	// Each signal waits in a buffer of one, so that put never blocks and none
	// is lost. One too many does no harm.
	some chan struct{} // there is something to save
	many chan struct{} // there is enough not to wait for more
	buf  []store.Status

	batch   []numbered
	reports []store.Report // of batch
}

func newWorker(keys, results *room) *worker {
	return &worker{
		pending: newPending(keys), inbox: inbox{room: results},
		some: make(chan struct{}, 1), many: make(chan struct{}, 1),
	}
}

// waiting is how many keys and how many results of numbered reports are to be
// saved.
func (w *worker) waiting() (keys, results int) {
	_, results = w.inbox.len()
	return w.pending.len(), results
}

// put is called by the event loops.
func (w *worker) put(s store.Status, enough int) outcome {
	result, keys := w.pending.put(s)
	if result == added {
		if keys == 1 {
			signal(w.some)
		}
		if keys == enough {
			signal(w.many)
		}
	}
	return result
}

// again gives the signals for what came during a flush: put gave them to the
// flush before.
func (w *worker) again(enough int) {
	keys, results := w.waiting()
	if keys+results > 0 {
		signal(w.some)
	}
	if max(keys, results) >= enough {
		signal(w.many)
	}
}

func signal(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// run saves until stop is closed, and then what is left, until ctx is done.
// Nothing may be put after stop was closed.
func (s *Server) run(ctx context.Context, w *worker, stop <-chan struct{}) {
	select {
	case <-s.prepared:
	case <-stop: // the tables may be there, or be there when flush tries again
	}
	for s.gather(w, stop) {
		if !s.flush(ctx, w, stop) {
			return
		}
		w.again(s.cfg.EnoughRows)
	}
	for {
		if keys, results := w.waiting(); keys+results == 0 || !s.flush(ctx, w, stop) {
			return
		}
	}
}

// gather waits for something to save, and then for more of it. It reports
// false when stop was closed.
func (s *Server) gather(w *worker, stop <-chan struct{}) bool {
	select {
	case <-w.some:
	case <-stop:
		return false
	}
	enough := time.NewTimer(s.cfg.FlushInterval)
	defer enough.Stop()
	select {
	case <-enough.C:
	case <-w.many:
	case <-stop:
		return false
	}
	return true
}

// flush saves what waits now. It reports false when ctx ended first.
func (s *Server) flush(ctx context.Context, w *worker, stop <-chan struct{}) bool {
	return s.flushKeys(ctx, w, stop) && s.flushNumbered(ctx, w, stop)
}

func (s *Server) flushKeys(ctx context.Context, w *worker, stop <-chan struct{}) bool {
	for left := w.pending.len(); left > 0; left -= len(w.buf) {
		w.buf = w.pending.batch(w.buf[:0], min(left, s.cfg.BatchRows))
		if !s.insist(ctx, stop, func() error { return s.store.SaveStatuses(ctx, w.buf) }) {
			return false
		}
		w.pending.saved(w.buf)
		s.count.saves.Add(1)
		s.count.rows.Add(uint64(len(w.buf)))
	}
	return true
}

// maxPause is the longest wait between two attempts, with the random part
// that keeps several reporters from asking all at once: an operator sees the
// reporter recover within a second of the database.
const maxPause = time.Second

// insist calls op until it succeeds, and reports false when ctx ended first.
// When stop is closed it does not wait for the next attempt.
func (s *Server) insist(ctx context.Context, stop <-chan struct{}, op func() error) bool {
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval = 20 * time.Millisecond
	pause.Multiplier = 2
	pause.RandomizationFactor = 0.25
	pause.MaxInterval = time.Duration(float64(maxPause) / (1 + pause.RandomizationFactor))
	for {
		err := op()
		if err == nil {
			s.outage.over(s.room.used.Load())
			return true
		}
		if ctx.Err() != nil {
			return false
		}
		s.count.dbErrors.Add(1)
		s.outage.failed(err, s.room.used.Load())
		wait := time.NewTimer(pause.NextBackOff())
		select {
		case <-wait.C:
		case <-stop:
			stop = nil // once: it stays closed
		case <-ctx.Done():
		}
		wait.Stop()
	}
}
