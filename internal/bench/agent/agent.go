// Package agent measures lars-lb-agent over UDP: how many requests a second it
// answers, and what each costs in CPU time, beside a canned responder that
// takes and answers datagrams in batches and does nothing else, which is about
// the most that any program can do with these sockets.
//
// The agent and the responder are processes of their own, asked by this one
// with the same load, in turn, for several rounds. The responder is written in
// C when there is a C compiler, else it is a Go program.
package agent

import (
	"context"
	"time"

	"github.com/lars-lb/lars/internal/bench/result"
)

// Config says how to measure.
type Config struct {
	Bin    string        // the folder with the daemons
	Rounds int           // of each measurement; medians are recorded
	Length time.Duration // of a round
}

// scenario is one load, with the ratio that Lars 1.0 reaches under it.
type scenario struct {
	name    string
	sockets int
	window  int // requests under way on each socket
	reports bool
	lars1   float64
}

var scenarios = []scenario{
	{"GetHost, 1 socket x 32 under way", 1, 32, false, 0.61},
	{"GetHost, 3 ports x 32 under way", 3, 32, false, 0.62},
	{"GetHost+Report, 1 socket x 32 under way", 1, 32, true, 0.28},
}

// Run measures everything and adds it to r.
func Run(ctx context.Context, cfg Config, r *result.Recorder) error {
	responder, language, err := startResponder(ctx)
	if err != nil {
		return err
	}
	defer responder.stop()
	agent, err := startAgent(ctx, cfg.Bin)
	if err != nil {
		return err
	}
	defer agent.stop()
	for _, s := range scenarios {
		var ours, theirs []sample
		for round := range cfg.Rounds {
			r.Progress("%s, round %d of %d", s.name, round+1, cfg.Rounds)
			for _, m := range []struct {
				target *target
				into   *[]sample
			}{{responder, &theirs}, {agent, &ours}} {
				got, err := measure(ctx, m.target, s, cfg.Length)
				if err != nil {
					return err
				}
				*m.into = append(*m.into, got)
			}
		}
		a, c := medians(ours), medians(theirs)
		than := "responder in " + language
		r.Row(result.Row{
			What: s.name, Unit: "/s", Ours: a.rate, Than: than, Other: c.rate,
			Aim: result.RatioAtLeast(0.9), Lars1: s.lars1,
		})
		r.Row(result.Row{What: s.name + ", CPU of each", Unit: "µs", Ours: a.cpu, Than: than, Other: c.cpu})
		r.Row(result.Row{What: s.name + ", lost", Ours: float64(a.lost), Aim: result.ValueAtMost(0)})
	}
	return nil
}

// sample is the result of one round.
type sample struct {
	rate float64 // answers a second
	cpu  float64 // of the target for each answer, µs
	lost uint64  // requests that were not answered
}

// medians are those of each number by itself; what was lost is added up.
func medians(samples []sample) sample {
	median := func(of func(sample) float64) float64 {
		values := make([]float64, len(samples))
		for i, s := range samples {
			values[i] = of(s)
		}
		return result.Median(values)
	}
	m := sample{
		rate: median(func(s sample) float64 { return s.rate }),
		cpu:  median(func(s sample) float64 { return s.cpu }),
	}
	for _, s := range samples {
		m.lost += s.lost
	}
	return m
}
