package dns

import (
	"fmt"
	"sync/atomic"
	"time"

	"github.com/lars-lb/lars/internal/snapshot"
	"github.com/lars-lb/lars/reactor"
)

// Stats is what lars-dns has done since it was made, and how it stands.
type Stats struct {
	Ready   bool  `json:"ready"`   // routes were loaded; connections are served
	Version int64 `json:"version"` // RouteVersion of the routes that are served, or were read and are held back
	Modules int   `json:"modules"` // with hosts
	Hosts   int   `json:"hosts"`   // of all modules together

	Stale         bool                `json:"stale"`           // the routes are those of the file; the database has not answered since the start
	SnapshotAgeMS int64               `json:"snapshot_age_ms"` // since the file of the routes was written; 0 without a file
	Snapshot      snapshot.SaverStats `json:"snapshot"`        // the writing of that file

	ShrinkHeld  bool   `json:"shrink_held"`  // most hosts are gone from the database, and are served on
	HeldHosts   int    `json:"held_hosts"`   // that are served although the database lacks them
	HeldOf      int    `json:"held_of"`      // the hosts that they are compared with
	HeldLeftMS  int64  `json:"held_left_ms"` // until they go too, if nothing changes
	ShrinksHeld uint64 `json:"shrinks_held"` // how often that began

	SkippedRows      int64 `json:"skipped_rows"`      // in RouteData with an impossible address or port
	ClampedRows      int64 `json:"clamped_rows"`      // in RouteData with an impossible weight, served with the nearest
	OversizedModules int64 `json:"oversized_modules"` // with more hosts than are served

	FullReloads    uint64 `json:"full_reloads"`
	ChangedModules uint64 `json:"changed_modules"` // routes found changed after the first load
	PrunedChanges  uint64 `json:"pruned_changes"`  // rows deleted from RouteChange
	DatabaseErrors uint64 `json:"database_errors"`
	// DatabaseFails says that the database did not answer when it was asked
	// last, and RoutesAge how many seconds ago it was known last that what is
	// served is what the database says; nil before the first time.
	DatabaseFails  bool     `json:"database_fails"`
	RoutesAge      *float64 `json:"routes_age_seconds"`
	DatabaseBehind uint64   `json:"database_behind"` // times that it showed an older version than the one served

	Subscriptions int64  `json:"subscriptions"` // connections times modules, now
	Unanswered    uint64 `json:"unanswered"`    // requests and pushes put off while stale, for modules that the file lacks
	Unsubscribed  uint64 `json:"unsubscribed"`  // answers beyond MaxSubscriptions
	Answers       uint64 `json:"answers"`       // requests
	Unchanged     uint64 `json:"unchanged"`     // of them, those that only said so: the agent had the route
	Pushes        uint64 `json:"pushes"`        // changes times subscribers
	Deferred      uint64 `json:"deferred"`      // of both, put off until output was written
	SlowClosed    uint64 `json:"slow_closed"`   // connections that did not read
	Waiting       int64  `json:"waiting"`       // routes that are put off, now

	TCP   reactor.TCPStats         `json:"tcp"`
	Loops []reactor.NamedLoopStats `json:"loops"`
}

// counters is the part of Stats that loops and watcher write.
type counters struct {
	ready                  atomic.Bool
	version                atomic.Int64
	skippedRows            atomic.Int64
	clampedRows, oversized atomic.Int64
	fullReloads, changed   atomic.Uint64
	pruned, databaseErrors atomic.Uint64
	behind                 atomic.Uint64
	subscriptions          atomic.Int64
	unsubscribed           atomic.Uint64
	unanswered, unchanged  atomic.Uint64
	shrinksHeld            atomic.Uint64
	fileSavedAtMS          atomic.Int64         // when the file that was found was written; 0: there was none
	held                   atomic.Pointer[Held] // nil: nothing
	answers, pushes        atomic.Uint64
	deferred, slowClosed   atomic.Uint64
	waiting                atomic.Int64

	databaseFails atomic.Bool
	confirmedAt   atomic.Int64 // when the database last answered, Unix nanoseconds; 0 before
}

