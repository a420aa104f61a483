package dns

import (
	"context"
	"fmt"
	"slices"

	"github.com/lars-lb/lars/internal/bench/result"
	"github.com/lars-lb/lars/internal/route"
)

// subscriptions is how many modules each of very many agents holds.
const subscriptions = 10

// measureAgents measures what more and more agents cost, how soon a change
// reaches all of them, and how soon all are back after a restart.
func (b *bench) measureAgents(ctx context.Context, d *database, p **daemon, saved string) error {
	// A fresh process, with the largest crowd first: memory that another crowd
	// has left behind would be used once more.
	(*p).stop()
	fresh, err := b.start(ctx, d, saved, defaultPoll)
	if err != nil {
		return err
	}
	*p = fresh
	if err := b.settled(ctx, fresh); err != nil {
		return err
	}
	var pushes []result.Point
	for _, share := range []int{1, 10, 100, 1000} {
		n := max(1, b.Agents/share)
		b.Progress("%d agents", n)
		before, _ := (*p).memory()
		disperse, _, err := b.gather(ctx, *p, order{Open: n, Common: []route.Module{module(0)}, Own: subscriptions - 1, Modules: d.modules})
		if err != nil {
			return err
		}
		after, _ := (*p).memory()
		p99, err := b.pushAll(ctx, d)
		if err == nil && n == b.Agents {
			b.Row(result.Row{What: fmt.Sprintf("memory for %d agents with %d modules each", n, subscriptions), Unit: "MB", Ours: after - before, Aim: result.ValueAtMost(300)})
			b.Row(result.Row{What: fmt.Sprintf("a change reaches %d agents, 99%% of them", n), Unit: "ms", Ours: p99, Aim: result.ValueAtMost(300)})
			err = b.measureReturn(ctx, d, p, saved, n)
		}
		disperse()
		if err != nil {
			return err
		}
		pushes = append(pushes, result.Point{X: float64(n), Y: p99})
	}
	slices.Reverse(pushes)
	b.Curve(result.Curve{Name: "dns-push", Title: "A change reaches 99% of the agents, polling each 100 ms", X: "agents", Y: "ms",
		Series: []result.Series{{Name: "lars-dns", Points: pushes}}})
	return nil
}

// pushAll changes the module that all hold, and returns the median of rounds of
// the time in which 99% of them have it.
func (b *bench) pushAll(ctx context.Context, d *database) (float64, error) {
	var p99 []float64
	for range b.Rounds {
		ms, err := b.changeOnce(ctx, d, []route.Module{module(0)})
		if err != nil {
			return 0, err
		}
		slices.Sort(ms)
		p99 = append(p99, ms[min(len(ms)-1, len(ms)*99/100)])
	}
	return result.Median(p99), nil
}

// measureReturn kills lars-dns and starts it again.
func (b *bench) measureReturn(ctx context.Context, d *database, p **daemon, saved string, n int) error {
	b.Progress("%d agents come back", n)
	if _, err := b.crowd.do(order{Forget: true}); err != nil {
		return err
	}
	(*p).stop()
	next, err := startDaemon(ctx, b.Bin, b.dir, d, b.port, saved, defaultPoll)
	if err != nil {
		return err
	}
	*p = next
	answers := 0
	r, err := b.crowd.do(order{Wait: &answers})
	if err != nil {
		return err
	}
	took := float64(slices.Max(r.Times)-next.began.UnixNano()) / 1e9
	b.Row(result.Row{What: fmt.Sprintf("%d agents are back after a restart", n), Unit: "s", Ours: took, Aim: result.ValueAtMost(10)})
	b.Row(result.Row{What: "of them, those whose connect timed out twice", Ours: float64(r.TimedOutTwice), Aim: result.ValueAtMost(0)})
	return nil
}
