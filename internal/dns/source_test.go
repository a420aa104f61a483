package dns_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lars-lb/lars/internal/dns"
	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/store"
)

var errDown = errors.New("the database is down")

// memory is a Source in memory that counts what is read, and fails or hangs
// on demand.
type memory struct {
	mu      sync.Mutex
	rows    []store.RouteRow
	lastID  int64
	version int64
	changes []memoryChange

	down      bool
	denied    bool          // Migrate is not allowed
	hang      bool          // Revision waits for its context
	onRead    func(*memory) // called once, before rows are read
	slow      chan struct{} // if set, ReadRoutes waits for it with the rows of before
	readAll   int
	readSome  int
	asked     int // Revision calls
	migrated  int
	pruneKeep time.Duration
	pruneRuns int
}

type memoryChange struct {
	id, version int64
	module      route.Module
}

// do runs f with the Source to itself.
func (s *memory) do(f func(*memory)) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f(s)
}

// insert adds a row and tells nobody.
func (s *memory) insert(m route.Module, ip, port, weight int64) {
	s.lastID++
	s.rows = append(s.rows, store.RouteRow{ID: s.lastID, Module: m, IP: ip, Port: port, Weight: weight})
}

func (s *memory) insertHosts(m route.Module, hosts ...route.Node) {
	for _, h := range hosts {
		s.insert(m, int64(h.IP), int64(h.Port), int64(h.Weight))
	}
}

func (s *memory) remove(m route.Module) {
	s.rows = slices.DeleteFunc(s.rows, func(r store.RouteRow) bool { return r.Module == m })
}

// announce raises the version and names changed modules, as our writers do.
func (s *memory) announce(mods ...route.Module) {
	s.version++
	for _, m := range mods {
		s.lastID++
		s.changes = append(s.changes, memoryChange{s.lastID, s.version, m})
	}
}

func (s *memory) failure() error {
	if s.down {
		return errDown
	}
	return nil
}

func (s *memory) Migrate(context.Context) (from, to int64, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.migrated++
	if s.denied {
		return 1, 1, store.ErrMayNotMigrate
	}
	return 1, 2, s.failure()
}

func (s *memory) Revision(ctx context.Context) (store.Revision, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked++
	if s.hang {
		s.mu.Unlock()
		<-ctx.Done()
		s.mu.Lock()
		return store.Revision{}, context.Cause(ctx)
	}
	rev := store.Revision{Version: s.version}
	for _, c := range s.changes {
		rev.LastChange = max(rev.LastChange, c.id)
	}
	return rev, s.failure()
}

func (s *memory) Changed(_ context.Context, since store.Revision) ([]route.Module, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var mods []route.Module
	for _, c := range s.changes {
		if (c.id > since.LastChange || c.version > since.Version) && !slices.Contains(mods, c.module) {
			mods = append(mods, c.module)
		}
	}
	return mods, s.failure()
}

func (s *memory) ReadRoutes(ctx context.Context, fn func(store.RouteRow) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.readAll++
	if s.slow == nil {
		return s.read(func(route.Module) bool { return true }, fn)
	}
	rows, slow := slices.Clone(s.rows), s.slow
	s.mu.Unlock()
	defer s.mu.Lock()
	select {
	case <-slow:
	case <-ctx.Done():
		return ctx.Err()
	}
	for _, r := range rows {
		if err := fn(r); err != nil {
			return err
		}
	}
	return nil
}

func (s *memory) ReadModules(_ context.Context, mods []route.Module, fn func(store.RouteRow) error) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.readSome++
	return s.read(func(m route.Module) bool { return slices.Contains(mods, m) }, fn)
}

func (s *memory) read(wanted func(route.Module) bool, fn func(store.RouteRow) error) error {
	rows := slices.Clone(s.rows)
	if f := s.onRead; f != nil {
		s.onRead = nil
		f(s) // commits after this reader has taken its view
	}
	for i, r := range rows {
		if i == len(rows)/2 && s.down {
			return errDown // a reading may break off half-way
		}
		if wanted(r.Module) {
			if err := fn(r); err != nil {
				return err
			}
		}
	}
	return s.failure()
}

func (s *memory) PruneChanges(_ context.Context, keep time.Duration) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pruneRuns++
	s.pruneKeep = keep
	return 3, s.failure()
}

// switchable is a Source that can be cut off.
type switchable struct {
	dns.Source
	down atomic.Bool
}

func (s *switchable) failure() error {
	if s.down.Load() {
		return errDown
	}
	return nil
}

func (s *switchable) Migrate(ctx context.Context) (from, to int64, err error) {
	if err := s.failure(); err != nil {
		return 0, 0, err
	}
	return s.Source.Migrate(ctx)
}

func (s *switchable) Revision(ctx context.Context) (store.Revision, error) {
	if err := s.failure(); err != nil {
		return store.Revision{}, err
	}
	return s.Source.Revision(ctx)
}
