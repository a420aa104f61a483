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
func (a *adaptive) wantsCheck(h *host, now time.Duration) bool {
	return a.cfg.Check && !a.mode.dark && now >= a.trust.noneBefore &&
		(now-h.health.away.lastTry() < trustChecks || h.health.away.refusals < trustRefusals)
}

// check asks for a TCP check of h, and for one of a host that works if nothing
// else lends trust to it.
func (a *adaptive) check(h *host, now time.Duration) {
	if !a.cfg.Check || now < a.trust.noneBefore {
		return
	}
	a.ask(h, now)
	if !a.trust.holds(now + trustFor/2) { // it has to last until the answer is there
		if c := a.control(); c != nil && a.ask(c, now) {
			inc8(&a.trust.unanswered)
		}
	}
}

// ask has a host checked, unless that was just done.
func (a *adaptive) ask(h *host, now time.Duration) bool {
	s := h.learn()
	if now-s.lastAttempt() < attemptGap {
		return false
	}
	s.keepRecord()
	s.checking, s.checkedAt = true, now
	a.out.checks = append(a.out.checks, h.addr)
	return true
}

// control is a host that works, if it is found among the few picked last.
func (a *adaptive) control() *host {
	const few = 8
	for i := range a.lists.idle.classes {
		h := a.lists.idle.classes[i].list.tail
		for n := 0; n < few && h != nil; n, h = n+1, h.prev {
			if s := h.health; s != nil && s.worst() == 0 && s.tally.calls > 0 {
				return h
			}
		}
	}
	return nil
}

func (a *adaptive) checked(h *host, ok bool, now time.Duration) {
	s := h.health
	if s == nil || !s.checking {
		return
	}
	flipped := ok && s.refused
	s.checking, s.refused = false, !ok
	if flipped {
		s.away.row = 0 // something has changed
	}
	if !ok {
		inc8(&s.away.refusals)
	}
	switch {
	case ok:
		a.trust = trust{goodAt: now, known: true}
		a.vet(h, now)
	case h.state == Idle && !s.suspect:
		s.goodSince = 0 // doubtChecks waits whether it works all the same
	case h.state == Idle && h.weight > 0:
		a.judge(h, now)
	case !a.trust.holds(now) && (a.trust.unanswered == 0 || a.trust.unanswered > maxUnanswered):
		a.vet(h, now) // there is nothing to tell what the check means
	}
}

func (a *adaptive) unchecked(h *host, now time.Duration) {
	if s := h.health; s != nil && s.record != nil {
		s.checking = false
		a.vet(h, now)
	}
}

// doubtChecks is told of a good call to h. Checks say nothing in a module where
// a host works that refuses them.
func (a *adaptive) doubtChecks(h *host, cost, now time.Duration) {
	s := h.health
	if !s.refused || h.state != Idle || now-cost <= s.checkedAt {
		return
	}
	if inc8(&s.goodSince); s.goodSince >= worksAllTheSame {
		s.refused = false
		a.trust = trust{noneBefore: now + distrustFor}
	}
}

// vet lets a host that is out be probed, if that was waiting for a check.
func (a *adaptive) vet(h *host, now time.Duration) {
	w := &h.health.away
	if w.awaiting && w.slot >= 0 {
		w.awaiting, w.vetted = false, true
		a.tries.reset(h, now)
	}
}
