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

// health is what the policy adaptive knows about each host of a module that was
// asked for, in 40 bytes. The zero value knows nothing.
type health struct {
	calls       float32 // recent ones, as decay counts them
	generations float32 // of picks, likewise; see inflight.go

	closed     time.Duration // the old generation's picks were not after that
	span       float32       // nor before closed - span, ns
	turnaround float32       // its running median, µs
	cost       float32       // that of the costs of calls, µs
	reports    uint16        // the module's, modulo 65536, when the old generation was closed
	size       uint16        // of the old generation
	old, young uint16        // picks without report

	turnarounds uint8 // samples of turnaround, as median counts them
	costs       uint8 // of cost
	silent      uint8 // picks to be taken for good calls unless a failure comes; see silence
	excluded    bool  // its tallies are no part of what is normal
}

func (s *health) costMedian() median { return median{s.cost, s.costs} }

func (s *health) turnaroundMedian() median { return median{s.turnaround, s.turnarounds} }

func (s *health) addCost(d time.Duration) {
	m := s.costMedian()
	m.add(d)
	s.cost, s.costs = m.value, m.count
}

func (s *health) addTurnaround(d time.Duration) {
	m := s.turnaroundMedian()
	m.add(d)
	s.turnaround, s.turnarounds = m.value, m.count
}

// sums are those of the tests that compare a host with its peers, and of what
// was bad.
type sums struct {
	bad, late                  float32 // of the recent calls and generations of picks
	failing, degraded, hanging float32 // nats
	runBad, runCalls           uint32  // since both failing and degraded were 0
	suspect                    bool
}

// worst is the largest of the sums.
func (s *sums) worst() float32 { return max(s.failing, s.degraded, s.hanging) }

// likeBad reports whether a host is in doubt for what another is to be ejected
// for, and not much less: a quarter as large a share of its calls is bad lately.
func (s *sums) likeBad(o *sums, cause Cause) bool {
	if cause == Hanging {
		return s.hanging >= doubt
	}
	return max(s.failing, s.degraded) >= doubt &&
		4*uint64(s.runBad)*uint64(o.runCalls) >= uint64(o.runBad)*uint64(s.runCalls)
}

// suspected is the hypothesis with the largest of the sums.
func (s *sums) suspected() Cause {
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

// forgive sets the sums to start and forgets the run.
func (s *sums) forgive(start float32) {
	s.failing, s.degraded, s.hanging = start, start, 0
	s.runBad, s.runCalls = 0, 0
}

// convict adds to the tests that a call was bad, be it a new one or one that was
// taken for good.
func (s *sums) convict(v verdict, c *clues) {
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
func (s *sums) observe(v verdict, c *clues) {
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

// record is what is known of a host that gave, or gives, trouble.
type record struct {
	host       slot
	checkedAt  time.Duration // when the last TCP check was asked for
	since      time.Duration // when the host entered its state
	reason     Reason        // why it is in that
	returnedAt time.Duration // when it came back last; while ramping, the start of the ramp
	away       away
	ramping    bool
	// TCP checks.
	checking  bool  // asked for, and not answered
	refused   bool  // the last one failed
	goodSince uint8 // calls that were good all the same
}

// lastAttempt is when the host was last checked or probed.
func (r *record) lastAttempt() time.Duration { return max(r.checkedAt, r.away.probedAt) }
