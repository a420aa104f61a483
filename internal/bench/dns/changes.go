package dns

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/lars-lb/lars/internal/bench/result"
	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/store"
)

// change changes the route of module 0, which all of the crowd have, n times,
// with a random time of up to gap between, and returns for each the time from the
// COMMIT to the last connection, in ms.
func (b *bench) change(ctx context.Context, d *database, n int, gap time.Duration) ([]float64, error) {
	var all []float64
	for range n {
		at, err := b.changeOnce(ctx, d, []route.Module{module(0)})
		if err != nil {
			return nil, err
		}
		all = append(all, slices.Max(at))
		if gap > 0 {
			if err := pause(ctx, rand.N(gap)); err != nil {
				return nil, err
			}
		}
	}
	return all, nil
}

// changeOnce gives modules another host, or takes it again, and returns when each
// connection had all their routes, in ms since the COMMIT.
func (b *bench) changeOnce(ctx context.Context, d *database, mods []route.Module) ([]float64, error) {
	if _, err := b.crowd.do(order{Forget: true}); err != nil {
		return nil, err
	}
	var entries []store.Entry
	for _, m := range mods {
		entries = append(entries, store.Entry{Module: m, Host: route.Host{IP: 11 << 24, Port: 9}})
	}
	var err error
	if d.changed = !d.changed; d.changed {
		_, err = d.store.AddHosts(ctx, entries)
	} else {
		_, err = d.store.RemoveHosts(ctx, entries)
	}
	if err != nil {
		return nil, err
	}
	committed := time.Now().UnixNano()
	pushes := len(mods)
	r, err := b.crowd.do(order{Wait: &pushes})
	var ms []float64
	for _, at := range r.Times {
		ms = append(ms, max(float64(at-committed)/1e6, 0.01))
	}
	return ms, err
}

// measureChanges measures how soon single changes reach an agent, as Lars 1.0's
// were measured.
func (b *bench) measureChanges(ctx context.Context, d *database, p *daemon) error {
	disperse, _, err := b.gather(ctx, p, order{Open: 1, Common: []route.Module{module(0)}})
	if err != nil {
		return err
	}
	defer disperse()
	b.Progress("single changes")
	ms, err := b.change(ctx, d, 40*b.Rounds, defaultPoll)
	if err != nil {
		return err
	}
	own := result.DistributionOf(fmt.Sprintf("%d rows", d.rows()), ms)
	b.Latency(result.Latency{Name: "dns-change-latency", Title: "A change reaches an agent after its COMMIT", Unit: "ms", Of: []result.Distribution{own}})
	b.Row(result.Row{What: "a change reaches an agent, median", Unit: "ms", Ours: own.P50, Aim: result.ValueAtMost(80), Lars1: 260})
	b.Row(result.Row{What: "a change reaches an agent, slowest", Unit: "ms", Ours: own.Max, Aim: result.ValueAtMost(250), Lars1: 920})
	return nil
}

// measureBurst changes 1,000 modules at once, which 1,000 agents all hold.
func (b *bench) measureBurst(ctx context.Context, d *database, p *daemon) error {
	n := min(1000, b.Agents, d.modules)
	var mods []route.Module
	for i := range n {
		mods = append(mods, module(i))
	}
	b.Progress("%d changes at once", n)
	disperse, _, err := b.gather(ctx, p, order{Open: n, Common: mods})
	if err != nil {
		return err
	}
	defer disperse()
	d.changed = false
	var slowest []float64
	for range 2 { // there, and back again
		ms, err := b.changeOnce(ctx, d, mods)
		if err != nil {
			return err
		}
		slowest = append(slowest, slices.Max(ms))
	}
	b.Row(result.Row{What: fmt.Sprintf("%d changes at once reach %d agents that hold all of them", n, n), Unit: "s",
		Ours: slices.Max(slowest) / 1000, Aim: result.ValueAtMost(1)})
	return nil
}
