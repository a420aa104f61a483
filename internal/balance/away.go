package balance

import (
	"container/heap"
	"math"
	"time"
)

const (
	// firstTry is how long a host is left alone after it was ejected.
	firstTry = time.Second
	// deadGrowth is by how much the time to the next probe grows with each bad
	// one, up to maxTry. It stays below 2 so that a host which is well again
	// is found within about a third of the time that it was not. With hosts of
	// which not even half the calls were bad there is more time, and each row
	// of probes costs one of them: partlyGrowth.
	deadGrowth   = 1.4
	partlyGrowth = 2
	maxTry       = 50 * time.Second
	// tryJitter spreads the tries of many agents, plus or minus.
	tryJitter = 0.2
	// relapseGrowth is by how much firstTry grows with each relapse, up to
	// maxTry. A relapse is an ejection within relapseWithin of the return, or
	// within twice the time the host was last left alone.
	relapseGrowth = 3
	relapseWithin = 30 * time.Second
	maxRelapses   = 8
	// checkEvery is the time between two TCP checks of a host that is out.
	checkEvery = 2 * time.Second
	// trustChecks is how long a host that refuses every TCP check is not
	// probed by a call, and trustRefusals how many times.
	trustChecks   = 10 * time.Minute
	trustRefusals = 20
	// A probe of a host takes as many picks of the module as it has hosts, so
	// that it is not above the host's fair share; that doubles with each row of
	// probes that ended badly, up to maxPatience times, so that a host which is
	// out gets few of the calls where calls are few.
	maxPatience = 16
	// probeTimeout is how long the report on a probe is awaited before the next
	// one, or for as long as the peers' reports may take if that is longer.
	probeTimeout = 3 * time.Second
	// minGood and maxGood bound how many good probes in a row bring a host
	// back. Between them it is as many as a host that is as bad as this one
	// was would pass with a chance of luck.
	minGood = 3
	maxGood = 25
	luck    = 0.1
	// ramp is the time in which a host that is back regains its share, and
	// rampStart the part of it that it begins with.
	ramp      = 10 * time.Second
	rampStart = 0.1
)

// away is what is known about a host while it is ejected.
type away struct {
	next     time.Duration // when to try it again
	interval time.Duration // between tries, before jitter
	hold     time.Duration // how long it was left alone at first
	leftAt   time.Duration // when it was ejected
	probedAt time.Duration // the last probe
	probed   uint32        // the module's picks at that time
	slot     int32         // in the heap of tries, -1 outside
	relapses uint8
	good     uint8 // good probes in a row
	need     uint8 // how many it takes
	row      uint8 // rows of probes that ended with a bad one
	refusals uint8 // bad checks since a call was last given to the host
	partly   bool  // less than half of its calls were bad
	pending  uint8 // probes whose report has not come
	probing  bool  // one is awaited
	vetted   bool  // the TCP check was good, or there is none
	awaiting bool  // the answer of a TCP check decides about the next try
}

// lastTry is when a call was last given to the host.
func (w *away) lastTry() time.Duration { return max(w.leftAt, w.probedAt) }

// goodNeeded is how many good probes it takes after bad of calls were bad.
func goodNeeded(bad, calls uint32) uint8 {
	share := share(bad, calls-min(bad, calls))
	if share >= 1 || calls == 0 {
		return minGood
	}
	n := math.Ceil(math.Log(luck) / math.Log(1-share))
	return uint8(min(max(n, minGood), maxGood))
}

// tries are the hosts that are out, the one to be tried next first.
type tries []*record

func (t tries) Len() int           { return len(t) }
func (t tries) Less(i, j int) bool { return t[i].away.next < t[j].away.next }
func (t tries) Swap(i, j int) {
	t[i], t[j] = t[j], t[i]
	t[i].away.slot, t[j].away.slot = int32(i), int32(j)
}

func (t *tries) Push(x any) {
	r := x.(*record)
	r.away.slot = int32(len(*t))
	*t = append(*t, r)
}

func (t *tries) Pop() any {
	last := len(*t) - 1
	r := (*t)[last]
	(*t)[last] = nil
	*t = (*t)[:last]
	r.away.slot = -1
	return r
}

func (t *tries) add(r *record) { heap.Push(t, r) }

// remove takes r out, if it is in; nil is not.
func (t *tries) remove(r *record) {
	if r != nil && r.away.slot >= 0 {
		heap.Remove(t, int(r.away.slot))
	}
}

// reset sets the time of the next try.
func (t *tries) reset(r *record, next time.Duration) {
	r.away.next = next
	heap.Fix(t, int(r.away.slot))
}

// first is the host to be tried next, nil if there is none.
func (t tries) first() *record {
	if len(t) == 0 {
		return nil
	}
	return t[0]
}
