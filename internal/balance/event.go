package balance

import (
	"time"

	"github.com/lars-lb/lars/internal/route"
)

// Cause is why a host, or a module, is in its state.
type Cause uint8

// The causes.
const (
	Fresh       Cause = iota // nothing has happened to it yet
	Counted                  // the counts of the policy classic say so
	Failing                  // its calls fail almost without exception
	Degraded                 // more of its calls are bad than of its peers'
	Hanging                  // its picks stay without report while its peers' do not
	Unreachable              // calls were bad and a TCP connection could not be made
	Recovered                // its probes were good
	Pardoned                 // all hosts came back because most seemed bad
	SharedCause              // most hosts seemed bad: nothing is ejected for a while
	Blackout                 // every host fails: only a trickle of calls goes out
)

// String returns the cause as programs and people read it.
func (c Cause) String() string {
	return [...]string{"fresh", "counted", "failing", "degraded", "hanging", "unreachable",
		"recovered", "pardoned", "shared cause", "blackout"}[c]
}

// Reason is what led to a state: the cause and the numbers that decided.
type Reason struct {
	Cause Cause
	// Bad of the last Calls were bad, counted since the host began to look
	// unlike its peers.
	Bad, Calls uint32
	// Normal is the share of bad calls that its peers had then, 0 to 1.
	Normal float64
	// Cost and PeerCost are the median costs of the host and of its peers, 0
	// if unknown.
	Cost, PeerCost time.Duration
}

// Event is a change that an operator wants to know of: a host entered a state
// or, if Host is the zero value, something befell the module as a whole.
type Event struct {
	Host  route.Host
	State State
	// Reason of a shared cause is about the host that was about to be ejected.
	Reason Reason
	// Out is how many hosts were overloaded afterwards, and Hosts how many
	// there were.
	Out, Hosts int
}

// maxEvents bounds the events that wait for TakeEvents. The next ones are
// dropped.
const maxEvents = 256

// outbox is what a policy wants done that it cannot do itself.
type outbox struct {
	events []Event
	checks []route.Host // bounded: a policy asks for each host once at a time
}

// outgoing returns the outbox, to put something in.
func (s *shared) outgoing() *outbox {
	if s.out == nil {
		s.out = new(outbox)
	}
	return s.out
}

func (s *shared) tell(e Event) {
	if o := s.outgoing(); len(o.events) < maxEvents {
		o.events = append(o.events, e)
	}
}

// Pending reports whether TakeEvents or TakeChecks would return anything.
func (b *LoadBalance) Pending() bool { return b.out != nil && len(b.out.events)+len(b.out.checks) > 0 }

// TakeEvents appends to dst what has happened since the last time. Of more
// than 256 events the first are kept.
func (b *LoadBalance) TakeEvents(dst []Event) []Event {
	if b.out == nil {
		return dst
	}
	dst = append(dst, b.out.events...)
	b.out.events = b.out.events[:0]
	return dst
}

// TakeChecks appends to dst the hosts to which a TCP connection is to be
// tried. The result of each goes to Checked.
func (b *LoadBalance) TakeChecks(dst []route.Host) []route.Host {
	if b.out == nil {
		return dst
	}
	dst = append(dst, b.out.checks...)
	b.out.checks = b.out.checks[:0]
	return dst
}

// Checked learns whether a TCP connection to addr could be made. A host that
// is not in the route any more is passed over.
func (b *LoadBalance) Checked(addr route.Host, ok bool, now time.Duration) {
	if i := b.find(addr); i != none {
		b.policy.checked(i, ok, now)
	}
}

// Unchecked learns that a check of addr came to nothing: it was not made, or
// says nothing about the host. A host that waited for it is probed without one,
// as if there were no checks.
func (b *LoadBalance) Unchecked(addr route.Host, now time.Duration) {
	if i := b.find(addr); i != none {
		b.policy.unchecked(i, now)
	}
}
