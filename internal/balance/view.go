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
	// and if it is idle, when its window began. Of a host that has never been in
	// another it is true to a tenth of a second.
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
	for i := range b.lists.hosts {
		h := &b.lists.hosts[i]
		// Filled in where it is: behind the interface a local one would escape.
		dst = append(dst, HostView{Host: h.Host(), Weight: h.Weight, Drained: h.Drained(), State: h.state, Since: h.joinedAt()})
		b.policy.describe(slot(i), &dst[len(dst)-1], now)
	}
	return dst
}

// Policy is the name of the policy that decides.
func (b *LoadBalance) Policy() Policy { return b.cfg.Policy }

// Mood is how the policy sees the module as a whole.
func (b *LoadBalance) Mood(now time.Duration) Mood { return b.policy.mood(now) }

// Count returns how many hosts are in each state; drained ones are in neither.
func (b *LoadBalance) Count() (idle, overload, drained int) {
	return int(b.lists.idle.len), int(b.lists.overload.len), int(b.lists.drained.len)
}

func (a *adaptive) describe(i slot, v *HostView, now time.Duration) {
	var s health
	if a.health != nil {
		s = a.health[i]
	}
	v.BadShare, v.RecentCalls = a.decay.of(a.tally(i))
	v.Normal = a.normalFor(i)
	v.Cost = s.costMedian().duration()
	if peers, ok := a.costs.others(s.cost); ok {
		v.PeerCost = time.Duration(peers * float32(time.Microsecond))
	}
	v.Unreported = s.unreported()
	v.Share = 1
	if a.trouble == nil {
		return
	}
	e := &a.trouble.sums[i]
	v.Suspicion = min(1, float64(e.worst())/Alarm)
	v.Suspected = e.suspected()
	v.RunBad, v.RunCalls = e.runBad, e.runCalls
	r := a.trouble.records[i]
	if r == nil {
		return
	}
	h := &a.lists.hosts[i]
	v.Reason, v.Since = r.reason, r.since
	v.Refused = r.refused
	if r.ramping {
		v.Share = float64(h.part) / parts
	}
	if h.state == Overload {
		v.Suspicion = 1
		v.NextTry, v.GoodProbes, v.NeedProbes = r.away.next, int(r.away.good), int(r.away.need)
	}
}

// Has reports whether addr is in the route.
func (b *LoadBalance) Has(addr route.Host) bool { return b.find(addr) != none }

// State is the state of a host of the route; Idle for any other.
func (b *LoadBalance) State(addr route.Host) State {
	if i := b.find(addr); i != none {
		return b.lists.hosts[i].state
	}
	return Idle
}
