package balance

import "time"

// tally is how many recent calls to a host there were, and were bad.
func (a *adaptive) tally(i slot) tally {
	var t tally
	if a.health != nil {
		t.calls = a.health[i].calls
	}
	if a.trouble != nil {
		t.bad = a.trouble.sums[i].bad
	}
	return t
}

// lateTally is tally, of generations of picks and late ones.
func (a *adaptive) lateTally(i slot) tally {
	var t tally
	if a.health != nil {
		t.calls = a.health[i].generations
	}
	if a.trouble != nil {
		t.bad = a.trouble.sums[i].late
	}
	return t
}

// forgetTallies makes both tallies of a host zero, of which there must be
// something known.
func (a *adaptive) forgetTallies(i slot) {
	a.health[i].calls, a.health[i].generations = 0, 0
	if t := a.trouble; t != nil {
		t.sums[i].bad, t.sums[i].late = 0, 0
	}
}

// forget makes normal what it is before there are calls.
func (a *adaptive) forget() {
	a.decay.unit = 1
	a.normal, a.lateness = normal{}, normal{}
	for i := range a.health {
		a.forgetTallies(slot(i))
	}
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
		a.health[i].calls *= float32(f)
		a.health[i].generations *= float32(f)
	}
	if t := a.trouble; t != nil {
		for i := range t.sums {
			t.sums[i].bad *= float32(f)
			t.sums[i].late *= float32(f)
		}
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
		a.normal.include(a.tally(i))
		a.lateness.include(a.lateTally(i))
	} else {
		a.normal.exclude(a.tally(i))
		a.lateness.exclude(a.lateTally(i))
	}
}

// counts reports whether a host counts for what is normal.
func (a *adaptive) counts(i slot) bool { return a.health == nil || !a.health[i].excluded }
