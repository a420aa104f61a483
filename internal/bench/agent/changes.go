package agent

import (
	"context"
	"fmt"

	"github.com/lars-lb/lars/internal/bench/result"
)

// changesPerSecond is how many routes change in a second.
const changesPerSecond = 1000

// changingRoutes measures an agent while routes change and while they do not.
func (b *bench) changingRoutes(ctx context.Context) error {
	modules := modulesOf(changesPerSecond, usualHosts)
	t, o, err := startFed(ctx, b.Bin, adaptive, modules)
	if err != nil {
		return err
	}
	defer t.stop()
	var quiet, changing []sample
	for round := range b.Rounds {
		b.Progress("changing routes, round %d of %d", round+1, b.Rounds)
		s, err := measure(ctx, t, oneSocket(modules), b.Length)
		if err != nil {
			return err
		}
		quiet = append(quiet, s)
		stop, err := o.change(modules, changesPerSecond)
		if err != nil {
			return err
		}
		s, err = measure(ctx, t, oneSocket(modules), b.Length)
		stop()
		if err != nil {
			return err
		}
		changing = append(changing, s)
	}
	with, without := medians(changing), medians(quiet)
	what := fmt.Sprintf("GetHost while %d routes change a second", changesPerSecond)
	const note = "pushed by a stand-in for lars-dns, whose store would take processor time from the agent"
	b.Row(result.Row{What: what, Unit: "/s", Ours: with.rate, Than: "while none does", Other: without.rate, Aim: result.RatioAtLeast(0.9), Note: note})
	b.Row(result.Row{What: what + ", CPU of each", Unit: "µs", Ours: with.cpu, Than: "while none does", Other: without.cpu, Aim: result.RatioAtMost(1.1), Note: note})
	return nil
}
