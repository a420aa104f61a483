package balance

import (
	"math"
	"time"
)

// A host whose picks stay without report is noticed in two generations of them:
//
//	picks ──► young ──(half of the old ones are reported, or it is late)──► old
//
// The time until half of a generation is reported is the host's turnaround:
// neither a few slow calls nor a few that are never reported make a difference,
// however many there are under way. A generation that takes far longer than
// the turnaround of peers is late.
//
// A report that says how long the call took says thereby which generation it
// belongs to, but for what passed beside the call: see maxLag. Others are taken
// in the order of picks.

// guess is what is known of a host's picks in a module with reports that do not
// say how long the call took.
type guess struct {
	forgiven float32 // until when after closed reports on earlier picks are expected, ns
	given    uint16  // picks without report, of earlier generations
	guesses  uint8   // generations that ended with a report without cost, since clear
}

// maxGuesses is after how many generations of reports without cost the books
// are opened anew: with one report in a hundred lost, their order is then off
// by a sixth of a generation.
const maxGuesses = 16

// maxLag is how much more than the call is thought to lie between a pick and its
// report: answer and report are on their way, and callers begin the call some
// time after they are told where to, most of them within a tenth of it. More does
// no harm unless calls to the host are under way all the time: then the host is
// not watched until a generation of its peers tells that it is late.
const maxLag = 2 * time.Millisecond

// pick counts a pick; reports is the module's number of them. Here and below g
// is nil where every report had a cost.
func (s *health) pick(reports uint16, now time.Duration, g *guess) {
	if s.old == 0 && s.young == 0 {
		if g != nil {
			g.forgiven -= float32(now - s.closed)
		}
		s.old, s.size, s.span, s.closed, s.reports = 1, 1, 0, now, reports
		return
	}
	if s.young < math.MaxUint16 {
		s.young++
	}
}

// report counts a report. It returns true when half of the old generation is
// reported, and how long that took. If it ended with a failure that says
// nothing: many fail sooner than they could succeed. A report without cost
// needs g.
func (s *health) report(ok bool, cost time.Duration, reports uint16, now time.Duration, g *guess) (took time.Duration, complete bool) {
	switch picked := now - cost; {
	case cost > 0 && picked < s.closed-time.Duration(s.span):
		return 0, false
	case cost > 0 && s.young > 0 && picked > s.closed+maxLag:
		s.young--
		return 0, false
	case cost <= 0 && g.given > 0 && now-s.closed < time.Duration(g.forgiven):
		g.given--
		return 0, false
	}
	if s.old == 0 {
		return 0, false
	}
	if s.old--; 2*s.old > s.size {
		return 0, false
	}
	took = now - s.closed
	if ok {
		s.addTurnaround(took)
	}
	s.renew(took, reports, now, g)
	if cost <= 0 {
		// Each report that never comes has put those after it one pick back.
		if g.guesses++; g.guesses >= maxGuesses {
			given := g.given + s.old + s.young
			s.clear(g)
			g.given, g.forgiven = given, atLeast(2*took)
		}
	}
	return took, ok
}

// renew closes the young generation, in place of the old one, of which wait has
// passed. Reports on the rest of it are expected for ten times as long at most.
func (s *health) renew(wait time.Duration, reports uint16, now time.Duration, g *guess) {
	if g != nil {
		g.given, g.forgiven = s.old, atLeast(10*wait)
	}
	s.span = atLeast(now - s.closed)
	s.old, s.size, s.young, s.closed, s.reports = s.young, s.young, 0, now, reports
}

// atLeast is d in four bytes: exact up to 16 ms, and above it too long by one
// part in 8 million at most, so that no pick seems to be before a generation
// that began with it.
func atLeast(d time.Duration) float32 {
	f := float32(d)
	if time.Duration(f) < d {
		f = math.Nextafter32(f, math.MaxFloat32)
	}
	return f
}

// waiting is how long the old generation has waited, 0 if there is none.
func (s *health) waiting(now time.Duration) time.Duration {
	if s.old == 0 {
		return 0
	}
	return now - s.closed
}

// unreported is the number of picks without report.
func (s *health) unreported() int { return int(s.old) + int(s.young) }

// clear forgets the picks that are under way.
func (s *health) clear(g *guess) {
	s.old, s.size, s.young = 0, 0, 0
	if g != nil {
		g.given, g.guesses = 0, 0
	}
}
