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
	cfg    *Config
	lists  *lists
	out    *outbox
	random rand.PCG

	picks   uint64 // handed out or refused
	reports uint32

	normal       normal // of calls
	lateness     normal // of generations of picks: those that were late
	costs        middle // of the median costs of hosts, µs
	turnarounds  middle // of their turnarounds, µs
	refresh      int    // reports until the two are computed anew
	looked       uint32 // the number of reports when proof that ends a truce was last looked for
	scratch      []float32
	scratchHosts []*host

	tries    tries
	ramping  []*host
	nextRamp int
	silence  silence
	mode     mode
	trust    trust
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
	// minRefresh is the least number of reports between two computations of
	// the peers' medians. With more hosts it is their number, so that the
	// computation, linear in it, costs each report the same.
	minRefresh = 16
)

func newAdaptive(cfg *Config, ls *lists, out *outbox, seed uint64) *adaptive {
	a := &adaptive{cfg: cfg, lists: ls, out: out, random: *rand.NewPCG(seed, 0)}
	a.normal.reset()
	a.lateness.reset()
	return a
}

func (a *adaptive) configure(cfg *Config) { a.cfg = cfg }

func (a *adaptive) join(h *host, now time.Duration) {
	h.since = now
}

func (a *adaptive) leave(h *host) {
	a.count(h, false)
	a.tries.remove(h)
	a.endRamp(h)
}

// settle mends what a changed route leaves behind.
func (a *adaptive) settle(now time.Duration) {
	if n := a.lists.idle.len; a.picks == 0 && n > 0 {
		// Agents that start together should not begin with the same host.
		for range a.random.Uint64() % uint64(n) {
			a.lists.idle.next()
		}
	}
	a.lists.all(func(h *host) {
		drained := h.weight == 0
		switch {
		case h.state == Overload && !drained && h.health.away.slot < 0:
			a.tries.add(h)
		case drained:
			a.tries.remove(h)
		}
		if drained {
			a.endRamp(h)
		}
	})
	if a.mode.dark && a.lists.idle.len > 0 {
		a.brighten(now) // nothing is known about hosts that are new
	} else if !a.mode.dark && a.lists.idle.len == 0 && a.lists.overload.len > 0 {
		a.pardon(0, never, now)
	}
}

func (a *adaptive) pick(now time.Duration) *host {
	a.picks++
	if h := a.due(now); h != nil {
		return h
	}
	a.growRamp(now)
	// Hosts may turn out to hang when it is their turn; then it is another's.
	for a.lists.idle.len > 0 {
		h := a.lists.idle.next()
		a.judgeLate(h, now)
		if h.state == Idle {
			a.handOut(h, now)
			return h
		}
	}
	return nil
}

// handOut notes that h was returned by a pick.
func (a *adaptive) handOut(h *host, now time.Duration) {
	s := h.learn()
	s.inflight.pick(a.reports, now)
	if a.silence.pick(a.lists.open(), now); a.silence.silent {
		if s.silent++; s.silent >= maxSilent {
			a.takeSilence(h, s.silent, now)
		}
	}
}

// takeSilence takes n picks of h that were not reported for good calls.
func (a *adaptive) takeSilence(h *host, n uint16, now time.Duration) {
	s := h.health
	s.silent -= n
	for range n {
		a.age(now)
		s.observe(good, a.cluesFor(h))
		a.normal.add(&s.tally, false, s.counted)
	}
}

func (a *adaptive) report(h *host, ok bool, cost, now time.Duration) {
	s := h.learn()
	a.reports++
	a.age(now)
	a.silence.report(ok, now)
	v := failed
	if ok {
		v = a.pace(s, cost)
		if cost > 0 {
			s.cost.add(cost)
		}
		a.doubtChecks(h, cost, now)
		a.mode.badRun = 0
		a.mode.goodAt = now
	} else {
		inc(&a.mode.badRun)
	}
	a.refreshMiddles()
	if took, complete := s.inflight.report(ok, cost, a.reports, now); complete {
		a.generation(h, took > a.lateAfter(s))
	}
	switch {
	case h.weight == 0: // no new picks depend on it
	case h.state == Overload:
		a.probed(h, v != good, cost, now)
	default:
		a.weigh(h, v, now)
		a.judge(h, now)
		a.judgeModule(now)
	}
}

