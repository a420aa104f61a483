package balance

import (
	"math/rand/v2"
	"time"
)

// adaptive is the policy that compares each host with its peers. Idle hosts
// take turns. What is known about a host comes from the reports on it and from
// the picks that stay without one; both are weighed against what the module's
// other hosts show at the same time (see evidence). A host that is worse is
// ejected, and brought back by probes that run on a clock.
type adaptive struct {
	*shared

	picks   uint32   // handed out or refused, modulo 2^32
	reports uint32   // likewise
	health  []health // of each host, by its slot; nil before the first pick
	trouble *trouble // nil before the first
	aside   *aside   // nil while none of it is needed
	silence silence

	turnarounds middle // of the median turnarounds of hosts, µs
	costs       middle // of their median costs, µs
	decay       decay
	normal      normal // of calls
	lateness    normal // of generations of picks: those that were late
	refresh     int32  // reports until costs and turnarounds are computed anew
	badRun      uint32 // failures reported since the last success

	random rand.PCG
}

// aside is what adaptive needs in some modules only.
type aside struct {
	guesses []guess   // of each host, by its slot; nil before a report without cost
	scratch []float32 // where medians are computed, of more hosts than fit on the stack
}

func (a *adaptive) besides() *aside {
	if a.aside == nil {
		a.aside = new(aside)
	}
	return a.aside
}

const (
	// slowFactor and slowMargin: a call is slow when it takes longer than
	// slowFactor times the median of the peers, plus slowMargin. So is a
	// generation of picks, by the median turnaround.
	slowFactor = 3
	slowMargin = 5 * time.Millisecond
	// A generation may take longer than a call by one part in lateMargin.
	lateMargin = 2
	// tooSlow is how many times that a call takes which counts as failed.
	tooSlow = 2
	// minLateness is the least share of late generations that is taken for
	// normal.
	minLateness = 0.02
	// minProgress is how many reports on the module must have come while a
	// generation waited, before it counts as late: a caller that stands still
	// makes all of them wait.
	minProgress = 3
	// maxSilent is how many picks that were not reported wait for a failure
	// before they count as good calls, where no success is reported.
	maxSilent = 64
)

func newAdaptive(s *shared, seed uint64) *adaptive {
	a := &adaptive{shared: s, random: *rand.NewPCG(seed, 0)}
	a.forget()
	return a
}

func (a *adaptive) configure() {}

func (a *adaptive) relocate(to []slot, n int) {
	if a.health != nil {
		a.health = relocated(a.health, to, n)
	}
	if a.aside != nil && a.aside.guesses != nil {
		a.aside.guesses = relocated(a.aside.guesses, to, n)
	}
	if a.trouble != nil {
		a.trouble.relocate(to, n)
	}
}

func (a *adaptive) join(slot, time.Duration) {}

func (a *adaptive) leave(i slot) {
	a.count(i, false)
	if t := a.trouble; t != nil {
		t.tries.remove(t.records[i])
		a.endRamp(i)
	}
}

// settle mends what a changed route leaves behind.
func (a *adaptive) settle(now time.Duration) {
	if n := a.lists.idle.len; a.picks == 0 && n > 0 {
		// Agents that start together should not begin with the same host.
		for range a.random.Uint64() % uint64(n) {
			a.lists.next()
		}
	}
	t := a.trouble
	if t == nil {
		return
	}
	a.lists.all(func(i slot) {
		h := &a.lists.hosts[i]
		switch {
		case h.Drained():
			t.tries.remove(t.records[i])
			a.endRamp(i)
		case h.state == Overload && t.records[i].away.slot < 0:
			t.tries.add(t.records[i])
		}
	})
	if t.mode.dark && a.lists.idle.len > 0 {
		a.brighten(now) // nothing is known about hosts that are new
	} else if !t.mode.dark && a.lists.idle.len == 0 && a.lists.overload.len > 0 {
		a.pardon(0, never, now)
	}
}

// learn returns what is known of a host, to be added to.
func (a *adaptive) learn(i slot) *health {
	if a.health == nil {
		a.health = make([]health, len(a.lists.hosts))
	}
	return &a.health[i]
}

// guess is what is known of a host's picks apart from that, nil if nothing is.
func (a *adaptive) guess(i slot) *guess {
	if a.aside == nil || a.aside.guesses == nil {
		return nil
	}
	return &a.aside.guesses[i]
}

func (a *adaptive) pick(now time.Duration) slot {
	a.picks++
	if a.trouble != nil {
		if i := a.due(now); i != none {
			return i
		}
		a.growRamp(now)
	}
	// Hosts may turn out to hang when it is their turn; then it is another's.
	for a.lists.idle.len > 0 {
		i := a.lists.next()
		a.judgeLate(i, now)
		if a.lists.hosts[i].state == Idle {
			a.handOut(i, now)
			return i
		}
	}
	return none
}

// handOut notes that a host was returned by a pick.
func (a *adaptive) handOut(i slot, now time.Duration) {
	s := a.learn(i)
	s.pick(uint16(a.reports), now, a.guess(i))
	if a.silence.pick(a.lists.open(), now); a.silence.silent {
		if s.silent++; s.silent >= maxSilent {
			a.takeSilence(i, s.silent, now)
		}
	}
}

// takeSilence takes n picks of a host that were not reported for good calls.
func (a *adaptive) takeSilence(i slot, n uint8, now time.Duration) {
	s := &a.health[i]
	s.silent -= n
	for range n {
		a.age(now)
		a.observe(i, good)
	}
}

