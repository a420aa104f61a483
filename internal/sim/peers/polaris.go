package peers

import "time"

// The settings of the circuit breaker that Polaris applies to an instance
// without rules of its own: "default-polaris-instance-circuit-breaker" of
// polaris-go and polaris-java, with the defaults of consumer.circuitBreaker in
// their configuration (defaultErrorCount and its neighbours).
const (
	polarisConsecutive = 10
	polarisErrorRate   = 0.5
	polarisMinRequests = 10
	polarisWindow      = 60 * time.Second
	polarisBuckets     = 10 // of the window
	polarisSleep       = 30 * time.Second
	polarisSuccesses   = 3 // that close a half-open breaker
)

// polaris is round robin with PolarisMesh's circuit breaker on each instance,
// after its documentation on instance circuit breaking and, in what that
// leaves open, after plugin/circuitbreaker/composite of polaris-go. Polaris's
// own spread is random with equal weights.
//
// A half-open instance is routed to like any other; there is no limit on the
// calls under way. The first failure opens it again. The share of failures is
// compared with each failure, as documented; the SDKs look at it only once a
// window.
type polaris struct {
	hosts      []polarisHost
	ready, all rotation
	due        time.Duration // the first open breaker becomes half-open
}

type polarisState uint8

const (
	polarisClosed polarisState = iota
	polarisOpen
	polarisHalfOpen
)

type polarisHost struct {
	state     polarisState
	until     time.Duration // the breaker becomes half-open
	run       int           // failures in a row while closed, successes while half-open
	slot      int64         // number of the current bucket, counted from time 0
	total     [polarisBuckets]int
	failed    [polarisBuckets]int
	sumTotal  int
	sumFailed int
}

// NewPolaris has Polaris's instance circuit breaker decide among n hosts. Its
// pick never refuses: with all breakers open it uses all hosts
// (consumer.serviceRouter.enableRecoverAll is on by default).
func NewPolaris(n int) Balancer {
	return &polaris{hosts: make([]polarisHost, n), ready: newRotation(n), all: newRotation(n), due: never}
}

func (p *polaris) Pick(now time.Duration) (int, bool) {
	p.advance(now)
	if host, ok := p.ready.pick(); ok {
		return host, true
	}
	return p.all.pick()
}

func (p *polaris) Report(host int, ok bool, _, now time.Duration) {
	p.advance(now)
	h := &p.hosts[host]
	switch h.state {
	case polarisClosed:
		h.count(ok, now)
		if !ok && (h.run >= polarisConsecutive || h.tooMany()) {
			p.open(host, now)
		}
	case polarisHalfOpen:
		if !ok {
			p.open(host, now)
		} else if h.run++; h.run == polarisSuccesses {
			*h = polarisHost{}
		}
	}
}

// Out reports whether the breaker of host is open, while others are not.
func (p *polaris) Out(host int) bool {
	return p.hosts[host].state == polarisOpen && len(p.ready.members) > 0
}

func (p *polaris) open(host int, now time.Duration) {
	until := now + polarisSleep
	p.hosts[host] = polarisHost{state: polarisOpen, until: until}
	p.due = min(p.due, until)
	p.ready.leave(host)
}

// advance makes the breakers half-open that slept long enough.
func (p *polaris) advance(now time.Duration) {
	if now < p.due {
		return
	}
	p.due = never
	for i := range p.hosts {
		switch h := &p.hosts[i]; {
		case h.state != polarisOpen:
		case now >= h.until:
			*h = polarisHost{state: polarisHalfOpen}
			p.ready.join(i)
		default:
			p.due = min(p.due, h.until)
		}
	}
}

// count adds a call to the window and to the run.
func (h *polarisHost) count(ok bool, now time.Duration) {
	slot := int64(now / (polarisWindow / polarisBuckets))
	for range min(slot-h.slot, polarisBuckets) {
		h.slot++
		h.clear(h.slot % polarisBuckets)
	}
	if slot > h.slot { // the whole window passed and is empty
		h.slot = slot
	}
	b := h.slot % polarisBuckets
	h.total[b]++
	h.sumTotal++
	if ok {
		h.run = 0
		return
	}
	h.failed[b]++
	h.sumFailed++
	h.run++
}

func (h *polarisHost) clear(b int64) {
	h.sumTotal -= h.total[b]
	h.sumFailed -= h.failed[b]
	h.total[b], h.failed[b] = 0, 0
}

func (h *polarisHost) tooMany() bool {
	return h.sumTotal >= polarisMinRequests && float64(h.sumFailed) >= polarisErrorRate*float64(h.sumTotal)
}
