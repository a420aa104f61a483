package balance

import "time"

// trust is whether a TCP connection that could not be made says anything. The
// services of a module may not listen on TCP at all; so a check counts only
// while one of a host that works has been good lately.
type trust struct {
	goodAt     time.Duration // the last good check
	known      bool          // there was one
	noneBefore time.Duration // checks say nothing before this time
	unanswered uint8         // checks of hosts that work, asked for one after the other
}

const (
	// trustFor is how long a good check lends trust to bad ones.
	trustFor = time.Minute
	// distrustFor is how long nothing is checked after a host has worked, in
	// worksAllTheSame calls, whose check was bad.
	distrustFor     = 10 * time.Minute
	worksAllTheSame = 3
	// attemptGap is the least time between two attempts at a host that is out
	// or under suspicion, be it a check or a probe. Only a good probe may be
	// followed at once.
	attemptGap = time.Second
	// maxUnanswered is how many checks of hosts that work are waited for before
	// bad checks are passed over.
	maxUnanswered = 3
)

func (t *trust) holds(now time.Duration) bool {
	return t.known && now-t.goodAt < trustFor && now >= t.noneBefore
}

// wantsCheck reports whether a host that is out is to be checked before it is
// probed.
func (a *adaptive) wantsCheck(r *record, now time.Duration) bool {
	t := a.trouble
	return a.cfg.Check && !t.mode.dark && now >= t.trust.noneBefore &&
		(now-r.away.lastTry() < trustChecks || r.away.refusals < trustRefusals)
}

// check asks for a TCP check of a host, and for one of a host that works if
// nothing else lends trust to it.
func (a *adaptive) check(i slot, now time.Duration) {
	t := a.trouble
	if !a.cfg.Check || now < t.trust.noneBefore {
		return
	}
	a.ask(i, now)
	if !t.trust.holds(now + trustFor/2) { // it has to last until the answer is there
		if c := a.control(); c != none && a.ask(c, now) {
			inc8(&t.trust.unanswered)
		}
	}
}

// ask has a host checked, unless that was just done.
func (a *adaptive) ask(i slot, now time.Duration) bool {
	r := a.keepRecord(i)
	if now-r.lastAttempt() < attemptGap {
		return false
	}
	r.checking, r.checkedAt = true, now
	o := a.outgoing()
	o.checks = append(o.checks, a.lists.hosts[i].Host())
	return true
}

// control is a host that works, if it is found among the few picked last.
func (a *adaptive) control() slot {
	const few = 8
	hosts := a.lists.hosts
	for at := range a.lists.idle.classes {
		l := &a.lists.idle.classes[at].list
		i := hosts[l.head].prev // the tail
		for range min(few, l.len) {
			if a.trouble.sums[i].worst() == 0 && a.tally(i).calls > 0 {
				return i
			}
			i = hosts[i].prev
		}
	}
	return none
}

func (a *adaptive) checked(i slot, ok bool, now time.Duration) {
	t := a.trouble
	r := a.record(i)
	if r == nil || !r.checking {
		return
	}
	flipped := ok && r.refused
	r.checking, r.refused = false, !ok
	if flipped {
		r.away.row = 0 // something has changed
	}
	if !ok {
		inc8(&r.away.refusals)
	}
	switch h := &a.lists.hosts[i]; {
	case ok:
		t.trust = trust{goodAt: now, known: true}
		t.vet(r, now)
	case h.state == Idle && !t.sums[i].suspect:
		r.goodSince = 0 // doubtChecks waits whether it works all the same
	case h.state == Idle && !h.Drained():
		a.judge(i, now)
	case !t.trust.holds(now) && (t.trust.unanswered == 0 || t.trust.unanswered > maxUnanswered):
		t.vet(r, now) // there is nothing to tell what the check means
	}
}

func (a *adaptive) unchecked(i slot, now time.Duration) {
	if r := a.record(i); r != nil {
		r.checking = false
		a.trouble.vet(r, now)
	}
}

// doubtChecks is told of a good call to a host. Checks say nothing in a module
// where a host works that refuses them.
func (a *adaptive) doubtChecks(i slot, cost, now time.Duration) {
	r := a.record(i)
	if r == nil || !r.refused || a.lists.hosts[i].state != Idle || now-cost <= r.checkedAt {
		return
	}
	if inc8(&r.goodSince); r.goodSince >= worksAllTheSame {
		r.refused = false
		a.trouble.trust = trust{noneBefore: now + distrustFor}
	}
}

// vet lets a host that is out be probed, if that was waiting for a check.
func (t *trouble) vet(r *record, now time.Duration) {
	w := &r.away
	if w.awaiting && w.slot >= 0 {
		w.awaiting, w.vetted = false, true
		t.tries.reset(r, now)
	}
}
