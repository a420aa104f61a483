package peers

import (
	"math"
	"math/rand/v2"
	"time"
)

// A world says how the hosts behave. Its fault begins at time 0; the calls
// before, of its warm-up, are made but not counted.
type world struct {
	hosts  int
	rate   float64 // calls a second, with exponential gaps
	warmUp time.Duration
	length time.Duration // of the counted time
	fault  func(host int, now time.Duration) fault
}

// fault is what is wrong with a host: the zero value is a host in good health.
type fault struct {
	refuses bool    // fails at once
	hangs   bool    // fails after a second
	fails   float64 // this share of calls, in the usual time
	slow    float64 // answers take that many times as long; counted as lost
}

const (
	healthyFails = 0.0005
	usualLatency = 10 * time.Millisecond // median; log-normal
	spread       = 0.3                   // standard deviation of its logarithm
	timeout      = time.Second
)

func (f fault) good() bool { return f == fault{} }

// play draws one call: whether it succeeds, how long it takes, and whether the
// caller has lost by it.
func (f fault) play(rng *rand.Rand) (ok bool, cost time.Duration, lost bool) {
	cost = time.Duration(float64(usualLatency) * math.Exp(spread*rng.NormFloat64()))
	ok = rng.Float64() >= max(f.fails, healthyFails)
	switch {
	case f.refuses:
		ok, cost = false, time.Duration(rng.Int64N(int64(time.Millisecond)))
	case f.hangs:
		ok, cost = false, timeout
	case f.slow > 0:
		cost = time.Duration(float64(cost) * f.slow)
	}
	return ok, cost, !ok || f.slow > 0
}

type outcome struct{ calls, lost, refused int }

// run lets b decide about the calls of w. Equal seeds give equal outcomes, and
// arrivals do not depend on the decisions.
func (w *world) run(b Balancer, seed uint64) outcome {
	arrivals := rand.New(rand.NewPCG(seed, 1))
	results := rand.New(rand.NewPCG(seed, 2))
	var under completions
	var sum outcome
	for t := time.Duration(0); ; {
		t += time.Duration(arrivals.ExpFloat64() / w.rate * float64(time.Second))
		for len(under) > 0 && under[0].at <= t {
			c := under.pop()
			b.Report(c.host, c.ok, c.cost, c.at)
		}
		now := t - w.warmUp
		if now >= w.length {
			return sum
		}
		host, ok := b.Pick(t)
		lost := !ok
		if ok {
			var f fault
			if now >= 0 {
				f = w.fault(host, now)
			}
			var c completion
			c.ok, c.cost, lost = f.play(results)
			c.at, c.host = t+c.cost, host
			under.push(c)
		}
		if now >= 0 {
			sum.calls++
			if lost {
				sum.lost++
			}
			if !ok {
				sum.refused++
			}
		}
	}
}

// good is the truth that the oracle knows.
func (w *world) good(host int, t time.Duration) bool {
	return t < w.warmUp || w.fault(host, t-w.warmUp).good()
}

type completion struct {
	at   time.Duration
	host int
	ok   bool
	cost time.Duration
}

// completions is a binary heap, the earliest first.
type completions []completion

func (h *completions) push(c completion) {
	s := append(*h, c)
	i := len(s) - 1
	for i > 0 && s[(i-1)/2].at > c.at {
		s[i] = s[(i-1)/2]
		i = (i - 1) / 2
	}
	s[i] = c
	*h = s
}

func (h *completions) pop() completion {
	s := *h
	top, last := s[0], s[len(s)-1]
	s = s[:len(s)-1]
	for i := 0; len(s) > 0; {
		child := 2*i + 1
		if child+1 < len(s) && s[child+1].at < s[child].at {
			child++
		}
		if child >= len(s) || last.at <= s[child].at {
			s[i] = last
			break
		}
		s[i] = s[child]
		i = child
	}
	*h = s
	return top
}

// first has the same fault in the first k hosts from the beginning.
func first(k int, f fault) func(int, time.Duration) fault {
	return func(host int, _ time.Duration) fault {
		if host < k {
			return f
		}
		return fault{}
	}
}
