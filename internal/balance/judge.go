package balance

import (
	"math"
	"time"
)

// mode is what holds for the module as a whole.
type mode struct {
	truceAt    time.Duration // when the last truce began
	truceUntil time.Duration // nothing is ejected before
	truce      time.Duration // how long the last truce was
	soberUntil time.Duration // the tallies are of the time since the last truce began
	ejected    bool          // a host was, since then
	dark       bool          // every host fails: all are overloaded
	trickleAt  time.Duration // when the next probe in the dark may go out
	darks      uint8         // times it became dark again soon
	lightAt    time.Duration // when the dark ended last
	badRun     uint32        // failures reported since the last success
	goodAt     time.Duration // when that was
}

const (
	// firstTruce is how long nothing is ejected after a shared cause. If some
	// were ejected after its end, and most seem bad again within sober of it,
	// the next truce is twice as long, up to maxTruce: ejecting some may be what
	// makes the others bad, when they cannot carry the traffic of all.
	firstTruce = 10 * time.Second
	maxTruce   = 5 * time.Minute
	// pardonWithin is for how long a host may have been out to come back when a
	// cause turns out to be shared. All do if half of them are out, or if after
	// relieveAfter more than the share strained of all calls is bad: those that
	// are left may be unable to carry the traffic.
	pardonWithin = 5 * time.Second
	relieveAfter = 2 * time.Second
	strained     = 0.2
	// sober is for how long after a truce a host that did well in it is proof
	// that the cause is not shared by all.
	sober = 60 * time.Second
	// A host has done well if it is beyond doubt and, of at least provenCalls, no more than the share
	// provenBad were bad or, compared with another, one in provenRatio of that
	// one's; and badly if it was at least provenBadly, of badlyCalls.
	provenCalls = 20
	provenBad   = 0.05
	provenBadly = 0.25
	badlyCalls  = 60
	provenRatio = 5
	// It is dark after minDark failures in a row, or darkPerHost a host if
	// that is more, and no success for darkAfter.
	minDark     = 30
	darkPerHost = 3
	darkAfter   = 200 * time.Millisecond
	// trickle is the time between two probes of a module in the dark. Each
	// host gets one per firstTry at most.
	trickle = 50 * time.Millisecond
	// If it becomes dark again within darkAgain of the last time, it takes twice
	// as many good probes to end it as it took then, up to maxGood.
	darkAgain = time.Minute
)

// Mood is how a policy sees a module as a whole.
type Mood struct {
	Cause  Cause         // Fresh unless something is the matter
	Until  time.Duration // when it ends, if that is known
	Normal float64       // share of bad calls that is normal now
}

func (a *adaptive) mood(now time.Duration) Mood {
	m := Mood{Normal: a.normal.share(tally{}, false)}
	switch {
	case a.mode.dark:
		m.Cause = Blackout
	case now < a.mode.truceUntil:
		m.Cause, m.Until = SharedCause, a.mode.truceUntil
	}
	return m
}

// judge ejects h if the evidence against it suffices.
func (a *adaptive) judge(h *host, now time.Duration) {
	s := h.health
	wasSuspect := s.suspect
	s.suspect = s.worst() >= suspicion
	a.count(h, !s.suspect || now < a.mode.truceUntil)
	if s.suspect && !wasSuspect {
		s.refused = false
		a.check(h, now)
	}
	var cause Cause
	switch {
	case s.suspect && s.refused && a.trust.holds(now):
		cause = Unreachable // which is the stronger reason
	case s.failing >= Alarm:
		cause = Failing
	case s.degraded >= Alarm:
		cause = Degraded
	case s.hanging >= Alarm:
		cause = Hanging
	default:
		return
	}
	if (now >= a.mode.truceUntil || a.endsTruce(h, cause, now)) && a.mayEject(h, cause, now) {
		a.eject(h, cause, now)
		return
	}
	s.failing, s.degraded, s.hanging = min(s.failing, Alarm), min(s.degraded, Alarm), min(s.hanging, Alarm)
}

