package dns

import (
	"context"
	"log/slog"
	"slices"

	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/store"
)

// maxLoggedRows bounds the ids of impossible rows that are remembered so that
// each is logged once. Rows beyond it are left out without a record of their
// own.
const maxLoggedRows = 10_000

// loader makes routes of rows, passing over what is no host. It belongs to the
// watcher's goroutine.
type loader struct {
	source   Source
	log      *slog.Logger
	counters *counters

	loggedRows map[int64]struct{}
	loggedFull bool
	oversized  map[route.Module]struct{} // as of the last reading of each
}

func newLoader(source Source, counters *counters, log *slog.Logger) *loader {
	return &loader{
		source: source, log: log, counters: counters,
		loggedRows: make(map[int64]struct{}), oversized: make(map[route.Module]struct{}),
	}
}

// all reads every route.
func (l *loader) all(ctx context.Context) (*Table, error) {
	var b Builder
	skipped := int64(0)
	err := l.source.ReadRoutes(ctx, func(r store.RouteRow) error {
		if h, ok := route.HostFromNumbers(r.IP, r.Port); ok {
			b.Add(r.Module, h)
		} else {
			skipped++
			l.logRow(r)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	t, oversized := b.Table()
	l.counters.skippedRows.Store(skipped)
	l.noteOversized(oversized, func(route.Module) bool { return true })
	return t, nil
}

// modules reads the routes of some modules, each of which is in the result.
func (l *loader) modules(ctx context.Context, mods []route.Module) (map[route.Module][]route.Host, error) {
	var b Builder
	err := l.source.ReadModules(ctx, mods, func(r store.RouteRow) error {
		if h, ok := route.HostFromNumbers(r.IP, r.Port); ok {
			b.Add(r.Module, h)
		} else if l.logRow(r) {
			l.counters.skippedRows.Add(1)
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	t, oversized := b.Table()
	read := make(map[route.Module][]route.Host, len(mods))
	for _, m := range mods {
		// A copy, so that one route does not keep all that were read with it.
		read[m] = slices.Clone(t.Lookup(m))
	}
	l.noteOversized(oversized, func(m route.Module) bool { _, ok := read[m]; return ok })
	return read, nil
}

// logRow logs an impossible row unless it was logged before, and reports
// whether it did.
func (l *loader) logRow(r store.RouteRow) bool {
	if _, known := l.loggedRows[r.ID]; known {
		return false
	}
	if len(l.loggedRows) == maxLoggedRows {
		if !l.loggedFull {
			l.loggedFull = true
			l.log.Warn("more impossible rows in RouteData are left out without being named", "named", maxLoggedRows)
		}
		return false
	}
	l.loggedRows[r.ID] = struct{}{}
	l.log.Warn("row of RouteData left out: no host has this address and port",
		"id", r.ID, "modid", r.Module.ModID, "cmdid", r.Module.CmdID, "ip", r.IP, "port", r.Port)
	return true
}

// noteOversized logs modules that became oversized and forgets those that were
// read and are so no more.
func (l *loader) noteOversized(now []Oversized, wasRead func(route.Module) bool) {
	still := make(map[route.Module]struct{}, len(now))
	for _, o := range now {
		still[o.Module] = struct{}{}
		if _, known := l.oversized[o.Module]; !known {
			l.oversized[o.Module] = struct{}{}
			l.log.Warn("module has more hosts than a frame carries: the first are served",
				"modid", o.Module.ModID, "cmdid", o.Module.CmdID, "hosts", o.Hosts, "served", route.MaxHosts)
		}
	}
	for m := range l.oversized {
		if _, ok := still[m]; !ok && wasRead(m) {
			delete(l.oversized, m)
		}
	}
	l.counters.oversized.Store(int64(len(l.oversized)))
}
