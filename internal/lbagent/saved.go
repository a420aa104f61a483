package lbagent

import (
	"context"
	"iter"
	"log/slog"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/snapshot"
)

const (
	// owner is how an agent signs its file of routes.
	owner = "lars-lb-agent"
	// lookEvery is the time between two looks at whether the routes are good,
	// and the most by which the file says too early a time for that.
	lookEvery = time.Second
	// saveAgain is the age at which a file of routes that are still the same is
	// written again, so that it does not seem old after a crash.
	saveAgain = 10 * time.Minute
	// maxAge bounds the age of a file, as clocks may be wrong.
	maxAge = 100 * 365 * 24 * time.Hour
	// saveBatch is how many hosts, or one module more, are copied while a
	// RouteLB's mutex is held: some 20 us.
	saveBatch = 256
)

// keeper keeps the routes in a file.
//
// The file tells the time for which its routes were good: when the agent was
// connected to lars-dns last, with no route left that came from a file. So it
// gets no younger by being written while lars-dns is away, nor by restarts.
type keeper struct {
	path   string
	saver  *snapshot.Saver
	shards *[route.Shards]*RouteLB
	log    *slog.Logger
	away   func() (d time.Duration, down bool) // from lars-dns
	again  time.Duration                       // saveAgain, or less for a short SnapshotMaxAge

	restored snapshot.Info // what is used of the file
	age      time.Duration // of that, at the start
	told     atomic.Bool   // that lars-dns serves from its file
	goodAt   atomic.Int64  // when all routes were good, Unix time, ms

	// Of the goroutine of run.
	doubtSince time.Time // when a route from a file was seen first; zero: there is none
	savedAt    time.Time // when the file was good last, and to be saved
}

func newKeeper(cfg *Config, shards *[route.Shards]*RouteLB, away func() (time.Duration, bool), log *slog.Logger) *keeper {
	k := &keeper{path: cfg.Snapshot, shards: shards, log: log, away: away, again: saveAgain}
	if cfg.SnapshotMaxAge > 0 {
		k.again = min(saveAgain, max(cfg.SnapshotMaxAge/4, snapshot.DefaultInterval))
	}
	k.goodAt.Store(time.Now().UnixMilli())
	k.saver = snapshot.NewSaver(snapshot.SaverConfig{
		Path: cfg.Snapshot, Owner: owner, Log: log,
		AsOf: func() time.Time { return time.UnixMilli(k.goodAt.Load()) },
	}, k.collect)
	return k
}

// load fills the RouteLBs, of which nobody else knows yet, from the file. If
// that is not to be used, empty ones take their place.
func (k *keeper) load(cfg *Config, now time.Duration, empty func() *RouteLB) {
	leftOut := 0
	info, ok := snapshot.Load(cfg.Snapshot, owner, k.log, func(m route.Module, nodes []route.Node) {
		if k.shards[m.Shard()].Restore(m, nodes, now) {
			k.restored.Modules++
			k.restored.Hosts += len(nodes)
		} else {
			leftOut++
		}
	})
	wall := time.Now()
	age := min(max(0, wall.Sub(info.SavedAt)), maxAge)
	if most := cfg.SnapshotMaxAge; ok && most > 0 && age > most {
		k.log.Warn("the saved routes are too old to be used", "path", cfg.Snapshot, "age", age.Round(time.Second), "max_age", most)
		ok = false
	}
	if !ok {
		k.restored = snapshot.Info{}
		for i := range k.shards {
			k.shards[i] = empty()
		}
		return
	}
	if leftOut > 0 {
		k.log.Warn("there are more saved routes than an agent keeps", "path", cfg.Snapshot, "left_out", leftOut, "kept", k.restored.Modules)
	}
	k.age, k.restored.Head = age, info.Head
	for _, r := range k.shards {
		r.RestoredAt(now - age)
	}
	if k.restored.Modules > 0 {
		k.goodAt.Store(wall.Add(-age).UnixMilli())
		k.doubtSince = wall
	}
}

// tellRestored logs what was loaded.
func (k *keeper) tellRestored() {
	if k.restored.Modules > 0 {
		k.log.Info("serving from the snapshot", "path", k.path, "age", k.age.Round(time.Second),
			"modules", k.restored.Modules, "hosts", k.restored.Hosts)
	}
}

// changed learns of a route that differs from the one before. Any goroutine may
// call it.
func (k *keeper) changed(fromFile bool) {
	if fromFile && !k.told.Swap(true) {
		k.log.Warn("lars-dns does not reach its database: using routes of its file")
	}
	k.saver.Changed()
}

// run saves what changes until ctx is done, and then once more.
func (k *keeper) run(ctx context.Context) {
	saving, stop := context.WithCancel(context.WithoutCancel(ctx))
	var saver sync.WaitGroup
	saver.Go(func() { k.saver.Run(saving) })
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for ctx.Err() == nil {
		select {
		case <-tick.C:
			k.look(time.Now(), k.again)
		case <-ctx.Done():
			k.look(time.Now(), 0)
		}
	}
	stop()
	saver.Wait()
}

// look notes whether all routes are good, and has them saved if they were not
// before, or were saved as long ago as again.
func (k *keeper) look(now time.Time, again time.Duration) {
	modules, unsure := 0, 0
	for _, r := range k.shards {
		s := r.Stats()
		modules += s.Modules
		unsure += s.Unsure
	}
	if unsure > 0 && k.doubtSince.IsZero() {
		k.doubtSince = now
	}
	if _, down := k.away(); down || unsure > 0 {
		return
	}
	k.goodAt.Store(now.UnixMilli())
	if !k.doubtSince.IsZero() {
		k.log.Info("all routes are current again", "modules", modules, "after", now.Sub(k.doubtSince).Round(time.Millisecond))
		k.doubtSince = time.Time{}
		k.told.Store(false)
	} else if modules == 0 || now.Sub(k.savedAt) < again {
		return
	}
	k.savedAt = now
	k.saver.Changed()
}

// collect gives the routes as they are while it goes on.
func (k *keeper) collect() (version int64, routes iter.Seq2[route.Module, []route.Node]) {
	return 0, func(yield func(route.Module, []route.Node) bool) {
		var ids []route.Module
		var nodes []route.Node
		var ends []int
		for _, r := range k.shards {
			ids = r.Modules(ids[:0])
			for left := ids; len(left) > 0; left = left[len(ends):] {
				nodes, ends = r.routesOf(left, nodes[:0], ends[:0])
				runtime.Gosched() // to whoever waits for the RouteLB
				from := 0
				for i, end := range ends {
					if !yield(left[i], nodes[from:end]) {
						return
					}
					from = end
				}
			}
		}
	}
}

// routesOf appends the hosts of the first modules of ids to nodes, and to ends
// where those of each end. One that has lost its hosts meanwhile has none.
func (r *RouteLB) routesOf(ids []route.Module, nodes []route.Node, ends []int) ([]route.Node, []int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for i, id := range ids {
		if i == saveBatch || len(nodes) >= saveBatch {
			break
		}
		if m := r.modules.get(id); m != nil {
			nodes = m.lb.Nodes(nodes)
		}
		ends = append(ends, len(nodes))
	}
	return nodes, ends
}
