package history

import (
	"math"
	"time"

	"github.com/lars-lb/lars/internal/route"
)

// Never is the end of what has not ended.
const Never = time.Duration(math.MaxInt64)

// Outcome is how a GetHost went.
type Outcome uint8

const (
	Answered   Outcome = iota // with a host
	Overloaded                // RET_OVERLOAD
	NoExist                   // RET_NOEXIST
	Failed                    // any other return code, or a host that is none
	Unanswered                // nothing came before the deadline
	Refused                   // the kernel said that nobody listens
)

func (o Outcome) String() string {
	names := [...]string{"answered", "overloaded", "no such module", "failed", "unanswered", "refused"}
	if int(o) < len(names) {
		return names[o]
	}
	return "?"
}

// MarshalText lets dumps be read.
func (o Outcome) MarshalText() ([]byte, error) { return []byte(o.String()), nil }

// Call is one GetHost and, if it was answered, the report that followed it.
type Call struct {
	Agent    string
	Module   route.Module
	Sent     time.Duration
	Ended    time.Duration // when it was answered, refused or given up
	Deadline time.Duration // when an answer was due
	Outcome  Outcome
	Host     route.Host

	Reported time.Duration `json:",omitempty"` // when the report was sent; 0 if there was none
	Succ     bool          // what was reported
	Accepted bool          // the kernel took the report
}

// Version is a module's route as a writer committed it. It took effect between
// Before and After.
type Version struct {
	Module        route.Module
	Hosts         []route.Host
	Before, After time.Duration
	// Unsure says that the writer met an error: the version may have taken
	// effect or not, even after After.
	Unsure bool
}

// Fault is one disturbance, and what it may do to which agents.
type Fault struct {
	What       string // as in the schedule
	Begin, End time.Duration

	// Stale are agents that may not hear of changes meanwhile.
	Stale []string
	// Uncounted are agents whose counts may not reach the database meanwhile.
	Uncounted []string
	// Mute are agents that may not answer meanwhile, and lose what is sent to
	// them.
	Mute []string
	// Forgot are agents that, or whose lars-dns, began anew: what is known may
	// be what was last written to a disk.
	Forgot []string
	// Restarted are agents that began anew at the end: what they had in
	// memory alone is gone.
	Restarted []string
}

// Settling is what became of one agent after the last fault had ended.
type Settling struct {
	Agent      string
	Healed, At time.Duration
	// Differences are modules whose route at the agent was not that in the
	// database when the wait was given up, in words.
	Differences []string
}

// Sum is what the database says was reported of one host.
type Sum struct {
	Module    route.Module
	Host      route.Host
	Succ, Err uint64
}

// History is everything that was recorded.
type History struct {
	Calls     []Call // in the order in which they ended
	Versions  []Version
	Faults    []Fault
	Settlings []Settling
	// Sums are every row there is. Summed says that they were read, so that
	// what is missing counts as nothing.
	Sums   []Sum
	Summed bool
	// Dropped is how many calls found the recorder full.
	Dropped uint64
}
