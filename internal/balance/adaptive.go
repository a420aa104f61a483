package balance

import (
	"math/rand/v2"
	"slices"
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
	silence silence

	decay       decay
	normal      normal   // of calls
	lateness    normal   // of generations of picks: those that were late
	costs       middle   // of the median costs of hosts, µs
	turnarounds middle   // of their turnarounds, µs
	refresh     int32    // reports until the two are computed anew
	badRun      uint32   // failures reported since the last success
	guesses     []guess  // of each host; nil before a report without cost
	scratch     *scratch // nil while there are few hosts

	random rand.PCG
}

// scratch is where medians are computed, of more hosts than fit on the stack.
type scratch []float32

// fewHosts is how many fit.
const fewHosts = 32

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
	// minRefresh is the least number of reports between two computations of
	// the peers' medians. With more hosts it is their number, so that the
	// computation, linear in it, costs each report the same.
	minRefresh = 16
)

func newAdaptive(s *shared, seed uint64) *adaptive {
	a := &adaptive{shared: s, random: *rand.NewPCG(seed, 0)}
	a.forget()
	return a
}

// forget makes normal what it is before there are calls.
func (a *adaptive) forget() {
	a.decay.unit = 1
	a.normal, a.lateness = normal{}, normal{}
	for i := range a.health {
		a.health[i].tally, a.health[i].late = tally{}, tally{}
	}
}

func (a *adaptive) configure() {}

func (a *adaptive) relocate(to []slot, n int) {
	if a.health != nil {
		a.health = relocated(a.health, to, n)
	}
	if a.guesses != nil {
		a.guesses = relocated(a.guesses, to, n)
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
	if a.guesses == nil {
		return nil
	}
	return &a.guesses[i]
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
	if v != good || a.trouble != nil { // where all is well a good call says nothing
		a.troubled().sums[i].observe(v, a.cluesFor(i))
	}
	s := &a.health[i]
	a.normal.add(a.decay.unit, &s.tally, v != good, !s.excluded)
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
	if cost <= 0 && a.guesses == nil {
		a.guesses = make([]guess, len(a.lists.hosts))
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
		a.troubled().sums[i].convict(v, a.cluesFor(i))
		a.normal.markBad(a.decay.unit, &s.tally, !s.excluded)
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
	return evidenceTable.at(a.normalFor(&a.health[i]))
}

// normalFor is the share of bad calls that is normal for a host.
func (a *adaptive) normalFor(s *health) float64 {
	return a.normal.share(a.decay.unit, s.tally, !s.excluded)
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
	s := &a.health[i]
	if late || a.trouble != nil {
		c := evidenceTable.at(max(minLateness, a.lateness.share(a.decay.unit, s.late, !s.excluded)))
		x := c.failingGood
		if late {
			x = c.failingBad
		}
		cusum(&a.troubled().sums[i].hanging, x)
	}
	a.lateness.add(a.decay.unit, &s.late, late, !s.excluded)
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

// refreshMiddles computes the medians of the hosts' medians when it is time.
func (a *adaptive) refreshMiddles() {
	a.refresh--
	if a.refresh > 0 {
		return
	}
	a.refresh = int32(max(minRefresh, a.lists.open()))
	var few [fewHosts]float32
	values := few[:0]
	if n := int(a.lists.idle.len); n > fewHosts {
		if a.scratch == nil {
			a.scratch = new(scratch)
		}
		*a.scratch = slices.Grow(*a.scratch, n)
		values = *a.scratch
	}
	a.lists.idle.all(a.lists.hosts, func(i slot) {
		if m := a.health[i].costMedian(); m.known() {
			values = append(values, m.value)
		}
	})
	a.costs = newMiddle(values)
	values = values[:0]
	a.lists.idle.all(a.lists.hosts, func(i slot) {
		if m := a.health[i].turnaroundMedian(); m.known() {
			values = append(values, m.value)
		}
	})
	a.turnarounds = newMiddle(values)
}

// age lets the calls so far count less, now that another has ended. At most
// once in some thousand calls that takes time linear in the number of hosts, to
// keep the sums in range.
func (a *adaptive) age(now time.Duration) {
	a.decay.advance(now)
	if !a.decay.aged() {
		return
	}
	f := a.decay.rescale()
	a.normal.scale(f)
	a.lateness.scale(f)
	for i := range a.health {
		a.health[i].tally.scale(float32(f))
		a.health[i].late.scale(float32(f))
	}
}

// count sets whether a host counts for what is normal.
func (a *adaptive) count(i slot, counts bool) {
	if a.health == nil {
		return
	}
	s := &a.health[i]
	if s.excluded == !counts {
		return
	}
	s.excluded = !counts
	if counts {
		a.normal.include(s.tally)
		a.lateness.include(s.late)
	} else {
		a.normal.exclude(s.tally)
		a.lateness.exclude(s.late)
	}
}

// jitter returns d, give or take the share tryJitter of it.
func (a *adaptive) jitter(d time.Duration) time.Duration {
	r := float64(a.random.Uint64()>>11) / (1 << 53)
	return time.Duration(float64(d) * (1 + tryJitter*(2*r-1)))
}