// Ready reports whether routes were loaded, and so connections are served. It
// may be called from any goroutine.
func (s *Server) Ready() bool { return s.counters.ready.Load() }

// Stats may be called from any goroutine at any time.
func (s *Server) Stats() Stats {
	r, c := s.routes.Load(), &s.counters
	t := r.table
	st := Stats{
		Ready:            c.ready.Load(),
		Version:          c.version.Load(),
		Modules:          t.Modules(),
		Hosts:            t.Hosts(),
		SkippedRows:      c.skippedRows.Load(),
		ClampedRows:      c.clampedRows.Load(),
		OversizedModules: c.oversized.Load(),
		FullReloads:      c.fullReloads.Load(),
		ChangedModules:   c.changed.Load(),
		PrunedChanges:    c.pruned.Load(),
		DatabaseErrors:   c.databaseErrors.Load(),
		DatabaseFails:    c.databaseFails.Load(),
		DatabaseBehind:   c.behind.Load(),
		Subscriptions:    c.subscriptions.Load(),
		Unsubscribed:     c.unsubscribed.Load(),
		Answers:          c.answers.Load(),
		Pushes:           c.pushes.Load(),
		Deferred:         c.deferred.Load(),
		SlowClosed:       c.slowClosed.Load(),
		Waiting:          c.waiting.Load(),
		Unanswered:       c.unanswered.Load(),
		Unchanged:        c.unchanged.Load(),
		Stale:            r.stale,
		Snapshot:         s.saver.Stats(),
		ShrinksHeld:      c.shrinksHeld.Load(),
		TCP:              s.tcp.Stats(),
	}
	now := time.Now()
	if at := max(st.Snapshot.SavedAtMS, s.counters.fileSavedAtMS.Load()); at > 0 {
		st.SnapshotAgeMS = max(0, now.UnixMilli()-at)
	}
	if r.stale {
		st.Version = r.version
	}
	if h := c.held.Load(); h != nil {
		st.ShrinkHeld, st.HeldHosts, st.HeldOf = true, h.Hosts, h.Of
		st.HeldLeftMS = h.Left(now).Milliseconds()
	}
	if at := c.confirmedAt.Load(); at != 0 {
		st.RoutesAge = new(time.Since(time.Unix(0, at)).Seconds())
	}
	s.EachLoop(func(name string, l *reactor.Loop) {
		st.Loops = append(st.Loops, reactor.NamedLoopStats{Name: name, LoopStats: l.Stats()})
	})
	return st
}

// EachLoop calls f with the server's event loops.
func (s *Server) EachLoop(f func(name string, l *reactor.Loop)) { s.tcp.EachLoop(f) }

// Explain says what is the matter with the server, a sentence each. It may be
// called from any goroutine.
func (s *Server) Explain() []string {
	var reasons []string
	if h := s.counters.held.Load(); h != nil {
		reasons = append(reasons, fmt.Sprintf("most hosts are gone from the database: %d are served on for %v, unless they come back; the log says how to let them go at once",
			h.Hosts, h.Left(time.Now()).Round(time.Second)))
	}
	fails := s.counters.databaseFails.Load()
	switch at := s.counters.confirmedAt.Load(); {
	case !s.Ready() && fails:
		reasons = append(reasons, "the database does not answer, and there are no routes to serve yet: connections wait; the log says what the database answers")
	case !s.Ready():
		reasons = append(reasons, "the routes are being read from the database")
	case fails && at != 0:
		reasons = append(reasons, fmt.Sprintf("the database does not answer: the routes of %v ago are served, and changes do not arrive",
			time.Since(time.Unix(0, at)).Round(time.Second)))
	case fails:
		reasons = append(reasons, "the database does not answer: older routes are served, and changes do not arrive")
	}
	return reasons
}
