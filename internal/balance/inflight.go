package balance

import (
	"math"
	"time"
)

// inflight notices that the picks of a host stay without report. It groups
// them into two generations:
//
//	picks ──► young ──(half of the old ones are reported, or it is late)──► old
//
// The time until half of a generation is reported is the host's turnaround:
// neither a few slow calls nor a few that are never reported make a difference,
// however many there are under way. A generation that takes far longer than
// the turnaround of peers is late.
//
// A report that says how long the call took says thereby which generation it
// belongs to; others are taken in the order of picks.
type inflight struct {
	opened     time.Duration // the old generation's picks were not before
	closed     time.Duration // nor were they after
	forgiven   time.Duration // until when reports on earlier picks are expected
	reports    uint32        // the module's, when the old generation was closed
	size       uint16        // of the old generation
	old, young uint16        // picks without report
	given      uint16        // likewise, of earlier generations
	guesses    uint8         // generations that ended with a report without cost, since clear
	turnaround median
}

// maxGuesses is after how many generations of reports without cost the books
// are opened anew: with one report in a hundred lost, their order is then off
// by a sixth of a generation.
const maxGuesses = 16

// pick counts a pick.
func (f *inflight) pick(reports uint32, now time.Duration) {
	if f.old == 0 && f.young == 0 {
		f.old, f.size, f.opened, f.closed, f.reports = 1, 1, now, now, reports
		return
	}
	if f.young < math.MaxUint16 {
		f.young++
	}
}

// report counts a report; reports is the module's number of them. It returns
// true when half of the old generation is reported, and how long that took. If
// it ended with a failure that says nothing: many fail sooner than they could
// succeed.
func (f *inflight) report(ok bool, cost time.Duration, reports uint32, now time.Duration) (took time.Duration, complete bool) {
	switch picked := now - cost; {
	case cost > 0 && picked < f.opened:
		return 0, false
	case cost > 0 && picked > f.closed:
		if f.young > 0 {
			f.young--
		}
		return 0, false
	case cost <= 0 && f.given > 0 && now < f.forgiven:
		f.given--
		return 0, false
	}
	if f.old == 0 {
		return 0, false
	}
	if f.old--; 2*f.old > f.size {
		return 0, false
	}
	took = now - f.closed
	if ok {
		f.turnaround.add(took)
	}
	f.renew(took, reports, now)
	if cost <= 0 {
		// Each report that never comes has put those after it one pick back.
		if f.guesses++; f.guesses >= maxGuesses {
			given := f.given + f.old + f.young
			f.clear()
			f.given, f.forgiven = given, now+2*took
		}
	}
	return took, ok
}

// renew closes the young generation, in place of the old one, of which wait has
// passed. Reports on the rest of it are expected for ten times as long at most.
func (f *inflight) renew(wait time.Duration, reports uint32, now time.Duration) {
	f.given, f.forgiven = f.old, now+10*wait
	f.opened = f.closed
	f.old, f.size, f.young, f.closed, f.reports = f.young, f.young, 0, now, reports
}

// waiting is how long the old generation has waited, 0 if there is none.
func (f *inflight) waiting(now time.Duration) time.Duration {
	if f.old == 0 {
		return 0
	}
	return now - f.closed
}

// unreported is the number of picks without report.
func (f *inflight) unreported() int { return int(f.old) + int(f.young) }

// clear forgets the picks that are under way.
func (f *inflight) clear() { f.old, f.size, f.young, f.given, f.guesses = 0, 0, 0, 0, 0 }
