package dns

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"runtime/debug"
	"slices"
	"sync"
	"time"

	"github.com/cenkalti/backoff/v5"

	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/store"
)

const (
	// pollTimeout limits one look at the version, so that a database that
	// stopped answering without a word is asked anew soon after its return.
	pollTimeout = 2 * time.Second
	// minReadAll is how many changed modules are read one by one in any case;
	// beyond it a quarter of all modules is the bound, since reading all of
	// them is one sequential scan, up to maxReadSome, since nothing else is
	// published meanwhile: about a second.
	minReadAll  = 1000
	maxReadSome = 25_000
	// settling is how long after a version was first seen changes may follow
	// that do not move it: those of a writer whose version is the time, for
	// the rest of its second, and those of one who raised the version before
	// editing; and some for a transaction that was slow to commit.
	settling = 1500 * time.Millisecond
	// clockSkew is how far the version found at the start may be from our own
	// clock and still be taken for one that was made just now.
	clockSkew = time.Minute
	// lag is how long a version below the one that was read is not believed:
	// another server of a cluster answers, which has not applied yet what the
	// one before it had. Beyond it the database was put back, from a backup for
	// example.
	lag = 5 * time.Second
)

// watcher reads the routes and publishes what changes. It belongs to one
// goroutine.
type watcher struct {
	source   Source
	loader   *loader
	config   *Config
	counters *counters
	log      *slog.Logger
	faults   faultLog
	// publish makes a Table the current one, in which the routes of changed,
	// ascending, differ from the one before.
	publish func(ctx context.Context, t *Table, changed []route.Module)
	// changed says that there is something to save.
	changed    func()
	loaded     chan struct{} // closed when the database has given its routes
	failedOnce chan struct{} // closed when a try of that has failed

	table     *Table    // what the database says
	served    *Table    // what was published or, before anything was, the file's; nil for neither
	savedAt   time.Time // when changed was called last, or the file was written
	guard     *guard
	tellAt    time.Time      // when to log next what is held back
	seen      store.Revision // of which every change is in table, or will be when the rebuild ends
	seenAt    time.Time      // when that was known last
	behindAt  time.Time      // since when the version is below seen's; zero for not
	reloadAt  time.Time      // when all routes are to be read again
	settledAt time.Time      // when the version has been the same for settling
	pause     *backoff.ExponentialBackOff
	failing   bool // and it was logged

	rebuild *rebuild       // nil for none
	unfound bool           // table lacks changes up to seen, which are to be found yet
	running sync.WaitGroup // of the rebuild's goroutine
}

func newWatcher(source Source, cfg *Config, counters *counters, log *slog.Logger,
	publish func(context.Context, *Table, []route.Module)) *watcher {
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval = 50 * time.Millisecond
	pause.MaxInterval = 660 * time.Millisecond // and half as much again by jitter: below 1 s
	return &watcher{
		source: source, loader: newLoader(source, counters, log), config: cfg, counters: counters,
		log: log, faults: faultLog{log: log}, publish: publish, changed: func() {},
		loaded: make(chan struct{}), failedOnce: make(chan struct{}),
		table: &Table{}, guard: newGuard(cfg.ShrinkConfirm), pause: pause,
	}
}

// load makes the database ready and publishes its routes. It tries until it
// succeeds, and returns an error only when ctx is done.
func (w *watcher) load(ctx context.Context) error {
	// Said beforehand: a large table takes its time, and so does a database
	// that hangs.
	w.log.Info("reading the routes")
	for failedOnce := w.failedOnce; ; {
		err := w.loadOnce(ctx)
		if err == nil {
			close(w.loaded)
			return nil
		}
		if failedOnce != nil {
			close(failedOnce)
			failedOnce = nil
		}
		if !sleep(ctx, w.failed(ctx, err, "waiting for the database")) {
			return ctx.Err()
		}
	}
}

