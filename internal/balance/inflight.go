package balance

import (
	"math"
	"time"
)

// inflight notices that the picks of a host stay without report. It groups
// picks into two generations and expects reports in the order of picks, since
// a report does not say which pick it belongs to:
//
//	picks ──► young ──(the old ones are all reported, or late)──► old
//
// The time until all of a generation are reported is the host's turnaround. A
// generation that takes far longer than the turnaround of peers is late; it is
// given up, so that picks which are never reported do not add up.
type inflight struct {
	since      time.Duration // when the old generation was closed: its last pick was not later
	peers      uint32        // the module's reports at that time
	old, young uint16
	turnaround median
}

// pick counts a pick.
func (f *inflight) pick(reports uint32, now time.Duration) {
	if f.old == 0 && f.young == 0 {
		f.old, f.since, f.peers = 1, now, reports
		return
	}
	if f.young < math.MaxUint16 {
		f.young++
	}
}

// report counts a report. It reports true when the old generation is complete.
func (f *inflight) report(reports uint32, now time.Duration) (took time.Duration, complete bool) {
	if f.old == 0 {
		return 0, false // of a pick that was given up
	}
	if f.old--; f.old > 0 {
		return 0, false
	}
	took = now - f.since
	f.turnaround.add(took)
	f.renew(reports, now)
	return took, true
}

// renew closes the young generation, in place of the old one.
func (f *inflight) renew(reports uint32, now time.Duration) {
	f.old, f.young, f.since, f.peers = f.young, 0, now, reports
}

// waiting is how long the old generation has waited, 0 if there is none.
func (f *inflight) waiting(now time.Duration) time.Duration {
	if f.old == 0 {
		return 0
	}
	return now - f.since
}

// unreported is the number of picks without report.
func (f *inflight) unreported() int { return int(f.old) + int(f.young) }
