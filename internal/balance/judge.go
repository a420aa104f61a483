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
	m := Mood{Normal: a.normal.share(a.decay.unit, tally{}, false)}
	switch t := a.trouble; {
	case t == nil:
	case t.mode.dark:
		m.Cause = Blackout
	case now < t.mode.truceUntil:
		m.Cause, m.Until = SharedCause, t.mode.truceUntil
	}
	return m
}

// judge ejects a host if the evidence against it suffices.
func (a *adaptive) judge(i slot, now time.Duration) {
	t := a.trouble
	if t == nil {
		return // there is none against any
	}
	s := &t.sums[i]
	wasSuspect := s.suspect
	s.suspect = s.worst() >= suspicion
	a.count(i, !s.suspect || now < t.mode.truceUntil)
	if s.suspect && !wasSuspect {
		if r := t.records[i]; r != nil {
			r.refused = false
		}
		a.check(i, now)
	}
	var cause Cause
	switch r := t.records[i]; {
	case s.suspect && r != nil && r.refused && t.trust.holds(now):
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
	if (now >= t.mode.truceUntil || a.endsTruce(i, cause, now)) && a.mayEject(i, cause, now) {
		a.eject(i, cause, now)
		return
	}
	s.failing, s.degraded, s.hanging = min(s.failing, Alarm), min(s.degraded, Alarm), min(s.hanging, Alarm)
}

// mayEject reports whether a host alone is to blame. Otherwise it declares a
// truce.
func (a *adaptive) mayEject(i slot, cause Cause, now time.Duration) bool {
	t := a.trouble
	idle, open := int(a.lists.idle.len), a.lists.open()
	if open == 1 {
		return false // it has no peers; whether it is any good judgeModule sees
	}
	rest, doubtful := idle-1, 0
	a.lists.idle.all(a.lists.hosts, func(o slot) {
		if o != i && t.sums[o].likeBad(&t.sums[i], cause) {
			doubtful++
		}
	})
	switch {
	case rest > 0 && 2*doubtful <= rest:
		return true // most of the others are beyond doubt
	case cause == Unreachable && doubtful < rest:
		return true // what refuses connections is down, and not all seem to be
	case a.proven(i, now):
		return true
	}
	m := &t.mode
	r := a.reasonFor(i, SharedCause)
	// Hosts that are out for longer were worse than others at a time when
	// those were well. They stay out, unless it is what makes the others bad.
	since := now - pardonWithin
	if 2*int(a.lists.overload.len) >= open {
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
	a.forget()
	a.tell(Event{State: Idle, Reason: r, Out: int(a.lists.overload.len), Hosts: open})
	return false
}

// endsTruce reports whether, in a first truce, it has come out already that
// the cause is not shared: a host fails mostly, and others do well.
func (a *adaptive) endsTruce(i slot, cause Cause, now time.Duration) bool {
	t := a.trouble
	switch {
	case cause == Unreachable && t.mode.truce == firstTruce:
		return true
	case a.reports-t.looked < uint32(max(minRefresh, a.lists.open())):
		return false // what follows is linear in the hosts
	}
	t.looked = a.reports
	if a.lists.overload.len > 0 && now-t.mode.truceAt >= relieveAfter && a.badShare() >= strained {
		a.pardon(0, never, now)
		return false
	}
	if t.mode.truce > firstTruce {
		return false
	}
	share, calls := a.decay.of(a.tally(i))
	return calls >= badlyCalls && share >= provenBadly && a.proven(i, now)
}

// badShare is the share of bad calls to all idle hosts lately.
func (a *adaptive) badShare() float64 {
	var all tally
	a.lists.idle.all(a.lists.hosts, func(i slot) {
		t := a.tally(i)
		all.bad += t.bad
		all.calls += t.calls
	})
	share, _ := a.decay.of(all)
	return share
}

// proven reports whether some hosts other than this one did well while most
// seemed bad: a tenth of them, and at least one.
func (a *adaptive) proven(i slot, now time.Duration) bool {
	t := a.trouble
	if now >= t.mode.soberUntil {
		return false
	}
	well := 0
	bad, _ := a.decay.of(a.tally(i))
	a.lists.idle.all(a.lists.hosts, func(o slot) {
		if share, calls := a.decay.of(a.tally(o)); o != i && t.sums[o].worst() < doubt &&
			calls >= provenCalls && share <= max(provenBad, bad/provenRatio) {
			well++
		}
	})
	return well >= max(1, a.lists.open()/10)
}

// judgeModule notices that every host fails.
func (a *adaptive) judgeModule(now time.Duration) {
	open := a.lists.open()
	if a.badRun < uint32(max(minDark, darkPerHost*open)) || a.silence.silent || !a.silence.mostReported() {
		return
	}
	t := a.troubled()
	m := &t.mode
	if m.dark || now-max(a.silence.goodAt, m.lightAt) < darkAfter {
		return
	}
	m.dark, m.truceUntil, m.soberUntil, m.trickleAt = true, 0, 0, now
	if now-m.lightAt < darkAgain {
		m.darks++
	} else {
		m.darks = 0
	}
	a.tell(Event{State: Overload, Reason: Reason{Cause: Blackout, Bad: a.badRun, Calls: a.badRun}, Out: open, Hosts: open})
	for a.lists.idle.len > 0 {
		a.setAway(a.lists.next(), Reason{Cause: Blackout}, 0, now)
	}
	for _, r := range t.tries {
		w := &r.away
		w.vetted = true // a trickle of calls is all that goes out
		w.good = 0
		w.need = uint8(min(maxGood, minGood<<min(m.darks, 4)))
	}
}

// brighten ends the dark: what befell all together, all get over together.
func (a *adaptive) brighten(now time.Duration) {
	m := &a.trouble.mode
	m.dark, m.lightAt = false, now
	a.badRun = 0
	a.pardon(lightStart, never, now)
	a.tell(Event{State: Idle, Reason: Reason{Cause: Recovered}, Hosts: a.lists.open()})
}

// pardon makes all hosts idle that went out after since. The sums of the tests
// of all idle hosts begin at start.
func (a *adaptive) pardon(start float32, since, now time.Duration) {
	t := a.trouble
	t.pardoned = t.pardoned[:0]
	for _, r := range t.tries {
		if r.away.leftAt >= since {
			t.pardoned = append(t.pardoned, r.host)
		}
	}
	for _, i := range t.pardoned {
		r := t.records[i]
		t.tries.remove(r)
		a.lists.move(i, Idle)
		a.welcome(i, Pardoned, now)
		r.returnedAt = never // to fall again is no relapse
	}
	a.lists.all(func(i slot) {
		if a.lists.hosts[i].state == Idle {
			t.sums[i].suspect = false
			t.sums[i].forgive(start)
			a.count(i, true)
		}
	})
}

// eject takes a host out of the traffic.
func (a *adaptive) eject(i slot, cause Cause, now time.Duration) {
	w := &a.keepRecord(i).away
	a.trouble.mode.ejected = true
	relapse := now-a.trouble.records[i].returnedAt < max(relapseWithin, 2*w.hold)
	if !relapse {
		w.relapses = 0
	} else if w.relapses < maxRelapses {
		w.relapses++
	}
	hold := min(maxTry, firstTry*time.Duration(math.Pow(relapseGrowth, float64(w.relapses))))
	a.setAway(i, a.reasonFor(i, cause), hold, now)
	a.tellHost(i)
}

// reasonFor is what is held against a host now.
func (a *adaptive) reasonFor(i slot, cause Cause) Reason {
	s, h := &a.trouble.sums[i], a.learn(i)
	r := Reason{Cause: cause, Bad: s.runBad, Calls: s.runCalls, Normal: a.normalFor(i), Cost: h.costMedian().duration()}
	if peers, ok := a.costs.others(h.cost); ok {
		r.PeerCost = time.Duration(peers * float32(time.Microsecond))
	}
	return r
}

func (a *adaptive) setAway(i slot, reason Reason, hold, now time.Duration) {
	r := a.keepRecord(i)
	s := &a.trouble.sums[i]
	s.suspect = false
	a.count(i, false)
	a.endRamp(i)
	a.lists.move(i, Overload)
	r.since = now
	w := &r.away
	w.leftAt, w.hold, w.interval = now, hold, max(hold, firstTry)
	w.row, w.refusals = 0, 0
	w.good, w.need = 0, goodNeeded(s.runBad, s.runCalls)
	w.partly = 2*uint64(s.runBad) < uint64(s.runCalls) && reason.Cause == Degraded
	w.pending, w.probing, w.vetted, w.awaiting = 0, false, false, false
	w.next = now + a.jitter(hold)
	r.reason = reason
	a.startAnew(i)
	a.trouble.tries.add(r)
}

// startAnew forgets which picks of a host wait for a report.
func (a *adaptive) startAnew(i slot) {
	s := a.learn(i)
	s.clear(a.guess(i))
	s.silent = 0
}

// welcome makes a host that was moved to the idle list one of them again.
func (a *adaptive) welcome(i slot, cause Cause, now time.Duration) {
	r, s, h := a.trouble.records[i], &a.trouble.sums[i], a.learn(i)
	r.since, r.returnedAt = now, now
	r.reason = Reason{Cause: cause, Bad: s.runBad, Calls: s.runCalls}
	r.refused, r.goodSince = false, 0
	a.forgetTallies(i)
	h.clear(a.guess(i))
	s.forgive(headStart)
	a.count(i, true)
}

func (a *adaptive) tellHost(i slot) {
	h := &a.lists.hosts[i]
	a.tell(Event{Host: h.Host(), State: h.state, Reason: a.trouble.records[i].reason, Out: int(a.lists.overload.len), Hosts: a.lists.open()})
}
