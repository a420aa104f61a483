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
// in the route. What is known about it the policy keeps.
//
// An agent may have a million hosts, most of them never asked for: a host takes
// 32 bytes.
type host struct {
	route.Node        // its weight is changed by lists only
	prev, next slot   // neighbours on its list
	turn       int32  // how much of a turn it has been passed over for
	joined     uint32 // when it came into the route, tenths of a second
	unsent     unsent
	part       uint8 // of its share, in parts: less while it grows back
	state      State
	toldOver   bool // the overload flag in the last Count that was taken
	named      bool // by the Update that is under way
}

const (
	// parts is how many parts a share has, and shareUnit the share of a host
	// of weight 1 that gets all of it. At most 10,000 x 64, it fits an int32.
	parts     = 32
	shareUnit = 2 * parts
)

// share is how many of the picks a host gets, relative to other idle hosts.
func (h *host) share() int32 { return shareOf(h.Weight, h.part) }

func shareOf(weight uint16, part uint8) int32 {
	return int32(weight) * int32(part) * (shareUnit / parts)
}

// joinUnit is the unit of host.joined: it is for people to read, and good for
// 13 years.
const joinUnit = 100 * time.Millisecond

func (h *host) joinedAt() time.Duration { return time.Duration(h.joined) * joinUnit }

func (h *host) join(now time.Duration) {
	h.joined = uint32(min(max(0, now/joinUnit), math.MaxUint32))
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