// weigh adds a call to an idle host to the evidence.
func (a *adaptive) weigh(h *host, v verdict, now time.Duration) {
	s := h.health
	switch {
	case !a.silence.silent:
		s.observe(v, a.cluesFor(h))
		a.normal.add(&s.tally, v != good, s.counted)
		s.silent = 0
	case v == good: // was, or will be, taken for it anyway
	case s.silent == 0:
		// Its pick was taken for a good one already.
		s.convict(v, a.cluesFor(h))
		a.normal.markBad(&s.tally, s.counted)
	default:
		// The picks since the last failure, but for this one, were good.
		a.takeSilence(h, s.silent-1, now)
		s.silent = 0
		s.observe(v, a.cluesFor(h))
		a.normal.add(&s.tally, true, s.counted)
	}
}

// cluesFor are the clues that the other hosts' share of bad calls makes of a
// call to h.
func (a *adaptive) cluesFor(h *host) *clues {
	return evidenceTable.at(a.normal.share(h.health.tally, h.health.counted))
}

// pace tells a successful call that took far longer than calls to the peers do
// from a good one.
func (a *adaptive) pace(s *health, cost time.Duration) verdict {
	peers, ok := a.costs.others(s.cost.value)
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
	peers, ok := a.turnarounds.others(s.inflight.turnaround.value)
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
func (a *adaptive) generation(h *host, late bool) {
	if h.state != Idle || h.weight == 0 {
		return
	}
	s := h.health
	c := evidenceTable.at(max(minLateness, a.lateness.share(s.late, s.counted)))
	if late {
		cusum(&s.hanging, c.failingBad)
	} else {
		cusum(&s.hanging, c.failingGood)
	}
	a.lateness.add(&s.late, late, s.counted)
}

// judgeLate looks, when it is the host's turn, whether its picks wait for
// reports while those of its peers do not.
func (a *adaptive) judgeLate(h *host, now time.Duration) {
	if h.health == nil {
		return // it was never picked
	}
	f := &h.health.inflight
	wait := f.waiting(now)
	if wait == 0 || a.reports-f.reports < minProgress || wait <= a.lateAfter(h.health) {
		return
	}
	f.renew(wait, a.reports, now)
	a.generation(h, true)
	a.judge(h, now)
}

// refreshMiddles computes the medians of the hosts' medians when it is time.
func (a *adaptive) refreshMiddles() {
	a.refresh--
	if a.refresh > 0 {
		return
	}
	a.refresh = max(minRefresh, a.lists.open())
	a.scratch = a.scratch[:0]
	a.idle(func(s *health) {
		if m := &s.cost; m.known() {
			a.scratch = append(a.scratch, m.value)
		}
	})
	a.costs = newMiddle(a.scratch)
	a.scratch = a.scratch[:0]
	a.idle(func(s *health) {
		if m := &s.inflight.turnaround; m.known() {
			a.scratch = append(a.scratch, m.value)
		}
	})
	a.turnarounds = newMiddle(a.scratch)
}

// all and idle call f with what is known of every host, or of every idle one;
// those that nothing is known of are left out.

func (a *adaptive) all(f func(*health)) { a.lists.all(known(f)) }

func (a *adaptive) idle(f func(*health)) { a.lists.idle.all(known(f)) }

func known(f func(*health)) func(*host) {
	return func(h *host) {
		if h.health != nil {
			f(h.health)
		}
	}
}

// age lets the calls so far count less, now that another has ended. At most
// once in some thousand calls that takes time linear in the number of hosts, to
// keep the sums in range.
func (a *adaptive) age(now time.Duration) {
	a.normal.advance(now)
	a.lateness.advance(now)
	if a.normal.aged() {
		f := a.normal.rescale()
		a.all(func(s *health) { s.tally.scale(f) })
	}
	if a.lateness.aged() {
		f := a.lateness.rescale()
		a.all(func(s *health) { s.late.scale(f) })
	}
}

// count sets whether a host counts for what is normal.
func (a *adaptive) count(h *host, counts bool) {
	s := h.health
	if s == nil || s.counted == counts {
		return
	}
	s.counted = counts
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
