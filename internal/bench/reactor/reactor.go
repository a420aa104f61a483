// Package reactor measures the reactor by itself: a TCP server that sends
// frames of 64 bytes back, beside one made of Go's net package, which has a
// goroutine for each connection and writes when there is nothing left to read.
//
// Both servers are processes of their own, this binary started anew, on one
// core; this process asks them from another, in turn, over as many connections
// and with as many frames under way on each. What limits is then the server,
// or, where few frames are under way, the time that the machine takes to wake a
// process up, twice for each of them.
package reactor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lars-lb/lars/internal/bench/result"
)

// Config says how to measure.
type Config struct {
	Rounds int           // of each measurement; medians are recorded
	Length time.Duration // of a round
}

// scenario is one load.
type scenario struct {
	conns  int
	window int  // frames under way on each connection
	judged bool // else it is for the curve only
}

func (s scenario) String() string {
	return fmt.Sprintf("TCP echo, %d x %d under way", s.conns, s.window)
}

var scenarios = []scenario{
	{1, 1, true}, {10, 1, false}, {50, 1, true}, {100, 1, false}, {1000, 1, true}, {5000, 1, false},
	{100, 16, true},
}

// Run measures everything and adds it to r.
func Run(ctx context.Context, cfg Config, r *result.Recorder) error {
	place := chooseCores()
	var servers [2]*server
	for i, kind := range [2]string{KindReactor, KindNet} {
		s, err := startServer(ctx, kind, place)
		if err != nil {
			return err
		}
		defer s.stop()
		servers[i] = s
	}
	var cpu [2][]result.Point
	for _, s := range scenarios {
		got, err := compare(ctx, cfg, s, place, servers, r)
		if errors.Is(err, unix.EMFILE) && !s.judged {
			continue // the curve ends where the descriptors do
		}
		if err != nil {
			return fmt.Errorf("%v: %w", s, err)
		}
		if s.judged {
			record(s, place, got, r)
		}
		if s.window == 1 {
			for i := range got {
				cpu[i] = append(cpu[i], result.Point{X: float64(s.conns), Y: got[i].cpu})
			}
		}
	}
	r.Curve(result.Curve{
		Name: "echo-connections", Title: "TCP echo: what a frame costs the server, by connections with 1 frame under way each",
		X: "connections", Y: "CPU time of a frame, µs",
		Series: []result.Series{{Name: "reactor", Points: cpu[0]}, {Name: "Go net", Points: cpu[1]}},
	})
	return nil
}

// compare asks both servers in turn, for all rounds.
func compare(ctx context.Context, cfg Config, s scenario, place cores, servers [2]*server, r *result.Recorder) (got [2]summary, err error) {
	var loads [2]*load
	for i, server := range servers {
		if loads[i], err = openLoad(server, s); err != nil {
			return got, err
		}
		defer loads[i].close()
	}
	var samples [2][]sample
	for round := range cfg.Rounds {
		r.Progress("%v, round %d of %d", s, round+1, cfg.Rounds)
		for i, l := range loads {
			one, err := l.measure(ctx, cfg.Length, place)
			if err != nil {
				return got, err
			}
			samples[i] = append(samples[i], one)
		}
	}
	return [2]summary{summarize(samples[0]), summarize(samples[1])}, nil
}

func record(s scenario, place cores, got [2]summary, r *result.Recorder) {
	const than = "Go net"
	ours, theirs := got[0], got[1]
	r.Row(result.Row{
		What: s.String(), Unit: "/s", Ours: ours.rate, Than: than, Other: theirs.rate,
		Aim: result.RatioAtLeast(1), Note: place.String(),
	})
	r.Row(result.Row{
		What: s.String() + ", p99", Unit: "µs", Ours: ours.p99, Than: than, Other: theirs.p99,
		Aim: result.RatioAtMost(1),
	})
	r.Row(result.Row{What: s.String() + ", CPU of each", Unit: "µs", Ours: ours.cpu, Than: than, Other: theirs.cpu})
	r.Latency(result.Latency{
		Name:  fmt.Sprintf("echo-%dx%d", s.conns, s.window),
		Title: s.String() + ": from send to answer", Unit: "µs",
		Of: []result.Distribution{ours.latency.distribution("reactor"), theirs.latency.distribution(than)},
	})
}

// sample is the result of one round.
type sample struct {
	rate    float64 // frames a second
	cpu     float64 // of the server for each frame, µs
	latency *histogram
}

// summary is that of all rounds: medians, and all latencies.
type summary struct {
	rate, cpu, p99 float64
	latency        *histogram
}

func summarize(samples []sample) summary {
	var rates, cpus, p99s []float64
	all := new(histogram)
	for _, s := range samples {
		rates, cpus, p99s = append(rates, s.rate), append(cpus, s.cpu), append(p99s, s.latency.quantile(0.99))
		all.addAll(s.latency)
	}
	return summary{result.Median(rates), result.Median(cpus), result.Median(p99s), all}
}
