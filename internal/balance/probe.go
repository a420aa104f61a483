package balance

import (
	"slices"
	"time"
)

// maxDue bounds how many hosts a pick looks at that are to be tried.
const maxDue = 4

// due returns a host that is out and to be probed by this pick, none if there
// is none. Hosts that are due and need something else first get it.
func (a *adaptive) due(now time.Duration) slot {
	t := a.trouble
	for range maxDue {
		r := t.tries.first()
		if r == nil || r.away.next > now {
			return none
		}
		w := &r.away
		switch {
		case w.probing:
			a.unanswered(r, now)
		case w.good == 0 && now-r.lastAttempt() < attemptGap:
			t.tries.reset(r, r.lastAttempt()+attemptGap)
		case w.awaiting && r.checking:
			w.awaiting, w.vetted = false, true // no answer came
		case !w.vetted && a.wantsCheck(r, now):
			// The answer makes it vetted, or puts off the next try.
			w.awaiting = true
			t.tries.reset(r, now+checkEvery)
			a.check(r.host, now)
		case a.picks-w.probed < a.patience(w):
			t.tries.reset(r, now+time.Millisecond)
		case t.mode.dark && w.good == 0 && now < t.mode.trickleAt:
			return none
		default:
			t.mode.trickleAt = now + trickle
			w.probing, w.probedAt, w.probed = true, now, a.picks
			inc8(&w.pending)
			w.refusals = 0
			t.tries.reset(r, now+a.probeTimeout(r))
			a.lists.putBack(r.host)
			return r.host
		}
	}
	return none
}

// patience is how many picks there must be between two probes of a host.
func (a *adaptive) patience(w *away) uint32 {
	open, dark := uint32(a.lists.open()), a.trouble.mode.dark
	switch {
	case dark && w.good > 0:
		return 0 // all wait for it
	case dark || w.good > 0:
		return open
	default:
		return open * min(maxPatience, uint32(1)<<min(w.row, 8))
	}
}

// probeTimeout is how long the report on a probe is awaited.
func (a *adaptive) probeTimeout(r *record) time.Duration {
	if late := a.lateAfter(a.learn(r.host)); late != unlimited {
		return max(probeTimeout, late)
	}
	return probeTimeout
}

// probed learns how a probe went, be it later than it was awaited. Reports on
// calls from before the host was ejected pass by.
func (a *adaptive) probed(i slot, bad bool, cost, now time.Duration) {
	t := a.trouble
	r := t.records[i]
	w := &r.away
	if w.pending == 0 || cost > 0 && now-cost < w.leftAt {
		return
	}
	w.pending--
	w.probing = false
	if bad || now-w.probedAt > a.lateAfter(a.learn(i)) {
		a.putOff(r, now)
		return
	}
	w.vetted = true
	if w.good++; w.good < w.need {
		next := now // at once
		if t.mode.dark {
			next = 0 // and before all others
		}
		t.tries.reset(r, next)
		return
	}
	if t.mode.dark {
		a.brighten(now)
		return
	}
	a.comeBack(i, now)
}

// putOff sets the next try of a host that failed one.
func (a *adaptive) putOff(r *record, now time.Duration) {
	w, dark := &r.away, a.trouble.mode.dark
	w.good, w.vetted = 0, dark
	inc8(&w.row)
	if dark {
		w.interval = firstTry
	} else {
		growth := deadGrowth
		if w.partly {
			growth = partlyGrowth
		}
		w.interval = min(maxTry, time.Duration(float64(w.interval)*growth))
	}
	a.trouble.tries.reset(r, now+a.jitter(w.interval))
}

// unanswered is called when no report came on a probe.
func (a *adaptive) unanswered(r *record, now time.Duration) {
	w := &r.away
	w.probing = false
	if a.silence.silent || !a.silence.heard {
		a.probed(r.host, false, 0, now) // no news is good news
		return
	}
	w.vetted = w.vetted && w.good > 0 || a.trouble.mode.dark
	a.trouble.tries.reset(r, now+a.jitter(w.interval))
}

// comeBack gives a host its share back, by and by.
func (a *adaptive) comeBack(i slot, now time.Duration) {
	t := a.trouble
	r := t.records[i]
	t.tries.remove(r)
	a.lists.move(i, Idle)
	a.welcome(i, Recovered, now)
	t.ramping = append(t.ramping, i)
	r.ramping = true
	a.lists.setPart(i, rampPart(r, now))
	a.tellHost(i)
}

// rampPart is the part of its share of a host that came back. It grows in
// steps, so that few picks have to change it.
func rampPart(r *record, now time.Duration) uint8 {
	grown := min(1, float64(now-r.returnedAt)/float64(ramp))
	return uint8((rampStart + (1-rampStart)*grown) * parts)
}

// growRamp sets the share of one of the hosts that came back lately.
func (a *adaptive) growRamp(now time.Duration) {
	t := a.trouble
	if len(t.ramping) == 0 {
		return
	}
	t.nextRamp = (t.nextRamp + 1) % len(t.ramping)
	i := t.ramping[t.nextRamp]
	r := t.records[i]
	if now-r.returnedAt >= ramp {
		a.endRamp(i)
		return
	}
	a.lists.setPart(i, rampPart(r, now))
}

// endRamp gives a host its full share at once, if it has not got it.
func (a *adaptive) endRamp(i slot) {
	t := a.trouble
	r := t.records[i]
	if r == nil || !r.ramping {
		return
	}
	r.ramping = false
	at := slices.Index(t.ramping, i)
	last := len(t.ramping) - 1
	t.ramping[at] = t.ramping[last]
	t.ramping = t.ramping[:last]
	if !a.lists.hosts[i].Drained() {
		a.lists.setPart(i, parts)
	}
}
