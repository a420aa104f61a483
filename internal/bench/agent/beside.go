package agent

import (
	"context"
	"slices"

	"github.com/lars-lb/lars/internal/bench/result"
)

// scenario is one load, with the ratio of rates that Lars 1.0 reaches under it.
type scenario struct {
	name  string
	load  load
	lars1 float64
}

var scenarios = []scenario{
	{"GetHost, 1 socket x 32 under way", load{sockets: 1, window: 32, modules: theModule}, 0.61},
	{"GetHost, 3 ports x 32 under way", load{sockets: 3, window: 32, modules: theModule}, 0.62},
	{"GetHost+Report, 1 socket x 32 under way", load{sockets: 1, window: 32, modules: theModule, reports: true}, 0.28},
}

// shipped is the note of what was measured with the settings of the shipped
// configuration.
const shipped = "policy adaptive, as shipped"

// apart is shipped, with each on a processor of its own.
const apart = shipped + "; each on a processor of its own"

// besideResponder measures the agent and the responder under the same loads.
func (b *bench) besideResponder(ctx context.Context) error {
	agent, err := startSuite(ctx, b.Bin, adaptive)
	if err != nil {
		return err
	}
	defer agent.stop()
	before, err := rssOf(agent.pid)
	if err != nil {
		return err
	}
	for _, s := range scenarios {
		samples, err := b.inTurn(ctx, s.name, contender{target: agent, load: s.load}, contender{target: b.responder, load: s.load})
		if err != nil {
			return err
		}
		ours, theirs := mediansOf(samples[0]), mediansOf(samples[1])
		b.Row(result.Row{
			What: s.name, Unit: "/s", Ours: ours.rate, Than: b.than, Other: theirs.rate,
			Aim: result.RatioAtLeast(0.9), Lars1: s.lars1, Note: shipped,
		})
		b.Row(result.Row{
			What: s.name + ", CPU of each", Unit: "µs", Ours: ours.cpu, Than: b.than, Other: theirs.cpu,
			Aim: result.RatioAtMost(1.11), Note: shipped,
		})
		b.Row(result.Row{What: s.name + ", lost", Ours: float64(ours.lost), Aim: result.ValueAtMost(0)})
	}
	if err := b.latencies(ctx, agent); err != nil {
		return err
	}
	after, err := rssOf(agent.pid)
	if err != nil {
		return err
	}
	b.Row(result.Row{
		What: "RSS after these loads", Unit: "MB", Ours: after, Than: "before", Other: before,
		Aim: result.RatioAtMost(1.25),
	})
	dropped, err := agent.dropped(ctx)
	if err != nil {
		return err
	}
	b.Row(result.Row{What: "dropped by the kernel under these loads", Ours: float64(dropped), Aim: result.ValueAtMost(0)})
	if err := b.overload(ctx, agent); err != nil {
		return err
	}
	b.Latency(result.Latency{
		Name: "gethost-latency", Title: "From GetHost to its answer", Unit: "µs", Of: b.distributions,
	})
	return nil
}

// latencies measures how long answers take with one request under way, where
// two wake-ups are nearly all of it, and with 32.
func (b *bench) latencies(ctx context.Context, agent *target) error {
	one := load{sockets: 1, window: 1, modules: theModule, times: true}
	// On one processor a wake-up is a third of what it is from one to another,
	// and it is chance which the scheduler chooses: so it is chosen here.
	each, all, err := twoProcessors()
	if err != nil {
		return err
	}
	if each != nil {
		one.on = &each[1]
		for _, t := range []*target{agent, b.responder} {
			if err := pin(t.pid, &each[0]); err != nil {
				return err
			}
		}
	}
	many := load{sockets: 1, window: 32, modules: theModule, times: true}
	samples, err := b.inTurn(ctx, "latency, 1 under way", contender{target: agent, load: one}, contender{target: b.responder, load: one})
	if err != nil {
		return err
	}
	if each != nil {
		for _, t := range []*target{agent, b.responder} {
			if err := pin(t.pid, all); err != nil {
				return err
			}
		}
	}
	ours, theirs := mediansOf(samples[0]), mediansOf(samples[1])
	b.distributions = append(b.distributions,
		result.DistributionOf("Lars, 1 under way", ours.times), result.DistributionOf("responder, 1 under way", theirs.times))
	b.Row(result.Row{
		What: "GetHost, 1 under way, p50", Unit: "µs", Ours: medianTime(samples[0]), Than: b.than, Other: medianTime(samples[1]),
		Aim: result.RatioAtMost(1.05), Note: apart,
	})
	b.Row(result.Row{
		What: "GetHost, 1 under way, CPU of each", Unit: "µs", Ours: ours.cpu, Than: b.than, Other: theirs.cpu,
		Aim: result.RatioAtMost(1.1), Note: apart,
	})
	samples, err = b.inTurn(ctx, "latency, 32 under way", contender{target: agent, load: many}, contender{target: b.responder, load: many})
	if err != nil {
		return err
	}
	b.distributions = append(b.distributions,
		result.DistributionOf("Lars, 32 under way", mediansOf(samples[0]).times),
		result.DistributionOf("responder, 32 under way", mediansOf(samples[1]).times))
	return nil
}

// medianTime is the median of the rounds' median times.
func medianTime(samples []sample) float64 {
	var medians []float64
	for _, s := range samples {
		medians = append(medians, result.Median(slices.Clone(s.times)))
	}
	return result.Median(medians)
}
