package dns

import (
	"context"
	"runtime"
	"runtime/debug"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/store"
)

// largeTable is the number of hosts from which on what a Table leaves behind is
// given back to the system at once: 80 MB.
const largeTable = 1_000_000

// rebuild makes a Table of all routes on a goroutine of its own, of which there
// is one at most, while the watcher goes on to poll and to publish what it is
// told of. That is noted here and put over the result, for it is newer.
type rebuild struct {
	reading bool // of the database; else the Table is packed anew
	begun   time.Time
	base    *Table // the watcher's then
	newer   map[route.Module]struct{}
	missed  bool // something changed since that nobody named

	ended   chan struct{} // closed when what follows is set
	table   *Table
	changed []route.Module // in which it differs from base
	err     error
}

// beginReading reads all routes, at rev or later, in the background.
func (w *watcher) beginReading(ctx context.Context, rev store.Revision, now time.Time) {
	w.begin(&rebuild{reading: true, begun: now}, func(r *rebuild) {
		if r.table, r.err = w.loader.all(ctx, newPace(ctx)); r.err == nil {
			r.changed = Diff(r.base, r.table)
		}
	})
	w.expectFound(rev, now)
}

// expectFound says that what has changed up to rev is found by the rebuild, or by
// a reading after it.
func (w *watcher) expectFound(rev store.Revision, now time.Time) {
	if rev != w.seen {
		w.unfound = true
	}
	w.scheduleReload(now, rev)
	w.seen, w.seenAt = rev, now
}

// repackIfDue packs the Table in the background if a change has to copy too much.
// A hold goes by what it was shown last, and is not to be shown the same again.
func (w *watcher) repackIfDue(now time.Time) {
	if w.rebuild == nil && len(w.table.overlay) > wantOverlay && w.guard.hold == nil {
		w.begin(&rebuild{begun: now}, func(r *rebuild) { r.table = r.base.repack() })
	}
}

func (w *watcher) begin(r *rebuild, build func(*rebuild)) {
	r.base, r.newer, r.ended = w.table, make(map[route.Module]struct{}), make(chan struct{})
	w.rebuild = r
	w.running.Go(func() {
		defer close(r.ended)
		// A thread of the lowest priority, which ends with the goroutine: the
		// event loops come first.
		runtime.LockOSThread()
		_ = unix.Setpriority(unix.PRIO_PROCESS, 0, 19)
		build(r)
	})
}

// finish takes what the rebuild has made, if it has ended.
func (w *watcher) finish(ctx context.Context) error {
	r := w.rebuild
	if r == nil {
		return nil
	}
	select {
	case <-r.ended:
	default:
		return nil
	}
	w.rebuild = nil
	now := time.Now()
	switch {
	case r.err != nil:
		w.reloadAt = now // what it was to find is not found yet
		return r.err
	case r.reading:
		t, changed := r.withNewer(w.table)
		w.counters.fullReloads.Add(1)
		if w.unfound = r.missed; !w.unfound {
			w.counters.version.Store(w.seen.Version)
		}
		w.take(ctx, t, changed, r.begun)
	case w.guard.hold == nil:
		w.table, _ = r.withNewer(w.table)
		w.served = w.table
		w.publish(ctx, w.table, nil)
	}
	if w.table.Hosts() >= largeTable {
		w.running.Go(debug.FreeOSMemory)
	}
	return nil
}

// withNewer returns the Table that was made, with what current has of the modules
// that were read since, and the modules in which the result differs from current.
func (r *rebuild) withNewer(current *Table) (t *Table, changed []route.Module) {
	newer := make(map[route.Module][]route.Node)
	for m := range r.newer {
		if nodes := current.Lookup(m); !slices.Equal(nodes, r.table.Lookup(m)) {
			newer[m] = slices.Clone(nodes) // so that nothing of current's arrays is kept
		}
	}
	changed = slices.DeleteFunc(r.changed, func(m route.Module) bool {
		_, has := r.newer[m]
		return has
	})
	if t = r.table; len(newer) > 0 {
		t = t.With(newer)
	}
	return t, changed
}
