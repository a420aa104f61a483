package agent

import (
	"context"
	"fmt"
	"time"

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
	var changes uint64
	var took time.Duration
	change := func() (func(), error) {
		start := time.Now()
		stop, err := o.change(modules, changesPerSecond)
		return func() {
			changes += stop()
			took += time.Since(start)
		}, err
	}
	samples, err := b.inTurn(ctx, "changing routes",
		contender{target: t, load: oneSocket(modules), during: change}, contender{target: t, load: oneSocket(modules)})
	if err != nil {
		return err
	}
	with, without := mediansOf(samples[0]), mediansOf(samples[1])
	what := fmt.Sprintf("GetHost while %d routes change a second", changesPerSecond)
	note := fmt.Sprintf("%.0f a second pushed by a stand-in for lars-dns, whose store would take processor time from the agent",
		float64(changes)/took.Seconds())
	b.Row(result.Row{What: what, Unit: "/s", Ours: with.rate, Than: "while none does", Other: without.rate, Aim: result.RatioAtLeast(0.9), Note: note})
	b.Row(result.Row{What: what + ", CPU of each", Unit: "µs", Ours: with.cpu, Than: "while none does", Other: without.cpu, Aim: result.RatioAtMost(1.1), Note: note})
	return nil
}