// mayEject reports whether h alone is to blame. Otherwise it declares a truce.
func (a *adaptive) mayEject(h *host, cause Cause, now time.Duration) bool {
	idle, open := a.lists.idle.len, a.lists.open()
	if open == 1 {
		return false // it has no peers; whether it is any good judgeModule sees
	}
	rest, doubtful := idle-1, 0
	a.lists.idle.all(func(o *host) {
		if o != h && o.health != nil && o.health.likeBad(h.health, cause) {
			doubtful++
		}
	})
	switch {
	case rest > 0 && 2*doubtful <= rest:
		return true // most of the others are beyond doubt
	case cause == Unreachable && doubtful < rest:
		return true // what refuses connections is down, and not all seem to be
	case a.proven(h, now):
		return true
	}
	m := &a.mode
	r := a.reasonFor(h, SharedCause)
	// Hosts that are out for longer were worse than others at a time when
	// those were well. They stay out, unless it is what makes the others bad.
	since := now - pardonWithin
	if 2*a.lists.overload.len >= open {
		since = never
	}
	a.pardon(0, since, now)
	m.truceAt = now
	switch {
	case now >= m.soberUntil:
		m.truce = firstTruce
	case m.ejected:
		m.truce = min(2*m.truce, maxTruce)
	}
	m.ejected = false
	m.truceUntil, m.soberUntil = now+m.truce, now+m.truce+sober
	a.normal.reset()
	a.lateness.reset()
	a.all(func(s *health) { s.tally, s.late = tally{}, tally{} })
	a.out.tell(Event{State: Idle, Reason: r, Out: a.lists.overload.len, Hosts: open})
	return false
}

// endsTruce reports whether, in a first truce, it has come out already that
// the cause is not shared: h fails mostly, and others do well.
func (a *adaptive) endsTruce(h *host, cause Cause, now time.Duration) bool {
	switch {
	case cause == Unreachable && a.mode.truce == firstTruce:
		return true
	case a.reports-a.looked < uint32(max(minRefresh, a.lists.open())):
		return false // what follows is linear in the hosts
	}
	a.looked = a.reports
	if a.lists.overload.len > 0 && now-a.mode.truceAt >= relieveAfter && a.badShare() >= strained {
		a.pardon(0, never, now)
		return false
	}
	if a.mode.truce > firstTruce {
		return false
	}
	share, calls := a.normal.of(h.health.tally)
	return calls >= badlyCalls && share >= provenBadly && a.proven(h, now)
}

// badShare is the share of bad calls to all idle hosts lately.
func (a *adaptive) badShare() float64 {
	var all tally
	a.idle(func(s *health) {
		all.bad += s.tally.bad
		all.calls += s.tally.calls
	})
	share, _ := a.normal.of(all)
	return share
}

// proven reports whether some hosts other than h did well while most seemed
// bad: a tenth of them, and at least one.
func (a *adaptive) proven(h *host, now time.Duration) bool {
	if now >= a.mode.soberUntil {
		return false
	}
	well := 0
	bad, _ := a.normal.of(h.health.tally)
	a.idle(func(o *health) {
		if share, calls := a.normal.of(o.tally); o != h.health && o.worst() < doubt &&
			calls >= provenCalls && share <= max(provenBad, bad/provenRatio) {
			well++
		}
	})
	return well >= max(1, a.lists.open()/10)
}

// judgeModule notices that every host fails.
func (a *adaptive) judgeModule(now time.Duration) {
	m := &a.mode
	open := a.lists.open()
	if m.dark || a.silence.silent || !a.silence.mostReported() || m.badRun < uint32(max(minDark, darkPerHost*open)) || now-m.goodAt < darkAfter {
		return
	}
	m.dark, m.truceUntil, m.soberUntil, m.trickleAt = true, 0, 0, now
	if now-m.lightAt < darkAgain {
		m.darks++
	} else {
		m.darks = 0
	}
	a.out.tell(Event{State: Overload, Reason: Reason{Cause: Blackout, Bad: m.badRun, Calls: m.badRun}, Out: open, Hosts: open})
	for a.lists.idle.len > 0 {
		h := a.lists.idle.next()
		a.setAway(h, Reason{Cause: Blackout}, 0, now)
	}
	for _, h := range a.tries {
		w := &h.health.away
		w.vetted = true // a trickle of calls is all that goes out
		w.good = 0
		w.need = uint8(min(maxGood, minGood<<min(m.darks, 4)))
	}
}

