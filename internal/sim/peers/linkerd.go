package peers

import (
	"math"
	"math/rand/v2"
	"time"
)

// The defaults of the annotations balancer.linkerd.io/failure-accrual-consecutive-*,
// Linkerd documentation, "Circuit Breaking", "Configuring Failure Accrual".
const (
	linkerdMaxFailures = 7
	linkerdMinPenalty  = time.Second
	linkerdMaxPenalty  = time.Minute
	linkerdJitter      = 0.5 // of the penalty may be added to it

	never = time.Duration(math.MaxInt64)
)

// linkerd is round robin with the circuit breaker of Linkerd 2, after its
// documentation, "Circuit Breaking", and in what that leaves open after
// consecutive_failures.rs of linkerd2-proxy.
//
// Linkerd itself spreads calls by latency (Peak EWMA and two random choices).
// Here the breaker stands alone, as the other breakers do: what a choice by
// latency adds is compared on its own, by NewP2C.
type linkerd struct {
	hosts []linkerdHost
	ready rotation // the hosts that may be picked
	due   time.Duration
	rng   *rand.Rand
}

type linkerdGate uint8

const (
	linkerdOpen      linkerdGate = iota // takes calls
	linkerdShut                         // takes none until its penalty is over
	linkerdProbation                    // takes one call; the next result decides
)

type linkerdHost struct {
	gate     linkerdGate
	failures int           // in a row
	penalty  time.Duration // without jitter
	until    time.Duration // end of the penalty
}

// NewLinkerd has Linkerd's failure accrual decide among n hosts. Its pick
// refuses when every host is shut: Linkerd answers 503 then. (It would let a
// call wait for a host for a moment first.)
func NewLinkerd(n int, seed uint64) Balancer {
	return &linkerd{
		hosts: make([]linkerdHost, n),
		ready: newRotation(n),
		due:   never,
		rng:   rand.New(rand.NewPCG(seed, 0)),
	}
}

func (l *linkerd) Pick(now time.Duration) (int, bool) {
	if now >= l.due {
		l.release(now)
	}
	host, ok := l.ready.pick()
	if ok && l.hosts[host].gate == linkerdProbation {
		l.ready.leave(host)
	}
	return host, ok
}

func (l *linkerd) Report(host int, ok bool, _, now time.Duration) {
	if now >= l.due {
		l.release(now)
	}
	h := &l.hosts[host]
	switch h.gate {
	case linkerdOpen:
		if h.failures++; ok {
			h.failures = 0
		} else if h.failures == linkerdMaxFailures {
			l.shut(host, linkerdMinPenalty, now)
		}
	case linkerdProbation:
		// Linkerd does not tell the probe's result from that of a call that
		// was under way when the gate was shut.
		if !ok {
			l.shut(host, min(2*h.penalty, linkerdMaxPenalty), now)
			return
		}
		l.ready.leave(host)
		l.ready.join(host)
		*h = linkerdHost{}
	}
}

// Out reports whether host is shut, or open to one call only.
func (l *linkerd) Out(host int) bool { return l.hosts[host].gate != linkerdOpen }

// shut bars the host for the penalty and its jitter.
func (l *linkerd) shut(host int, penalty, now time.Duration) {
	jitter := time.Duration(l.rng.Float64() * linkerdJitter * float64(penalty))
	until := now + penalty + jitter
	l.hosts[host] = linkerdHost{gate: linkerdShut, penalty: penalty, until: until}
	l.due = min(l.due, until)
	l.ready.leave(host)
}

// release puts the hosts whose penalty is over on probation.
func (l *linkerd) release(now time.Duration) {
	l.due = never
	for i := range l.hosts {
		switch h := &l.hosts[i]; {
		case h.gate != linkerdShut:
		case now >= h.until:
			h.gate = linkerdProbation
			l.ready.join(i)
		default:
			l.due = min(l.due, h.until)
		}
	}
}
