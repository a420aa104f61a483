package reporter_test

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/store"
)

type rowKey struct {
	module route.Module
	host   route.Host
	caller uint32
}

// fakeStore keeps statuses in memory and can be made to fail or to wait.
type fakeStore struct {
	mu      sync.Mutex
	denied  bool  // Migrate is not allowed
	down    error // what every call returns, if not nil
	rows    map[rowKey]store.Status
	saving  map[rowKey]bool // keys of the calls under way
	overlap bool            // whether a key was in two calls at once
	batches []int           // sizes

	seqs map[store.Agent]uint64 // of numbered reports, the last that was saved
	gaps bool                   // whether one was passed over

	// gate, if not nil, is received from by each SaveStatuses before it does
	// anything; arrived is sent to when it is about to.
	gate    chan struct{}
	arrived chan struct{}
}

func newFakeStore() *fakeStore {
	return &fakeStore{rows: make(map[rowKey]store.Status), saving: make(map[rowKey]bool)}
}

func newGatedStore() *fakeStore {
	f := newFakeStore()
	f.gate, f.arrived = make(chan struct{}), make(chan struct{}, 1000)
	return f
}

func (f *fakeStore) set(down error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.down = down
}

func (f *fakeStore) Migrate(context.Context) (from, to int64, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.denied && f.down == nil {
		return 2, 2, store.ErrMayNotMigrate
	}
	return 0, 2, f.down
}

func (f *fakeStore) SaveStatuses(ctx context.Context, batch []store.Status) error {
	f.begin(batch)
	defer f.finish(batch)
	if f.gate != nil {
		f.arrived <- struct{}{}
		select {
		case <-f.gate:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.down != nil {
		return f.down
	}
	f.batches = append(f.batches, len(batch))
	for _, s := range batch {
		k := rowKey{s.Module, s.Host, s.Caller}
		if s.TS >= f.rows[k].TS {
			f.rows[k] = s
		}
	}
	return nil
}

func (f *fakeStore) HasHistory(context.Context) (bool, error) { return true, nil }

// SaveReports notes the reports that are saved the first time.
func (f *fakeStore) SaveReports(ctx context.Context, reports []store.Report, _ bool) (saved store.Saved, err error) {
	if f.gate != nil {
		f.arrived <- struct{}{}
		select {
		case <-f.gate:
		case <-ctx.Done():
			return saved, ctx.Err()
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.down != nil {
		return saved, f.down
	}
	if f.seqs == nil {
		f.seqs = make(map[store.Agent]uint64)
	}
	for _, r := range reports {
		if r.Seq <= f.seqs[r.Agent] {
			saved.Duplicates++
			continue
		}
		f.gaps = f.gaps || r.Seq != f.seqs[r.Agent]+1
		f.seqs[r.Agent] = r.Seq
	}
	return saved, nil
}

func (f *fakeStore) PruneHistory(context.Context, time.Duration) (int64, error) { return 0, nil }

func (f *fakeStore) PruneSequences(context.Context, time.Duration) (int64, error) { return 0, nil }

func (f *fakeStore) seq(a store.Agent) (last uint64, gaps bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.seqs[a], f.gaps
}

func (f *fakeStore) begin(batch []store.Status) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range batch {
		k := rowKey{s.Module, s.Host, s.Caller}
		f.overlap = f.overlap || f.saving[k]
		f.saving[k] = true
	}
}

func (f *fakeStore) finish(batch []store.Status) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, s := range batch {
		delete(f.saving, rowKey{s.Module, s.Host, s.Caller})
	}
}

func (f *fakeStore) row(s store.Status) store.Status {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.rows[rowKey{s.Module, s.Host, s.Caller}]
}

func (f *fakeStore) sizes() []int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.batches)
}
