package balance

import "time"

// silence notices callers that report no success. Their picks are then taken
// for successes until a failure is reported.
type silence struct {
	goodAt time.Duration
	// Of late; all are halved at times.
	picks, goods, reports uint32
	silent                bool
	heard                 bool // of a success, ever
}

const (
	// silenceAfter is the least number of picks that are judged.
	silenceAfter = 128
	// Callers report successes again once those are more than one for
	// silentGoods picks.
	silentGoods = 20
	// silentFor is how long no success was reported before callers count as
	// silent: calls may take long, and reports come in bursts.
	silentFor = 10 * time.Second
)

// pick counts a pick among so many hosts.
func (s *silence) pick(hosts int, now time.Duration) {
	if s.picks++; s.picks < silenceAfter+2*uint32(hosts) {
		return
	}
	few := uint64(s.goods)*silentGoods < uint64(s.picks)
	// Once silent, only successes end it: when most picks fail, that is no
	// sign that the others would be reported.
	s.silent = few && (s.silent || !s.mostReported() && now-s.goodAt > silentFor)
	s.picks, s.goods, s.reports = s.picks/2, s.goods/2, s.reports/2
}

// mostReported says that three of four picks or more are reported; if all of
// them failed, it is the hosts that are bad.
func (s *silence) mostReported() bool { return uint64(s.reports)*4 >= uint64(s.picks)*3 }

func (s *silence) report(ok bool, now time.Duration) {
	inc(&s.reports)
	if ok {
		inc(&s.goods)
		s.heard, s.goodAt = true, now
	}
}
