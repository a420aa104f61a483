package peers

import (
	"math"
	"math/rand/v2"
	"time"
)

// The constants of Kratos, packages selector/p2c and selector/node/ewma.
const (
	p2cTau     = 600 * time.Millisecond
	p2cForce   = 3 * time.Second
	p2cZone    = 5 * time.Millisecond   // evens out the distance between zones
	p2cPenalty = 100 * time.Microsecond // replaces the root for a host without results
)

// p2c is the power of two random choices by moving averages, after Kratos. Of
// two random hosts it takes the one with the larger
//
//	success / (sqrt(latency + 5 ms) * (calls under way + 1))
//
// unless the other was not picked for three seconds: that keeps its averages
// from standing still. Left out is that Kratos raises the latency of a host
// when most calls under way have taken longer already, that it looks at the
// averages once in 5 ms only, and that it rounds success down to thousandths.
type p2c struct {
	hosts []p2cHost
	rng   *rand.Rand
}

type p2cHost struct {
	latency  float64 // moving average, ns; 0 without results
	success  float64 // moving average, 0 to 1
	inFlight int
	picked   time.Duration // when last
	reported time.Duration // when last
}

// NewP2C takes the better of two random hosts out of n. Its pick never refuses.
func NewP2C(n int, seed uint64) Balancer {
	p := &p2c{hosts: make([]p2cHost, n), rng: rand.New(rand.NewPCG(seed, 0))}
	for i := range p.hosts {
		p.hosts[i] = p2cHost{success: 1, picked: -never}
	}
	return p
}

func (p *p2c) Pick(now time.Duration) (int, bool) {
	if len(p.hosts) == 0 {
		return 0, false
	}
	host := p.choose(now)
	h := &p.hosts[host]
	h.inFlight++
	h.picked = now
	return host, true
}

func (p *p2c) choose(now time.Duration) int {
	n := len(p.hosts)
	if n == 1 {
		return 0
	}
	a, b := p.rng.IntN(n), p.rng.IntN(n-1)
	if b >= a {
		b++
	}
	if p.hosts[b].weight() > p.hosts[a].weight() {
		a, b = b, a
	}
	// The sum cannot overflow: a host that was never picked has a negative
	// time, and those of the others are in the past.
	if now > p.hosts[b].picked+p2cForce {
		return b
	}
	return a
}

func (p *p2c) Report(host int, ok bool, cost, now time.Duration) {
	h := &p.hosts[host]
	h.inFlight = max(h.inFlight-1, 0)
	// The weight of the old average falls with the time since the last result.
	w := math.Exp(-float64(now-h.reported) / float64(p2cTau))
	h.reported = now
	if h.latency == 0 {
		w = 0
	}
	h.latency = w*h.latency + (1-w)*float64(cost)
	success := 0.0
	if ok {
		success = 1
	}
	h.success = w*h.success + (1-w)*success
}

func (h *p2cHost) weight() float64 {
	load := float64(p2cPenalty)
	if h.latency > 0 {
		load = math.Sqrt(h.latency + float64(p2cZone))
	}
	return h.success / (load * float64(h.inFlight+1))
}
