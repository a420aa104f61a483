package agent

import (
	"context"

	"github.com/lars-lb/lars/internal/bench/result"
)

// policies measures what the policy adaptive costs over classic.
func (b *bench) policies(ctx context.Context) error {
	l := oneSocket(modulesOf(1, usualHosts))
	l.reports = true
	var all []contender
	for _, policy := range []string{adaptive, classic} {
		t, _, err := startFed(ctx, b.Bin, policy, l.modules)
		if err != nil {
			return err
		}
		defer t.stop()
		all = append(all, contender{target: t, load: l})
	}
	const what = "GetHost+Report with policy adaptive"
	samples, err := b.inTurn(ctx, what, all...)
	if err != nil {
		return err
	}
	ours, theirs := mediansOf(samples[0]), mediansOf(samples[1])
	b.Row(result.Row{What: what, Unit: "/s", Ours: ours.rate, Than: "classic", Other: theirs.rate, Aim: result.RatioAtLeast(0.9)})
	b.Row(result.Row{What: what + ", CPU of each", Unit: "µs", Ours: ours.cpu, Than: "classic", Other: theirs.cpu, Aim: result.RatioAtMost(1.1)})
	return nil
}
