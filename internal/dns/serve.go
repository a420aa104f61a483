package dns

import (
	"context"
	"time"

	"github.com/lars-lb/lars/internal/route"
)

// saveAgain is the age at which a file of routes that are still the same is
// written again: its age tells how long ago the routes were known to be good.
const saveAgain = time.Hour

// serve publishes what the guard makes of what the database says, which differs
// in changed from what is served if nothing is held back. It reports whether
// something was published. Belongs to the watcher's goroutine, as all here.
func (w *watcher) serve(ctx context.Context, now time.Time, changed []route.Module, asOf time.Time) bool {
	before := w.guard.hold
	next, verdict := w.guard.next(now, w.served, w.table, changed, asOf)
	if before != nil || verdict != believed {
		w.noteHold(now, before, next, verdict)
		if changed = nil; next != w.served {
			changed = Diff(w.served, next)
		}
	}
	w.served = next
	if len(changed) == 0 {
		if now.Sub(w.savedAt) >= saveAgain {
			w.save(now)
		}
		return false
	}
	w.publish(ctx, next, changed)
	w.save(now)
	w.log.Info("routes changed", "version", w.seen.Version, "changed", len(changed), "modules", next.Modules(), "hosts", next.Hosts())
	return true
}

func (w *watcher) save(now time.Time) {
	w.savedAt = now
	w.changed()
}

// noteHold tells others of a hold that is, began or ended.
func (w *watcher) noteHold(now time.Time, before *hold, next *Table, v verdict) {
	if h := w.guard.hold; h != nil {
		if before == nil {
			w.counters.shrinksHeld.Add(1)
			w.tellAt = now
		}
		w.showHold(now, next)
		return
	}
	w.counters.held.Store(nil)
	args := []any{"removed", before.removed, "of", before.of, "hosts", w.table.Hosts()}
	switch v {
	case righted:
		w.log.Info("the routes are back in the database", args...)
	case confirmed:
		w.log.Warn("most routes stayed away from the database: they are removed", append(args, "after", w.guard.confirm)...)
	case approved:
		w.log.Warn("most routes are removed, as an operator accepted", args...)
	}
	close(before.approval.ended)
}

// showHold makes the hold that is what others see, while next is served.
func (w *watcher) showHold(now time.Time, next *Table) {
	h := w.guard.hold
	since := h.since
	if h.stopped {
		since = now // the time begins anew with the next answer
	}
	w.counters.held.Store(&Held{
		Hosts: next.Hosts() - w.table.Hosts(), Removed: h.removed, Of: h.of,
		Since: since, Confirm: w.guard.confirm, approval: h.approval,
	})
}

// interrupted says that the database could not be asked.
func (w *watcher) interrupted(now time.Time) {
	if w.guard.hold != nil {
		w.guard.interrupted()
		w.showHold(now, w.served)
	}
}

// tellHeld logs, now and then, what is held back.
func (w *watcher) tellHeld() {
	h, now := w.counters.held.Load(), time.Now()
	if h == nil || now.Before(w.tellAt) {
		return
	}
	w.tellAt = now.Add(faultInterval)
	w.log.Error("most hosts are gone from the database: they are served on",
		"removed", h.Removed, "of", h.Of, "left", w.table.Hosts(), "applied_in", h.Left(now).Round(time.Second),
		"do", "put the routes back, or say that it was meant: lars dns accept")
}

// sleep reports false when ctx ended before d had passed. It returns early when
// a rebuild has ended and, with the routes removed, when an operator says that
// they are to go.
func (w *watcher) sleep(ctx context.Context, d time.Duration) bool {
	var given, ended <-chan struct{}
	if h := w.guard.hold; h != nil {
		given = h.approval.given
	}
	if w.rebuild != nil {
		ended = w.rebuild.ended
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
	case <-ctx.Done():
	case <-ended:
	case <-given:
		w.guard.hold.accepted = true
		w.serve(ctx, time.Now(), nil, time.Time{})
	}
	return ctx.Err() == nil
}
