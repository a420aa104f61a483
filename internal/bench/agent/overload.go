package agent

import (
	"context"
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"

	"golang.org/x/sys/unix"

	"github.com/lars-lb/lars/internal/bench/result"
)

const (
	// tooMuch is how many times what it can answer a target is sent in overload:
	// twice, and some for what it answers more than it did in the short time before.
	tooMuch = 2.5
	// neighbours is with how many that are busy a target shares its processor.
	neighbours = 2
	// flatOut is more requests a second than any generator sends.
	flatOut = 1e9
	// overloadLatency bounds how long the last percent of what is answered in
	// overload waits: nearly all of that is the wait in the receive buffer, so
	// it says how large that may be, ms.
	overloadLatency = 20
)

// overload sends the agent and the responder twice what each can answer. Each
// shares a processor with others that are busy, and whoever asks has another: with
// one to itself each could answer nearly all that one processor can ask.
func (b *bench) overload(ctx context.Context, agent *target) error {
	each, all, err := twoProcessors()
	if err != nil || each == nil {
		return err // one processor is not enough to ask more than is answered
	}
	targets := []*target{agent, b.responder}
	for _, t := range targets {
		if err := pin(t.pid, &each[0]); err != nil {
			return err
		}
		defer func() { _ = pin(t.pid, all) }()
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(neighbours + 2)) // all of them, and whoever asks
	for range neighbours {
		leave, err := neighbour(&each[0])
		if err != nil {
			return err
		}
		defer leave()
	}
	floods := make([][]flood, len(targets))
	var unexplained uint64
	for round := range b.Rounds {
		b.Progress("overload, round %d of %d", round+1, b.Rounds)
		for i, t := range targets {
			most, err := ask(ctx, t, theModule[0], flatOut, b.Length/4, &each[1])
			if err != nil {
				return err
			}
			before, err := t.dropped(ctx)
			if err != nil {
				return err
			}
			f, err := ask(ctx, t, theModule[0], tooMuch*most.rate, b.Length, &each[1])
			if err != nil {
				return err
			}
			after, err := t.dropped(ctx)
			if err != nil {
				return err
			}
			if t == agent {
				unexplained += difference(f.sent-f.answered-f.lostHere, after-before)
			}
			floods[i] = append(floods[i], f)
		}
	}
	b.rateOverload(floods[0], floods[1], unexplained)
	return nil
}

// rateOverload records what became of the agent and of the responder.
func (b *bench) rateOverload(ours, theirs []flood, unexplained uint64) {
	median := func(floods []flood, of func(*flood) float64) float64 {
		var values []float64
		for i := range floods {
			values = append(values, of(&floods[i]))
		}
		return result.Median(values)
	}
	rate := func(f *flood) float64 { return f.rate }
	p99 := func(f *flood) float64 { return result.DistributionOf("", f.times).P99 / 1e3 }
	times := median(ours, func(f *flood) float64 { return f.sentRate / f.rate })
	note := fmt.Sprintf("sent %.1f times what it answers, each shares a processor with %d that are busy", times, neighbours)
	b.Row(result.Row{What: "overload, answered", Unit: "/s", Ours: median(ours, rate), Than: b.than, Other: median(theirs, rate), Note: note})
	b.Row(result.Row{
		What: "overload, p99 of what is answered", Unit: "ms", Ours: median(ours, p99), Than: b.than, Other: median(theirs, p99),
		Aim: result.ValueAtMost(overloadLatency), Note: note,
	})
	b.Row(result.Row{
		What: "overload, not answered and not counted as dropped by the kernel", Ours: float64(unexplained),
		Aim: result.ValueAtMost(0),
	})
	var of []float64
	for _, f := range ours {
		of = append(of, f.times...)
	}
	b.distributions = append(b.distributions, result.DistributionOf("Lars, overload", of))
	of = nil
	for _, f := range theirs {
		of = append(of, f.times...)
	}
	b.distributions = append(b.distributions, result.DistributionOf("responder, overload", of))
}

// neighbour keeps a processor busy until leave is called.
func neighbour(on *unix.CPUSet) (leave func(), err error) {
	var ended atomic.Bool
	settled := make(chan error)
	var busy sync.WaitGroup
	busy.Go(func() {
		moveOut, err := stayOn(on)
		settled <- err
		if err != nil {
			return
		}
		defer moveOut()
		for !ended.Load() {
		}
	})
	err = <-settled
	return func() { ended.Store(true); busy.Wait() }, err
}

func difference(a, b uint64) uint64 { return max(a, b) - min(a, b) }

// twoProcessors are two sets of one each, and the set of all that there are;
// nil if there are fewer.
func twoProcessors() ([]unix.CPUSet, *unix.CPUSet, error) {
	var all unix.CPUSet
	if err := unix.SchedGetaffinity(0, &all); err != nil {
		return nil, nil, err
	}
	var each []unix.CPUSet
	for cpu := range 8 * len(all) * 8 {
		if all.IsSet(cpu) && len(each) < 2 {
			var one unix.CPUSet
			one.Set(cpu)
			each = append(each, one)
		}
	}
	if len(each) < 2 {
		return nil, nil, nil
	}
	return each, &all, nil
}
