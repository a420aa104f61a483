package peers

import (
	"math/rand/v2"
	"time"
)

// The defaults of envoy.config.cluster.v3.OutlierDetection, and of
// healthy_panic_threshold in envoy.config.cluster.v3.Cluster.CommonLbConfig.
// What they enforce is enforced always: both enforcing percentages are 100.
const (
	envoyConsecutive5xx = 5
	envoyInterval       = 10 * time.Second
	envoyBaseEjection   = 30 * time.Second
	envoyMaxEjection    = 300 * time.Second
	envoyMaxEjected     = 10 // percent of the hosts
	envoyPanic          = 50 // percent of the hosts

	envoyRateHosts  = 5
	envoyRateVolume = 100
	envoyRateStdev  = 1.9
)

// envoy is round robin with outlier detection, after the Envoy documentation,
// "Outlier detection" and "Panic threshold", and in what they leave open after
// source/common/upstream/outlier_detection_impl.cc.
//
// A route with fewer than ten hosts never ejects any: one host would be more
// than the 10%. Earlier releases ejected at least one; since always_eject_one_host
// exists that is off unless asked for.
type envoy struct {
	hosts        []envoyHost
	order        []int // in which a sweep looks at the hosts: arbitrary, Envoy's is that of a hash table
	healthy, all rotation
	maxEjected   int // percent
	nextSweep    time.Duration
	started      bool
}

type envoyHost struct {
	ejected    bool
	returned   bool          // was ejected before
	since      time.Duration // of the last ejection or return
	multiplier int           // of the base ejection time
	run        int           // failures in a row
	calls, ok  int           // since the last sweep
}

// NewEnvoy has Envoy's outlier detection decide among n hosts. Its pick never
// refuses: with too few healthy hosts it uses all of them.
func NewEnvoy(n int, seed uint64) Balancer {
	rng := rand.New(rand.NewPCG(seed, 0))
	e := &envoy{
		hosts:      make([]envoyHost, n),
		order:      rng.Perm(n),
		healthy:    newRotation(n),
		all:        newRotation(n),
		maxEjected: envoyMaxEjected,
	}
	if n > 0 {
		// A worker of Envoy begins its rotation anywhere.
		e.healthy.next = rng.IntN(n)
		e.all.next = e.healthy.next
	}
	return e
}

func (e *envoy) Pick(now time.Duration) (int, bool) {
	e.advance(now)
	if e.panics() {
		return e.all.pick()
	}
	return e.healthy.pick()
}

// panics reports whether too few hosts are healthy to go by that.
func (e *envoy) panics() bool { return 100*len(e.healthy.members) < envoyPanic*len(e.hosts) }

// Out reports whether host is ejected and not called all the same.
func (e *envoy) Out(host int) bool { return e.hosts[host].ejected && !e.panics() }

func (e *envoy) Report(host int, ok bool, _, now time.Duration) {
	e.advance(now)
	h := &e.hosts[host]
	h.calls++
	if ok {
		h.ok++
		h.run = 0
		return
	}
	h.run++
	// The run of an ejected host goes on but has no effect, and ends with its
	// return.
	if h.run == envoyConsecutive5xx && !h.ejected {
		h.run = 0
		e.eject(host, now)
	}
}

func (e *envoy) eject(host int, now time.Duration) {
	ejected := len(e.hosts) - len(e.healthy.members)
	if 100*(ejected+1) > e.maxEjected*len(e.hosts) {
		return
	}
	h := &e.hosts[host]
	h.ejected = true
	h.since = now
	if time.Duration(h.multiplier)*envoyBaseEjection < envoyMaxEjection+envoyBaseEjection {
		h.multiplier++
	}
	e.healthy.leave(host)
}
