package balance

import (
	"math"
	"time"

	"github.com/lars-lb/lars/internal/route"
)

// State is the list a host is on.
type State uint8

// The two states of a host.
const (
	Idle     State = iota // takes traffic
	Overload              // only gets probes
)

// String returns the state's name as people read it.
func (s State) String() string {
	if s == Overload {
		return "overload"
	}
	return "idle"
}

// host is one node of the module. It is on exactly one list as long as it is
// in the route.
type host struct {
	addr       route.Host
	weight     uint16
	state      State
	generation uint8 // of the last Update that named it
	share      int32 // of the picks, relative to other idle hosts; see shareUnit
	turn       int32 // how much of a turn it has been passed over for
	prev, next *host // neighbours on its list
	since      time.Duration
	stats      *stats  // of the policy classic; nil under another
	health     *health // of the policy adaptive; nil under another, and while nothing is known
	unsent     unsent
}

// stats is what the policy "classic" knows about a host since it entered its
// state or, if it is idle, since its window began. The counters stop at their
// largest value.
type stats struct {
	vsucc, verr           uint32 // virtual: real calls and an initial credit or charge
	rsucc, rerr           uint32 // real calls
	continSucc, continErr uint32 // current run of equal results
}

func (s *stats) count(ok bool) {
	if ok {
		inc(&s.vsucc)
		inc(&s.rsucc)
		inc(&s.continSucc)
		s.continErr = 0
		return
	}
	inc(&s.verr)
	inc(&s.rerr)
	inc(&s.continErr)
	s.continSucc = 0
}

func inc(n *uint32) {
	if *n != math.MaxUint32 {
		*n++
	}
}

func inc8(n *uint8) {
	if *n != math.MaxUint8 {
		*n++
	}
}

// share is part/(part+rest), 0 without any calls. IEEE division rounds
// correctly, and so does the parser that read a configured rate: a share that
// equals a rate in decimal compares equal to it. Multiplying the rate by the
// total would not.
func share(part, rest uint32) float64 {
	total := uint64(part) + uint64(rest)
	if total == 0 {
		return 0
	}
	return float64(part) / float64(total)
}
