package chaos

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lars-lb/lars/internal/chaos/history"
	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/store"
)

const (
	// steadyModules have routes that never change, changingModules such that
	// do. The latter always have their first host, and half of their others.
	steadyModules, changingModules = 4, 12
	steadyHosts, changingHosts     = 3, 7
	// writeTimeout bounds one change, while the database may be frozen.
	writeTimeout = 2 * time.Second
)

// editor changes routes in the database as an operator does. It is the only one
// who does, and goes there without a relay.
type editor struct {
	store    *store.Store
	recorder *history.Recorder
	random   *rand.Rand
	routes   map[route.Module][]route.Host // as they are meant to be
	unsure   map[route.Module]bool         // changed by a write that met an error
	modules  []route.Module

	changes atomic.Uint64
	errors  atomic.Uint64
	running sync.WaitGroup
}

// newEditor writes the first routes.
func newEditor(ctx context.Context, st *store.Store, r *history.Recorder, seed uint64) (*editor, error) {
	e := &editor{
		store: st, recorder: r, random: rand.New(rand.NewPCG(seed, 2)),
		routes: make(map[route.Module][]route.Host), unsure: make(map[route.Module]bool),
	}
	for i := range steadyModules + changingModules {
		m := route.Module{ModID: int32(i + 1), CmdID: 1}
		e.modules = append(e.modules, m)
		e.routes[m] = e.hosts(m)
		e.unsure[m] = true
	}
	return e, e.write(ctx)
}

func changes(m route.Module) bool { return m.ModID > steadyModules }

// hosts is a route of a module, by chance if it changes.
func (e *editor) hosts(m route.Module) []route.Host {
	var hosts []route.Host
	n := steadyHosts
	if changes(m) {
		n = changingHosts
	}
	for i := range n {
		if i == 0 || !changes(m) || e.random.IntN(2) == 0 {
			hosts = append(hosts, route.Host{IP: 10<<24 | uint32(m.ModID)<<8 | uint32(i+1), Port: 8000})
		}
	}
	return hosts
}

// start changes routes, rate a second, until ctx is done.
func (e *editor) start(ctx context.Context, rate int) {
	e.running.Go(func() {
		turn := time.NewTicker(time.Second / time.Duration(rate))
		defer turn.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-turn.C:
			}
			m := e.modules[steadyModules+e.random.IntN(changingModules)]
			e.routes[m] = e.hosts(m)
			e.unsure[m] = true
			_ = e.write(ctx) // noted, and written again with the next
		}
	})
}

// changeAll gives each module that changes a route that it has not.
func (e *editor) changeAll(ctx context.Context) error {
	for _, m := range e.modules[steadyModules:] {
		for had := e.routes[m]; slices.Equal(had, e.routes[m]); {
			e.routes[m] = e.hosts(m)
		}
		e.unsure[m] = true
	}
	return e.write(ctx)
}

// write makes the database what the routes are meant to be, and records what
// has changed by that, or may have.
func (e *editor) write(ctx context.Context) error {
	var entries []store.Entry
	for _, m := range e.modules {
		for _, h := range e.routes[m] {
			entries = append(entries, store.Entry{Module: m, Host: h})
		}
	}
	before := e.recorder.Now()
	// A write is ended by its own time alone, so that the last one is not
	// unsure only because nobody waited for it.
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeTimeout)
	defer cancel()
	_, err := e.store.ReplaceRoutes(limited, entries)
	after := e.recorder.Now()
	for m := range e.unsure {
		e.recorder.Version(history.Version{Module: m, Hosts: e.routes[m], Before: before, After: after, Unsure: err != nil})
	}
	if err != nil {
		e.errors.Add(1)
		return fmt.Errorf("change routes: %w", err)
	}
	e.changes.Add(1)
	clear(e.unsure)
	return nil
}

// finish waits for the last change and makes sure that none is in doubt.
func (e *editor) finish(ctx context.Context) error {
	e.running.Wait()
	return e.write(ctx)
}
