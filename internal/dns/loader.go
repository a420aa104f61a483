package dns

import (
	"context"
	"log/slog"
	"slices"
	"sync"

	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/store"
)

// maxLoggedRows bounds the ids of impossible rows that are remembered so that
// each is logged once. Rows beyond it are left out, or served with another
// weight, without a record of their own.
const maxLoggedRows = 10_000

// loader makes routes of rows, passing over what is no host and bounding what
// is no weight: a host that is served with too large a weight is better than
// one that is not. All routes may be read by one goroutine, and some modules by
// another at the same time.
type loader struct {
	source   Source
	log      *slog.Logger
	counters *counters

	mu         sync.Mutex // of what follows
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

// flaw is what is wrong with a row.
type flaw int

const (
	sound     flaw = iota
	noHost         // left out
	badWeight      // served with the nearest one
	flaws          // how many there are
)

// all reads every route, as fast as p lets it.
func (l *loader) all(ctx context.Context, p *pace) (*Table, error) {
	var b Builder
	var found [flaws]int64
	err := l.source.ReadRoutes(ctx, func(r store.RouteRow) error {
		p.row()
		f, _ := l.add(&b, r)
		found[f]++
		return nil
	})
	if err != nil {
		return nil, err
	}
	t, oversized := b.Table()
	l.counters.skippedRows.Store(found[noHost])
	l.counters.clampedRows.Store(found[badWeight])
	l.noteOversized(oversized, func(route.Module) bool { return true })
	return t, nil
}

// modules reads the routes of some modules, each of which is in the result.
func (l *loader) modules(ctx context.Context, mods []route.Module) (map[route.Module][]route.Node, error) {
	var b Builder
	var found [flaws]int64 // that were not known of before
	err := l.source.ReadModules(ctx, mods, func(r store.RouteRow) error {
		if f, isNew := l.add(&b, r); isNew {
			found[f]++
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	t, oversized := b.Table()
	l.counters.skippedRows.Add(found[noHost])
	l.counters.clampedRows.Add(found[badWeight])
	read := make(map[route.Module][]route.Node, len(mods))
	for _, m := range mods {
		// A copy, so that one route does not keep all that were read with it.
		read[m] = slices.Clone(t.Lookup(m))
	}
	l.noteOversized(oversized, func(m route.Module) bool { _, ok := read[m]; return ok })
	return read, nil
}

// add adds a row to b as far as it can be served, and reports what is wrong
// with it and whether that was logged just now.
func (l *loader) add(b *Builder, r store.RouteRow) (f flaw, isNew bool) {
	n, ok := r.Node()
	if !ok {
		return noHost, l.logRow(r, "row of RouteData left out: no host has this address and port", "ip", r.IP, "port", r.Port)
	}
	b.Add(r.Module, n)
	if int64(n.Weight) == r.Weight {
		return sound, false
	}
	return badWeight, l.logRow(r, "row of RouteData served with another weight: there is no such one",
		"host", n.Host(), "weight", r.Weight, "served", n.Weight)
}

// logRow logs an impossible row unless it was logged before, and reports
// whether it did.
func (l *loader) logRow(r store.RouteRow, msg string, what ...any) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if _, known := l.loggedRows[r.ID]; known {
		return false
	}
	if len(l.loggedRows) == maxLoggedRows {
		if !l.loggedFull {
			l.loggedFull = true
			l.log.Warn("more impossible rows in RouteData are not named", "named", maxLoggedRows)
		}
		return false
	}
	l.loggedRows[r.ID] = struct{}{}
	l.log.Warn(msg, append([]any{"id", r.ID, "modid", r.Module.ModID, "cmdid", r.Module.CmdID}, what...)...)
	return true
}

// noteOversized logs modules that became oversized and forgets those that were
// read and are so no more.
func (l *loader) noteOversized(now []Oversized, wasRead func(route.Module) bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
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