// observe adds a call to an idle host to what is known of it and is normal.
func (a *adaptive) observe(i slot, v verdict) {
	s, unit := &a.health[i], a.decay.unit
	if v != good || a.trouble != nil { // where all is well a good call says nothing
		c := a.cluesFor(i)
		e := &a.troubled().sums[i]
		if e.observe(v, c); v != good {
			e.bad += float32(unit)
		}
	}
	s.calls += float32(unit)
	if !s.excluded {
		a.normal.add(unit, v != good)
	}
}

func (a *adaptive) report(i slot, ok bool, cost, now time.Duration) {
	s := a.learn(i)
	a.reports++
	a.age(now)
	a.silence.report(ok, now)
	v := failed
	if ok {
		v = a.pace(s, cost)
		if cost > 0 {
			s.addCost(cost)
		}
		a.doubtChecks(i, cost, now)
		a.badRun = 0
	} else {
		inc(&a.badRun)
	}
	a.refreshMiddles()
	if cost <= 0 && a.guess(i) == nil {
		a.besides().guesses = make([]guess, len(a.lists.hosts))
	}
	if took, complete := s.report(ok, cost, uint16(a.reports), now, a.guess(i)); complete {
		a.generation(i, took > a.lateAfter(s))
	}
	switch h := &a.lists.hosts[i]; {
	case h.Drained(): // no new picks depend on it
	case h.state == Overload:
		a.probed(i, v != good, cost, now)
	default:
		a.weigh(i, v, now)
		a.judge(i, now)
		a.judgeModule(now)
	}
}

// weigh adds a call to an idle host to the evidence.
func (a *adaptive) weigh(i slot, v verdict, now time.Duration) {
	s := &a.health[i]
	switch {
	case !a.silence.silent:
		a.observe(i, v)
		s.silent = 0
	case v == good: // was, or will be, taken for it anyway
	case s.silent == 0:
		// Its pick was taken for a good one already.
		c := a.cluesFor(i)
		e := &a.troubled().sums[i]
		e.convict(v, c)
		e.bad += float32(a.decay.unit)
		if !s.excluded {
			a.normal.bad += a.decay.unit
		}
	default:
		// The picks since the last failure, but for this one, were good.
		a.takeSilence(i, s.silent-1, now)
		s.silent = 0
		a.observe(i, v)
	}
}

// cluesFor are the clues that the other hosts' share of bad calls makes of a
// call to a host.
func (a *adaptive) cluesFor(i slot) *clues {
	return evidenceTable.at(a.normalFor(i))
}

// normalFor is the share of bad calls that is normal for a host.
func (a *adaptive) normalFor(i slot) float64 {
	return a.normal.share(a.decay.unit, a.tally(i), a.counts(i))
}

// pace tells a successful call that took far longer than calls to the peers do
// from a good one.
func (a *adaptive) pace(s *health, cost time.Duration) verdict {
	peers, ok := a.costs.others(s.cost)
	switch {
	case !ok || cost <= limit(peers):
		return good
	case cost <= tooSlow*limit(peers):
		return slow
	default:
		return failed
	}
}

// lateAfter is how long a generation of a host's picks may wait for its reports.
func (a *adaptive) lateAfter(s *health) time.Duration {
	peers, ok := a.turnarounds.others(s.turnaround)
	if !ok {
		return unlimited
	}
	return limit(peers) + limit(peers)/lateMargin
}

// never is before every time that matters.
const never = -24 * time.Hour

// unlimited is longer than anything takes.
const unlimited = time.Duration(1<<63 - 1)

// limit is the longest duration that is not conspicuous where the peers'
// median is this, in µs.
func limit(peers float32) time.Duration {
	return time.Duration(slowFactor*peers*float32(time.Microsecond)) + slowMargin
}

// generation weighs that a generation of picks was late or not.
func (a *adaptive) generation(i slot, late bool) {
	if h := &a.lists.hosts[i]; h.state != Idle || h.Drained() {
		return
	}
	s, unit := &a.health[i], a.decay.unit
	if late || a.trouble != nil {
		c := evidenceTable.at(max(minLateness, a.lateness.share(unit, a.lateTally(i), !s.excluded)))
		e := &a.troubled().sums[i]
		if late {
			cusum(&e.hanging, c.failingBad)
			e.late += float32(unit)
		} else {
			cusum(&e.hanging, c.failingGood)
		}
	}
	s.generations += float32(unit)
	if !s.excluded {
		a.lateness.add(unit, late)
	}
}

// judgeLate looks, when it is the host's turn, whether its picks wait for
// reports while those of its peers do not.
func (a *adaptive) judgeLate(i slot, now time.Duration) {
	if a.health == nil {
		return // none was ever picked
	}
	s := &a.health[i]
	wait := s.waiting(now)
	if wait == 0 || uint16(a.reports)-s.reports < minProgress || wait <= a.lateAfter(s) {
		return
	}
	s.renew(wait, uint16(a.reports), now, a.guess(i))
	a.generation(i, true)
	a.judge(i, now)
}

// jitter returns d, give or take the share tryJitter of it.
func (a *adaptive) jitter(d time.Duration) time.Duration {
	r := float64(a.random.Uint64()>>11) / (1 << 53)
	return time.Duration(float64(d) * (1 + tryJitter*(2*r-1)))
}
