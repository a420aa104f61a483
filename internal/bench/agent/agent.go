// Package agent measures lars-lb-agent over UDP: how many requests a second it
// answers, what each costs in processor time, how long it takes, and what
// becomes of that with many modules, many hosts, routes that change and more
// requests than it can answer. Beside it stands a canned responder that takes
// and answers datagrams in batches and does nothing else, which is about the
// most that any program can do with these sockets.
//
// The agent and the responder are processes of their own, asked by this one
// with the same load, in turn, for several rounds. The responder is written in
// C when there is a C compiler, else it is a Go program.
//
// Whoever asks is one thread with a socket for each port, which sends and takes
// batches, too. It needs about as much time as the agent, so a rate is not only
// the agent's: what an answer costs the agent is told by its processor time.
package agent

import (
	"context"
	"fmt"
	"time"

	"github.com/lars-lb/lars/internal/bench/result"
	"github.com/lars-lb/lars/internal/route"
)

// Config says how to measure.
type Config struct {
	Bin    string        // the folder with the daemons
	Rounds int           // of each measurement; medians are recorded
	Length time.Duration // of a round
}

// bench is what the measurements share.
type bench struct {
	Config
	*result.Recorder
	responder     *target
	than          string // what the responder is called
	distributions []result.Distribution
}

// Run measures everything and adds it to r.
func Run(ctx context.Context, cfg Config, r *result.Recorder) error {
	responder, language, err := startResponder(ctx)
	if err != nil {
		return err
	}
	defer responder.stop()
	b := &bench{Config: cfg, Recorder: r, responder: responder, than: "responder in " + language}
	for _, part := range []func(context.Context) error{b.besideResponder, b.manyModules, b.manyHosts, b.changingRoutes, b.policies} {
		if err := part(ctx); err != nil {
			return err
		}
	}
	return nil
}

// contender is one of several that are measured in turn.
type contender struct {
	target *target
	load   load
}

// inTurn measures several contenders, round by round, and returns the samples
// of each.
func (b *bench) inTurn(ctx context.Context, what string, all ...contender) ([][]sample, error) {
	samples := make([][]sample, len(all))
	for round := range b.Rounds {
		b.Progress("%s, round %d of %d", what, round+1, b.Rounds)
		for i := range all {
			// Whoever comes first in one round comes last in the next.
			if round%2 == 1 {
				i = len(all) - 1 - i
			}
			s, err := measure(ctx, all[i].target, all[i].load, b.Length)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", what, err)
			}
			samples[i] = append(samples[i], s)
		}
	}
	return samples, nil
}

// medians are those of each number by itself; what was lost is added up, and
// the times are those of all rounds.
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
		m.times = append(m.times, s.times...)
	}
	return m
}

// theModule is the one that lars-dns of the suite has.
var theModule = []route.Module{{ModID: 1, CmdID: 1}}
