package dns

import (
	"sync/atomic"

	"github.com/lars-lb/lars/reactor"
)

// Stats is what lars-dns has done since it was made, and how it stands.
type Stats struct {
	Ready   bool  `json:"ready"`   // routes were loaded; connections are served
	Version int64 `json:"version"` // RouteVersion of the routes that are served
	Modules int   `json:"modules"` // with hosts
	Hosts   int   `json:"hosts"`   // of all modules together

	SkippedRows      int64 `json:"skipped_rows"`      // in RouteData with an impossible address or port
	ClampedRows      int64 `json:"clamped_rows"`      // in RouteData with an impossible weight, served with the nearest
	OversizedModules int64 `json:"oversized_modules"` // with more hosts than are served

	FullReloads    uint64 `json:"full_reloads"`
	ChangedModules uint64 `json:"changed_modules"` // routes found changed after the first load
	PrunedChanges  uint64 `json:"pruned_changes"`  // rows deleted from RouteChange
	DatabaseErrors uint64 `json:"database_errors"`

	Subscriptions int64  `json:"subscriptions"` // connections times modules, now
	Unsubscribed  uint64 `json:"unsubscribed"`  // answers beyond MaxSubscriptions
	Answers       uint64 `json:"answers"`       // requests
	Pushes        uint64 `json:"pushes"`        // changes times subscribers
	Deferred      uint64 `json:"deferred"`      // of both, put off until output was written
	SlowClosed    uint64 `json:"slow_closed"`   // connections that did not read

	TCP reactor.TCPStats `json:"tcp"`
}

// counters is the part of Stats that loops and watcher write.
type counters struct {
	ready                  atomic.Bool
	version                atomic.Int64
	skippedRows            atomic.Int64
	clampedRows, oversized atomic.Int64
	fullReloads, changed   atomic.Uint64
	pruned, databaseErrors atomic.Uint64
	subscriptions          atomic.Int64
	unsubscribed           atomic.Uint64
	answers, pushes        atomic.Uint64
	deferred, slowClosed   atomic.Uint64
}

// Ready reports whether routes were loaded, and so connections are served. It
// may be called from any goroutine.
func (s *Server) Ready() bool { return s.counters.ready.Load() }

// Stats may be called from any goroutine at any time.
func (s *Server) Stats() Stats {
	t, c := s.table.Load(), &s.counters
	return Stats{
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
		Subscriptions:    c.subscriptions.Load(),
		Unsubscribed:     c.unsubscribed.Load(),
		Answers:          c.answers.Load(),
		Pushes:           c.pushes.Load(),
		Deferred:         c.deferred.Load(),
		SlowClosed:       c.slowClosed.Load(),
		TCP:              s.tcp.Stats(),
	}
}
