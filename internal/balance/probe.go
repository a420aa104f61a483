package balance

import "time"

// maxDue bounds how many hosts a pick looks at that are to be tried.
const maxDue = 4

// due returns a host that is out and to be probed by this pick, if there is
// one. Hosts that are due and need something else first get it.
func (a *adaptive) due(now time.Duration) *host {
	for range maxDue {
		h := a.tries.first()
		if h == nil || h.health.away.next > now {
			return nil
		}
		w := &h.health.away
		switch {
		case w.probing:
			a.unanswered(h, now)
		case w.good == 0 && now-h.health.lastAttempt() < attemptGap:
			a.tries.reset(h, h.health.lastAttempt()+attemptGap)
		case w.awaiting && h.health.checking:
			w.awaiting, w.vetted = false, true // no answer came
		case !w.vetted && a.wantsCheck(h, now):
			// The answer makes it vetted, or puts off the next try.
			w.awaiting = true
			a.tries.reset(h, now+checkEvery)
			a.check(h, now)
		case a.picks-w.probed < a.patience(w):
			a.tries.reset(h, now+time.Millisecond)
		case a.mode.dark && w.good == 0 && now < a.mode.trickleAt:
			return nil
		default:
			a.mode.trickleAt = now + trickle
			w.probing, w.probedAt, w.probed = true, now, a.picks
			inc8(&w.pending)
			w.refusals = 0
			a.tries.reset(h, now+a.probeTimeout(h))
			a.lists.rotate(h)
			return h
		}
	}
	return nil
}

// patience is how many picks there must be between two probes of a host.
func (a *adaptive) patience(w *away) uint64 {
	open := uint64(a.lists.open())
	switch {
	case a.mode.dark && w.good > 0:
		return 0 // all wait for it
	case a.mode.dark || w.good > 0:
		return open
	default:
		return open * min(maxPatience, uint64(1)<<min(w.row, 8))
	}
}

// probeTimeout is how long the report on a probe is awaited.
func (a *adaptive) probeTimeout(h *host) time.Duration {
	if late := a.lateAfter(h.health); late != unlimited {
		return max(probeTimeout, late)
	}
	return probeTimeout
}

// probed learns how a probe went, be it later than it was awaited. Reports on
// calls from before the host was ejected pass by.
func (a *adaptive) probed(h *host, bad bool, cost, now time.Duration) {
	w := &h.health.away
	if w.pending == 0 || cost > 0 && now-cost < w.leftAt {
		return
	}
	w.pending--
	w.probing = false
	if bad || now-w.probedAt > a.lateAfter(h.health) {
		a.putOff(h, now)
		return
	}
	w.vetted = true
	if w.good++; w.good < w.need {
		next := now // at once
		if a.mode.dark {
			next = 0 // and before all others
		}
		a.tries.reset(h, next)
		return
	}
	if a.mode.dark {
		a.brighten(now)
		return
	}
	a.comeBack(h, now)
}

// putOff sets the next try of a host that failed one.
func (a *adaptive) putOff(h *host, now time.Duration) {
	w := &h.health.away
	w.good, w.vetted = 0, a.mode.dark
	inc8(&w.row)
	if a.mode.dark {
		w.interval = firstTry
	} else {
		growth := deadGrowth
		if w.partly {
			growth = partlyGrowth
		}
		w.interval = min(maxTry, time.Duration(float64(w.interval)*growth))
	}
	a.tries.reset(h, now+a.jitter(w.interval))
}

// unanswered is called when no report came on a probe.
func (a *adaptive) unanswered(h *host, now time.Duration) {
	w := &h.health.away
	w.probing = false
	if a.silence.silent || !a.silence.heard {
		a.probed(h, false, 0, now) // no news is good news
		return
	}
	w.vetted = w.vetted && w.good > 0 || a.mode.dark
	a.tries.reset(h, now+a.jitter(w.interval))
}

// comeBack gives h its share back, by and by.
func (a *adaptive) comeBack(h *host, now time.Duration) {
	a.tries.remove(h)
	a.lists.move(h, Idle)
	a.welcome(h, Recovered, now)
	a.ramping = append(a.ramping, h)
	h.health.ramping = true
	a.lists.setShare(h, rampShare(h, now))
	a.tellHost(h)
}

// rampShare is the share of a host that came back. It grows in steps, so that
// few picks have to change it.
func rampShare(h *host, now time.Duration) int32 {
	const steps = 32
	grown := min(1, float64(now-h.health.returnedAt)/float64(ramp))
	step := int64((rampStart + (1-rampStart)*grown) * steps)
	return max(1, int32(int64(fullShare(h.weight))*step/steps))
}

// growRamp sets the share of one of the hosts that came back lately.
func (a *adaptive) growRamp(now time.Duration) {
	if len(a.ramping) == 0 {
		return
	}
	a.nextRamp = (a.nextRamp + 1) % len(a.ramping)
	h := a.ramping[a.nextRamp]
	if now-h.health.returnedAt >= ramp {
		a.endRamp(h)
		return
	}
	a.lists.setShare(h, rampShare(h, now))
}

// endRamp gives h its full share at once, if it has not got it.
func (a *adaptive) endRamp(h *host) {
	if h.health == nil || !h.health.ramping {
		return
	}
	h.health.ramping = false
	for i, r := range a.ramping {
		if r == h {
			last := len(a.ramping) - 1
			a.ramping[i], a.ramping[last] = a.ramping[last], nil
			a.ramping = a.ramping[:last]
			break
		}
	}
	if h.weight > 0 {
		a.lists.setShare(h, fullShare(h.weight))
	}
}