// brighten ends the dark: what befell all together, all get over together.
func (a *adaptive) brighten(now time.Duration) {
	a.mode.dark = false
	a.mode.badRun = 0
	a.mode.goodAt, a.mode.lightAt = now, now
	a.pardon(lightStart, never, now)
	a.out.tell(Event{State: Idle, Reason: Reason{Cause: Recovered}, Hosts: a.lists.open()})
}

// pardon makes all hosts idle that went out after since. The sums of the tests
// of all idle hosts begin at start.
func (a *adaptive) pardon(start float32, since, now time.Duration) {
	a.scratchHosts = a.scratchHosts[:0]
	for _, h := range a.tries {
		if h.health.away.leftAt >= since {
			a.scratchHosts = append(a.scratchHosts, h)
		}
	}
	for _, h := range a.scratchHosts {
		a.tries.remove(h)
		a.lists.move(h, Idle)
		a.welcome(h, Pardoned, now)
		h.health.returnedAt = never // to fall again is no relapse
	}
	a.lists.all(func(h *host) {
		if h.state == Idle && (h.health != nil || start > 0) {
			h.learn().suspect = false
			h.health.forgive(start)
			a.count(h, true)
		}
	})
}

// eject takes h out of the traffic.
func (a *adaptive) eject(h *host, cause Cause, now time.Duration) {
	s := h.health
	s.keepRecord()
	a.mode.ejected = true
	relapse := now-s.returnedAt < max(relapseWithin, 2*s.away.hold)
	if !relapse {
		s.away.relapses = 0
	} else if s.away.relapses < maxRelapses {
		s.away.relapses++
	}
	hold := min(maxTry, firstTry*time.Duration(math.Pow(relapseGrowth, float64(s.away.relapses))))
	a.setAway(h, a.reasonFor(h, cause), hold, now)
	a.tellHost(h)
}

// reasonFor is what is held against h now.
func (a *adaptive) reasonFor(h *host, cause Cause) Reason {
	s := h.health
	r := Reason{Cause: cause, Bad: s.runBad, Calls: s.runCalls, Normal: a.normal.share(s.tally, s.counted),
		Cost: s.cost.duration()}
	if peers, ok := a.costs.others(s.cost.value); ok {
		r.PeerCost = time.Duration(peers * float32(time.Microsecond))
	}
	return r
}

func (a *adaptive) setAway(h *host, r Reason, hold, now time.Duration) {
	s := h.learn()
	s.keepRecord()
	s.suspect = false
	a.count(h, false)
	a.endRamp(h)
	a.lists.move(h, Overload)
	h.since = now
	w := &s.away
	w.leftAt, w.hold, w.interval = now, hold, max(hold, firstTry)
	w.row, w.refusals = 0, 0
	w.good, w.need = 0, goodNeeded(s.runBad, s.runCalls)
	w.partly = 2*uint64(s.runBad) < uint64(s.runCalls) && r.Cause == Degraded
	w.pending, w.probing, w.vetted, w.awaiting = 0, false, false, false
	w.next = now + a.jitter(hold)
	s.reason = r
	s.inflight.clear()
	s.silent = 0
	a.tries.add(h)
}

// welcome makes h, which was moved to the idle list, one of them again.
func (a *adaptive) welcome(h *host, cause Cause, now time.Duration) {
	s := h.health
	h.since = now
	s.returnedAt = now
	s.reason = Reason{Cause: cause, Bad: s.runBad, Calls: s.runCalls}
	s.tally, s.late = tally{}, tally{}
	s.inflight.clear()
	s.refused, s.goodSince = false, 0
	s.forgive(headStart)
	a.count(h, true)
}

func (a *adaptive) tellHost(h *host) {
	a.out.tell(Event{Host: h.addr, State: h.state, Reason: h.health.reason, Out: a.lists.overload.len, Hosts: a.lists.open()})
}
