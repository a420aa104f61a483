package balance

import (
	"time"

	"github.com/lars-lb/lars/internal/route"
)

// HostView is what is known about one host, for people to read. Times are on
// the clock of the LoadBalance's owner.
type HostView struct {
	Host    route.Host
	Weight  uint16
	Drained bool
	State   State
	// Since is when the host entered its state or, under the policy classic
	// and if it is idle, when its window began.
	Since time.Duration

	// What the policy classic goes by.
	VSucc, VErr           uint32 // virtual counts: real calls and an initial credit or charge
	RSucc, RErr           uint32 // real calls since Since
	ContinSucc, ContinErr uint32 // current run of equal results

	// What the policy adaptive goes by.
	Reason         Reason        // why it is in its state
	BadShare       float64       // share of its recent calls that were bad, 0 to 1
	RecentCalls    float64       // how many calls that is made of; older ones count less
	Normal         float64       // the share of bad calls that its peers have
	Cost, PeerCost time.Duration // median costs, of the host and its peers; 0 is unknown
	Unreported     int           // recent picks that were not reported yet
	Suspicion      float64       // evidence against an idle host; 1 ejects it
	Suspected      Cause         // what most of that evidence is for; Fresh without any
	RunBad         uint32        // of RunCalls calls, since there was no evidence
	RunCalls       uint32
	Share          float64       // of its full share of the traffic, while that grows back; else 1
	NextTry        time.Duration // when a host that is out is tried again
	GoodProbes     int           // in a row, of
	NeedProbes     int           // those that bring it back
	Refused        bool          // its last TCP check failed
}

// View appends the state of every host to dst, in the order of addresses.
func (b *LoadBalance) View(dst []HostView, now time.Duration) []HostView {
	for _, h := range b.order {
		// Filled in where it is: behind the interface a local one would escape.
		dst = append(dst, HostView{Host: h.addr, Weight: h.weight, Drained: h.weight == 0, State: h.state, Since: h.since})
		b.policy.describe(h, &dst[len(dst)-1], now)
	}
	return dst
}

// Policy is the name of the policy that decides.
func (b *LoadBalance) Policy() Policy { return b.cfg.Policy }

// Mood is how the policy sees the module as a whole.
func (b *LoadBalance) Mood(now time.Duration) Mood { return b.policy.mood(now) }

// Count returns how many hosts are in each state; drained ones are in neither.
func (b *LoadBalance) Count() (idle, overload, drained int) {
	return b.lists.idle.len, b.lists.overload.len, b.lists.drained.len
}

func (a *adaptive) describe(h *host, v *HostView, now time.Duration) {
	s := h.known()
	if s.record != nil {
		v.Reason = s.reason
	}
	v.BadShare, v.RecentCalls = a.normal.of(s.tally)
	v.Normal = a.normal.share(s.tally, s.counted)
	v.Cost = s.cost.duration()
	if peers, ok := a.costs.others(s.cost.value); ok {
		v.PeerCost = time.Duration(peers * float32(time.Microsecond))
	}
	v.Unreported = s.inflight.unreported()
	v.Suspicion = min(1, float64(s.worst())/Alarm)
	v.Suspected = s.suspected()
	v.RunBad, v.RunCalls = s.runBad, s.runCalls
	v.Share = 1
	if s.ramping {
		v.Share = float64(h.share) / float64(fullShare(h.weight))
	}
	v.Refused = s.refused
	if h.state == Overload {
		v.Suspicion = 1
		v.NextTry, v.GoodProbes, v.NeedProbes = s.away.next, int(s.away.good), int(s.away.need)
	}
}

// Has reports whether addr is in the route.
func (b *LoadBalance) Has(addr route.Host) bool { return b.find(addr) != nil }

// State is the state of a host of the route; Idle for any other.
func (b *LoadBalance) State(addr route.Host) State {
	if h := b.find(addr); h != nil {
		return h.state
	}
	return Idle
}
