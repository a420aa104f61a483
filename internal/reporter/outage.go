package reporter

import (
	"log/slog"
	"sync"
	"time"
)

// remindEvery is the shortest time between two records of a fault that lasts
// or comes again and again.
const remindEvery = 10 * time.Second

// outage tells the operator that the database does not take what we have, and
// that it does again. It may be used from any goroutine.
type outage struct {
	log *slog.Logger

	mu    sync.Mutex
	since time.Time // when it began; zero while all is well
	told  bool      // whether the log knows of it
	last  time.Time // when a failure was logged last
}

func (o *outage) failed(err error, pending int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := time.Now()
	if o.since.IsZero() {
		o.since, o.told = now, false
	}
	// A database that fails every other time is not told of more often.
	if !o.last.IsZero() && now.Sub(o.last) < remindEvery {
		return
	}
	o.told, o.last = true, now
	o.log.Warn("database fails, keeping the reports and trying again",
		"for", now.Sub(o.since).Round(time.Second), "keys_pending", pending, "err", err)
}

func (o *outage) over(pending int64) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.since.IsZero() {
		return
	}
	if o.told {
		o.log.Info("database works again", "after", time.Since(o.since).Round(time.Millisecond), "keys_pending", pending)
	}
	o.since, o.told = time.Time{}, false
}

// lasts is for how long the database has failed, 0 while it does not.
func (o *outage) lasts() time.Duration {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.since.IsZero() {
		return 0
	}
	return max(time.Since(o.since), 1)
}

// overflow tells the operator that results are dropped. It may be used from
// any goroutine.
type overflow struct {
	log *slog.Logger

	mu   sync.Mutex
	last time.Time
}

// refused tells that agents are sent away with their reports.
func (o *overflow) refused(total uint64, max int) {
	if o.due() {
		o.log.Error("too many reports wait for the database: agents keep theirs and try again", "results_max", max, "refused", total)
	}
}

func (o *overflow) dropped(total uint64, max int) {
	if o.due() {
		o.log.Error("too many keys wait for the database, results for further ones are dropped", "keys_max", max, "dropped", total)
	}
}

// due reports whether enough time has passed since the last record.
func (o *overflow) due() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	now := time.Now()
	if !o.last.IsZero() && now.Sub(o.last) < remindEvery {
		return false
	}
	o.last = now
	return true
}