func (w *watcher) loadOnce(ctx context.Context) error {
	from, to, denied := w.source.Migrate(ctx)
	if denied != nil && !errors.Is(denied, store.ErrMayNotMigrate) {
		return denied
	}
	// Tables that nobody may migrate are served if they can be read.
	rev, err := w.revision(ctx)
	if err != nil {
		return errors.Join(denied, err)
	}
	t, err := w.loader.all(ctx, nil)
	if err != nil {
		return errors.Join(denied, err)
	}
	w.succeeded()
	switch {
	case denied != nil:
		w.log.Warn("older tables are served as they are", "err", denied)
	case from != to:
		w.log.Info("database migrated", "from", from, "to", to)
	}
	now := time.Now()
	if age := now.Sub(time.Unix(rev.Version, 0)); age.Abs() > clockSkew {
		w.seen = rev // it has settled long ago
	}
	w.scheduleReload(now, rev)
	w.seen, w.seenAt = rev, now
	w.counters.fullReloads.Add(1)
	w.counters.version.Store(rev.Version)
	w.log.Info("routes loaded", "version", rev.Version, "modules", t.Modules(), "hosts", t.Hosts())
	w.table = t
	if w.served == nil {
		w.served = t
		w.publish(ctx, t, nil)
		w.save(now)
		return nil
	}
	if !w.serve(ctx, now, Diff(w.served, t), now) {
		w.publish(ctx, w.served, nil) // the file's, which was good
	}
	return nil
}

// run keeps the routes up to date until ctx is done.
func (w *watcher) run(ctx context.Context) {
	defer w.running.Wait()
	if w.table.Hosts() >= largeTable {
		w.running.Go(debug.FreeOSMemory) // what the first reading took
	}
	wait := w.config.PollInterval
	for w.sleep(ctx, wait) {
		wait = w.config.PollInterval
		if err := w.refresh(ctx); err != nil {
			w.interrupted(time.Now())
			wait = w.failed(ctx, err, "database error, the last routes are served")
		} else {
			w.succeeded()
		}
		w.tellHeld()
	}
}

// failed counts and logs a fault and returns the time until the next try.
func (w *watcher) failed(ctx context.Context, err error, msg string) time.Duration {
	if ctx.Err() == nil {
		w.counters.databaseErrors.Add(1)
		w.counters.databaseFails.Store(true)
		if w.faults.warn(msg, "err", err) {
			w.failing = true
		}
	}
	return w.pause.NextBackOff()
}

func (w *watcher) succeeded() {
	w.pause.Reset()
	w.counters.databaseFails.Store(false)
	w.counters.confirmedAt.Store(time.Now().UnixNano())
	if w.failing {
		w.failing = false
		w.log.Info("the database answers again")
	}
}

// refresh looks whether routes changed, and reads and publishes those. The
// revision is always taken before the rows are read: what changes in between
// is then read once more rather than never.
func (w *watcher) refresh(ctx context.Context) error {
	if err := w.finish(ctx); err != nil {
		return err
	}
	rev, err := w.revision(ctx)
	if err != nil {
		return err
	}
	now := time.Now()
	if w.lags(now, rev) {
		return nil
	}
	w.repackIfDue(now)
	small := w.table.Hosts() <= w.config.SmallTable
	switch {
	case w.rebuild != nil: // which may be what is due
	case !now.Before(w.reloadAt),
		w.guard.wantsAll(now),
		small && now.Before(w.settledAt),
		// Of changes made before ChangeRetention nothing is left to read.
		now.Sub(w.seenAt) > w.config.ChangeRetention/2:
		return w.reload(ctx, rev, now)
	}
	if rev == w.seen {
		w.seenAt = now
		w.serve(ctx, now, nil, time.Time{})
		return nil
	}
	if rev.Version < w.seen.Version || rev.LastChange < w.seen.LastChange {
		// A restored backup, or somebody deleted the changes: what is named
		// as changed now is not all that did.
		return w.reload(ctx, rev, now)
	}
	if small {
		return w.reload(ctx, rev, now)
	}
	mods, err := w.source.Changed(ctx, w.seen)
	if err != nil {
		return err
	}
	named, err := w.allNamed(ctx, rev, mods)
	if err != nil {
		return err
	}
	switch {
	case !named:
		return w.reload(ctx, rev, now)
	case len(mods) > max(minReadAll, min(w.table.Modules()/4, maxReadSome)):
		return w.reload(ctx, rev, now)
	default:
		return w.readChanged(ctx, rev, mods)
	}
}

