package balance

// silence notices callers that report no success. Their picks are then taken
// for successes until a failure is reported.
type silence struct {
	silent                bool
	picks, goods, reports uint32 // of late; all are halved at times
}

const (
	// silenceAfter is the least number of picks that are judged.
	silenceAfter = 128
	// Silent are callers that report fewer than one success for silentGoods
	// picks. If they report more than silentReports in four picks, all of
	// which fail, it is the hosts that are bad.
	silentGoods   = 20
	silentReports = 3
)

// pick counts a pick among so many hosts and reports whether callers are silent.
func (s *silence) pick(hosts int) bool {
	s.picks++
	if s.picks >= silenceAfter+2*uint32(hosts) {
		s.silent = s.goods*silentGoods < s.picks && s.reports*4 < s.picks*silentReports
		s.picks, s.goods, s.reports = s.picks/2, s.goods/2, s.reports/2
	}
	return s.silent
}

func (s *silence) report(ok bool) {
	inc(&s.reports)
	if ok {
		inc(&s.goods)
	}
}
