package sim

import (
	"math"
	"math/rand/v2"
	"time"
)

// Mode is how a host treats connections.
type Mode uint8

// The modes.
const (
	Up       Mode = iota
	Refusing      // connections are refused at once
	Hanging       // nothing comes back, not even to a connection attempt
	Frozen        // connections are accepted, calls are never answered
)

// State is what a host is like at one time. The zero State is a host that is
// well.
type State struct {
	Mode Mode
	Fail float64 // share of calls that fail, beyond what is natural; 0 to 1
	Slow float64 // how many times as long as usual calls take; 0 is once
}

// well reports whether the host is as it should be.
func (s State) well() bool { return s == State{} }

// Good reports whether a call may succeed.
func (s State) Good() bool { return s.Mode == Up && s.Fail < 1 }

const (
	// usual is the median time of a good call.
	usual = 10 * time.Millisecond
	// spread is the standard deviation of its logarithm.
	spread = 0.3
	// TooSlow is when a call counts as lost where slowness is the fault: three
	// times what is usual and 5 ms.
	TooSlow = 3*usual + 5*time.Millisecond
	// refusal is how long a refused connection takes, and one that is accepted.
	refusal = 300 * time.Microsecond
	// checkTimeout is how long an agent waits for a TCP connection.
	checkTimeout = time.Second
)

// dice are the random numbers of one call. They are drawn for every call in
// turn, whatever the algorithm did, so that all algorithms meet the same luck.
type dice struct {
	fails, normal, kind float64
}

func roll(r *rand.Rand) dice {
	return dice{r.Float64(), r.NormFloat64(), r.Float64()}
}

// outcome is how a call to a host in state st goes that waits so long for the
// calls before it.
func (s *Scenario) outcome(st State, d dice, queue time.Duration) (ok bool, cost time.Duration) {
	switch st.Mode {
	case Refusing:
		return false, refusal
	case Hanging, Frozen:
		return false, s.Timeout
	}
	ok, took := s.answer(st, d)
	if cost = queue + took; cost >= s.Timeout {
		return false, s.Timeout
	}
	return ok, cost
}

// Answer is what a host in state st, which is Up, makes of a call, and how long
// it takes.
func (s *Scenario) Answer(st State, r *rand.Rand) (ok bool, took time.Duration) {
	return s.answer(st, roll(r))
}

func (s *Scenario) answer(st State, d dice) (ok bool, took time.Duration) {
	median := float64(usual)
	if s.Bimodal && d.kind < bimodalShare {
		median *= bimodalFactor
	}
	if st.Slow > 0 {
		median *= st.Slow
	}
	return d.fails >= st.Fail+s.natural(), time.Duration(median * math.Exp(spread*d.normal))
}

const (
	// Where latency is bimodal by nature, this share of calls takes so many
	// times as long: cache misses.
	bimodalShare  = 0.15
	bimodalFactor = 8
	// naturalFail is the share of calls that fail at a host that is well.
	naturalFail = 0.0005
)

func (s *Scenario) natural() float64 {
	if s.Natural > 0 {
		return s.Natural
	}
	return naturalFail
}
