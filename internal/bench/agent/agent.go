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
	during func() (stop func(), err error) // begins what goes on meanwhile; nil for nothing
}

// turns is into how many a round is cut. The contenders take them in turn, so
// that whatever else the machine does meets all alike.
const turns = 5

// inTurn measures several contenders, round by round, and returns the samples
// of each.
func (b *bench) inTurn(ctx context.Context, what string, all ...contender) ([][]sample, error) {
	samples := make([][]sample, len(all))
	for round := range b.Rounds {
		b.Progress("%s, round %d of %d", what, round+1, b.Rounds)
		parts := make([][]sample, len(all))
		for turn := range turns {
			for i := range all {
				// Whoever comes first in one turn comes last in the next.
				if turn%2 == 1 {
					i = len(all) - 1 - i
				}
				s, err := all[i].measure(ctx, b.Length/turns)
				if err != nil {
					return nil, fmt.Errorf("%s: %w", what, err)
				}
				parts[i] = append(parts[i], s)
			}
		}
		for i := range all {
			samples[i] = append(samples[i], whole(parts[i]))
		}
	}
	return samples, nil
}

func (c *contender) measure(ctx context.Context, length time.Duration) (sample, error) {
	if c.during != nil {
		stop, err := c.during()
		if err != nil {
			return sample{}, err
		}
		defer stop()
	}
	return measure(ctx, c.target, c.load, length)
}

// whole is the sample of a round that was cut into turns.
func whole(parts []sample) (s sample) {
	for _, p := range parts {
		s.took += p.took
		s.used += p.used
		s.answers += p.answers
		s.lost += p.lost
		s.times = append(s.times, p.times...)
	}
	return s
}

// medians are those of the rates and of the processor times, by themselves;
// what was lost is added up, and the times are those of all rounds.
type medians struct {
	rate  float64 // answers a second
	cpu   float64 // of the target for each answer, µs
	lost  uint64
	times []float64 // µs
}

func mediansOf(samples []sample) (m medians) {
	var rates, cpus []float64
	for _, s := range samples {
		rates = append(rates, s.rate())
		cpus = append(cpus, s.cpu())
		m.lost += s.lost
		m.times = append(m.times, s.times...)
	}
	m.rate, m.cpu = result.Median(rates), result.Median(cpus)
	return m
}

// theModule is the one that lars-dns of the suite has.
var theModule = []route.Module{{ModID: 1, CmdID: 1}}
