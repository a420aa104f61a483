package dns

import (
	"context"
	"errors"
	"iter"
	"time"

	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/snapshot"
	"github.com/lars-lb/lars/reactor"
)

// owner is how lars-dns signs its file of routes.
const owner = "lars-dns"

// routes is what is served at one moment. It never changes.
type routes struct {
	table *Table
	// stale: the table is that of the file, and version what it says; the
	// database has not given its routes since the start.
	stale   bool
	version int64
}

// savedRoutes are those of the file.
type savedRoutes struct {
	table *Table
	info  snapshot.Info
}

// readSaved reads the file of the routes; nil if there is none that is good for
// anything.
func (s *Server) readSaved() *savedRoutes {
	path := s.config.Snapshot
	var r tableReader
	info, ok := snapshot.Load(path, owner, s.log, r.add)
	if !ok {
		return nil
	}
	s.counters.fileSavedAtMS.Store(info.SavedAt.UnixMilli())
	age := time.Since(info.SavedAt)
	if most := s.config.SnapshotMaxAge; most > 0 && age > most {
		s.log.Warn("the saved routes are too old to be used", "path", path, "age", age.Round(time.Second), "max_age", most)
		return nil
	}
	if info.Modules == 0 {
		return nil // there is nothing to serve, or to lose
	}
	return &savedRoutes{r.table(), info}
}

// serveSaved makes the routes of the file the current ones, unless the database
// has given its own meanwhile.
func (s *Server) serveSaved(saved *savedRoutes, nothing *routes) {
	if !s.routes.CompareAndSwap(nothing, &routes{table: saved.table, stale: true, version: saved.info.Version}) {
		return
	}
	s.log.Warn("the database does not answer: serving the saved routes", "path", s.config.Snapshot,
		"age", max(0, time.Since(saved.info.SavedAt)).Round(time.Second), "version", saved.info.Version,
		"modules", saved.table.Modules(), "hosts", saved.table.Hosts())
}

// publish makes t, which is the database's, current and tells the subscribers of
// the modules that changed. It is called by the watcher's goroutine.
func (s *Server) publish(ctx context.Context, t *Table, changed []route.Module) {
	before := s.routes.Swap(&routes{table: t})
	if len(changed) == 0 && !before.stale {
		return
	}
	for l, w := range s.workers {
		tell := func() { w.push(changed) }
		if before.stale {
			tell = func() { w.freshen(before.table, t, changed) }
		}
		for errors.Is(l.Post(tell), reactor.ErrFull) {
			// The loop has tens of thousands of tasks to do, but it does them.
			if !sleep(ctx, 10*time.Millisecond) {
				return
			}
		}
	}
}

// toSave is what the Saver writes.
func (s *Server) toSave() (version int64, all iter.Seq2[route.Module, []route.Node]) {
	return s.counters.version.Load(), s.routes.Load().table.All()
}

// tableReader makes a Table of modules that come in its own order, as a Table
// was written, and packs them as they come. Those in another order cost the
// memory and time of a Builder. The zero value is empty.
type tableReader struct {
	packed  packed
	builder *Builder // nil as long as everything was in order
}

// add keeps neither m nor nodes.
func (r *tableReader) add(m route.Module, nodes []route.Node) {
	if r.builder == nil {
		if r.follows(m) && ascending(nodes) {
			r.packed.append(m, nodes)
			return
		}
		r.builder = new(Builder)
		for m, nodes := range r.packed.table().All() {
			r.build(m, nodes)
		}
		r.packed = packed{}
	}
	r.build(m, nodes)
}

func (r *tableReader) build(m route.Module, nodes []route.Node) {
	for _, n := range nodes {
		r.builder.Add(m, n)
	}
}

// follows reports whether m is behind all modules so far.
func (r *tableReader) follows(m route.Module) bool {
	last := len(r.packed.modules) - 1
	return last < 0 || r.packed.modules[last].Compare(m) < 0
}

func ascending(nodes []route.Node) bool {
	for i := 1; i < len(nodes); i++ {
		if compareHosts(nodes[i-1], nodes[i]) >= 0 {
			return false
		}
	}
	return true
}

// table returns the Table. The tableReader is of no use afterwards.
func (r *tableReader) table() *Table {
	if r.builder == nil {
		return r.packed.fitting().table()
	}
	t, _ := r.builder.Table() // a module of the file has as many hosts as are served at most
	return t
}
