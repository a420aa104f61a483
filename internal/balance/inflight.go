package balance

import (
	"math"
	"time"
)

// inflight notices that the picks of a host stay without report. It groups
// them into two generations:
//
//	picks ──► young ──(the old ones are all reported, or late)──► old
//
// The time until all of a generation are reported is the host's turnaround. A
// generation that takes far longer than the turnaround of peers is late; it is
// given up, so that picks which are never reported do not add up.
//
// A report that says how long the call took says thereby which generation it
// belongs to; others are taken in the order of picks.
type inflight struct {
	opened     time.Duration // the old generation's picks were not before
	closed     time.Duration // nor were they after
	forgiven   time.Duration // until when reports on given-up picks are expected
	reports    uint32        // the module's, when the old generation was closed
	old, young uint16
	given      uint16 // picks of generations that were given up
	turnaround median
}

// pick counts a pick.
func (f *inflight) pick(reports uint32, now time.Duration) {
	if f.old == 0 && f.young == 0 {
		f.old, f.opened, f.closed, f.reports = 1, now, now, reports
		return
	}
	if f.young < math.MaxUint16 {
		f.young++
	}
}

// report counts a report; reports is the module's number of them. It returns
// true when the old generation is complete, and how long that took. If it ended
// with a failure that says nothing: many fail sooner than they could succeed.
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
	if f.old--; f.old > 0 {
		return 0, false
	}
	took = now - f.closed
	if ok {
		f.turnaround.add(took)
	}
	f.renew(reports, now)
	return took, ok
}

// renew closes the young generation, in place of the old one.
func (f *inflight) renew(reports uint32, now time.Duration) {
	f.opened = f.closed
	f.old, f.young, f.closed, f.reports = f.young, 0, now, reports
}

// giveUp stops waiting for the old generation, after it waited for wait.
// Reports on it are expected for ten times as long at most.
func (f *inflight) giveUp(wait time.Duration, reports uint32, now time.Duration) {
	f.given, f.forgiven = f.old, now+10*wait
	f.renew(reports, now)
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
func (f *inflight) clear() { f.old, f.young, f.given = 0, 0, 0 }