// lags reports whether rev is an older state of the routes than the one that is
// served, and too soon to believe it.
func (w *watcher) lags(now time.Time, rev store.Revision) bool {
	if rev.Version >= w.seen.Version {
		w.behindAt = time.Time{}
		return false
	}
	if w.behindAt.IsZero() {
		w.behindAt = now
		w.counters.behind.Add(1)
	}
	return now.Sub(w.behindAt) < lag
}

func (w *watcher) revision(ctx context.Context) (store.Revision, error) {
	ctx, cancel := context.WithTimeoutCause(ctx, pollTimeout, fmt.Errorf("no answer for %v", pollTimeout))
	defer cancel()
	return w.source.Revision(ctx)
}

// allNamed reports whether mods, the changes since w.seen, are all there are.
// They are not if nobody named a change for rev's own version: somebody raised
// it without saying why, perhaps right after others who did.
func (w *watcher) allNamed(ctx context.Context, rev store.Revision, mods []route.Module) (bool, error) {
	if len(mods) == 0 || rev.Version == w.seen.Version {
		return len(mods) > 0, nil
	}
	last, err := w.source.Changed(ctx, store.Revision{Version: rev.Version - 1, LastChange: math.MaxInt64})
	return len(last) > 0, err
}

// readChanged reads some modules.
func (w *watcher) readChanged(ctx context.Context, rev store.Revision, mods []route.Module) error {
	read, err := w.loader.modules(ctx, mods)
	if err != nil {
		return err
	}
	var changed []route.Module
	for m, nodes := range read {
		if w.rebuild != nil {
			w.rebuild.newer[m] = struct{}{}
		}
		if slices.Equal(nodes, w.table.Lookup(m)) {
			delete(read, m)
		} else {
			changed = append(changed, m)
		}
	}
	slices.SortFunc(changed, route.Module.Compare)
	t := w.table
	if len(changed) > 0 {
		t = t.With(read)
	}
	w.saw(rev)
	w.take(ctx, t, changed, time.Time{})
	return nil
}

// reload reads all routes: at once if they are few, else in the background.
func (w *watcher) reload(ctx context.Context, rev store.Revision, now time.Time) error {
	if w.rebuild != nil {
		// It may have begun before what is to be found.
		w.expectFound(rev, now)
		w.rebuild.missed = true
		w.reloadAt = now // when it has ended
		return nil
	}
	if w.table.Hosts() > w.config.SmallTable {
		w.beginReading(ctx, rev, now)
		return nil
	}
	t, err := w.loader.all(ctx, nil)
	if err != nil {
		return err
	}
	w.counters.fullReloads.Add(1)
	w.scheduleReload(now, rev)
	w.saw(rev)
	w.take(ctx, t, Diff(w.table, t), now)
	return nil
}

// scheduleReload arranges the next reading of all routes, after one at rev: if
// that is a new version, when it has settled.
func (w *watcher) scheduleReload(now time.Time, rev store.Revision) {
	if rev != w.seen {
		w.settledAt = now.Add(settling)
	}
	w.reloadAt = now.Add(w.config.ReloadInterval)
	if now.Before(w.settledAt) && w.settledAt.Before(w.reloadAt) {
		w.reloadAt = w.settledAt
	}
}

// saw says that every change of rev is known, but for what a rebuild is to find.
func (w *watcher) saw(rev store.Revision) {
	w.seen, w.seenAt = rev, time.Now()
	if !w.unfound {
		w.counters.version.Store(rev.Version)
	}
}

// take makes t what the database says. It differs from what that said before in
// changed. AsOf is as for the guard.
func (w *watcher) take(ctx context.Context, t *Table, changed []route.Module, asOf time.Time) {
	if len(changed) > 0 { // else t says the same as the Table that is there
		w.table = t
		w.counters.changed.Add(uint64(len(changed)))
	}
	w.serve(ctx, time.Now(), changed, asOf)
}
