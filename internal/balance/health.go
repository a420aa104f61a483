package balance

import (
	"math"
	"time"
)

// verdict is how a call went.
type verdict uint8

const (
	good   verdict = iota
	slow           // it succeeded, but took longer than calls to the peers should
	failed         // or it took so long that it might as well have
)

// health is what the policy adaptive knows about a host that was picked.
type health struct {
	failing, degraded, hanging float32 // the sums of the tests, nats
	runBad, runCalls           uint32  // since both failing and degraded were 0
	tally                      tally
	late                       tally // as tally, of generations of picks
	cost                       median

	silent  uint16 // picks to be taken for good calls unless a failure comes; see silence
	counted bool   // its tallies are part of what is normal
	suspect bool
	ramping bool
	// TCP checks.
	checking  bool  // asked for, and not answered
	refused   bool  // the last one failed
	goodSince uint8 // calls that were good all the same

	inflight inflight
	// record is nil as long as the host was neither checked nor out: agents
	// have very many hosts, and most of them are well.
	*record
}

// record is what is known of a host that gave, or gives, trouble.
type record struct {
	checkedAt  time.Duration // when the last TCP check was asked for
	reason     Reason        // why the host is in its state
	returnedAt time.Duration // when it came back last; while ramping, the start of the ramp
	away       away
}

// known is what is known of h, to be read only.
func (h *host) known() *health {
	if h.health == nil {
		return &health{counted: true}
	}
	return h.health
}

// learn returns what is known of h, to be added to.
func (h *host) learn() *health {
	if h.health == nil {
		h.health = &health{counted: true}
	}
	return h.health
}

// keepRecord makes sure that s has a record.
func (s *health) keepRecord() {
	if s.record == nil {
		s.record = &record{checkedAt: never, returnedAt: never, away: away{slot: -1, probedAt: never}}
	}
}

// worst is the largest of the sums.
func (s *health) worst() float32 { return max(s.failing, s.degraded, s.hanging) }

// likeBad reports whether a host is in doubt for what another is to be ejected
// for, and not much less: a quarter as large a share of its calls is bad lately.
func (s *health) likeBad(o *health, cause Cause) bool {
	if cause == Hanging {
		return s.hanging >= doubt
	}
	return max(s.failing, s.degraded) >= doubt &&
		4*uint64(s.runBad)*uint64(o.runCalls) >= uint64(o.runBad)*uint64(s.runCalls)
}

// suspected is the hypothesis with the largest of the sums.
func (s *health) suspected() Cause {
	switch worst := s.worst(); {
	case worst == 0:
		return Fresh
	case worst == s.failing:
		return Failing
	case worst == s.degraded:
		return Degraded
	default:
		return Hanging
	}
}

// lastAttempt is when the host was last checked or probed.
func (s *health) lastAttempt() time.Duration {
	if s.record == nil {
		return never
	}
	return max(s.checkedAt, s.away.probedAt)
}

// forgive sets the sums to start and forgets the run.
func (s *health) forgive(start float32) {
	s.failing, s.degraded, s.hanging = start, start, 0
	s.runBad, s.runCalls = 0, 0
}

// convict adds to the tests that a call was bad, be it a new one or one that was
// taken for good.
func (s *health) convict(v verdict, c *clues) {
	most := float32(math.MaxFloat32)
	if v == slow {
		most = maxSlow
	}
	cusum(&s.failing, min(c.failingBad, most))
	cusum(&s.degraded, min(c.degradedBad, most))
	inc(&s.runBad)
	s.runCalls = max(s.runCalls, s.runBad)
}

// observe adds one call to the tests.
func (s *health) observe(v verdict, c *clues) {
	if v != good {
		s.convict(v, c)
	} else {
		cusum(&s.failing, c.failingGood)
		cusum(&s.degraded, c.degradedGood)
	}
	if inc(&s.runCalls); s.failing == 0 && s.degraded == 0 {
		s.runBad, s.runCalls = 0, 0
	}
}
