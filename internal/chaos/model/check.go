package model

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lars-lb/lars/internal/chaos/history"
	"github.com/lars-lb/lars/internal/route"
)

// Promises that a history may break.
const (
	Current    = "an answer is from the route that the agent could know"
	Answers    = "GetHost is answered while the agent runs"
	Converges  = "after the last fault agents come to have the database's routes"
	NothingNew = "no report is counted that was not made"
	NothingOff = "no report is lost"
	Complete   = "the history is complete"
)

// Rules are the numbers that go with the promises.
type Rules struct {
	// Bound is how long everything has to be well until an agent knows what
	// the database has, and the database what an agent counted. Default 5 s.
	Bound time.Duration
	// Disk is how long it has to be well until the routes are on disks, too;
	// default 8 s: daemons write theirs every 5 s.
	Disk time.Duration
	// Settle is how long after the last fault agents may take; default Bound.
	Settle time.Duration
	// Slack is how long after it was mute an agent may still lose requests,
	// that fill its socket while it works off what is there; default 1 s.
	Slack time.Duration
	// RoutesOnDisk says that an agent that began anew knows what it knew.
	RoutesOnDisk bool
}

func (r Rules) withDefaults() Rules {
	r.Bound = cmp.Or(r.Bound, 5*time.Second)
	r.Disk = cmp.Or(r.Disk, 8*time.Second)
	r.Settle = cmp.Or(r.Settle, r.Bound)
	r.Slack = cmp.Or(r.Slack, time.Second)
	return r
}

// Violation is one promise broken once.
type Violation struct {
	Promise string
	What    string
	At      time.Duration
	Call    *history.Call // nil if it is not about one
}

func (v Violation) String() string {
	s := fmt.Sprintf("at %v: not kept: %s: %s", v.At.Round(time.Millisecond), v.Promise, v.What)
	if v.Call != nil {
		s += fmt.Sprintf(" (call %+v)", *v.Call)
	}
	return s
}

// maxViolations bounds how many violations of one promise are kept; they tend
// to have one cause.
const maxViolations = 10

// Checker judges a history, in one piece or, when it is long, calls first and
// in several. It is for one goroutine.
type Checker struct {
	rules   Rules
	found   []Violation
	broken  map[string]int // violations by promise, kept or not
	tallies map[hostKey]*tally
}

// NewChecker returns a Checker that has seen nothing.
func NewChecker(r Rules) *Checker {
	return &Checker{rules: r.withDefaults(), broken: make(map[string]int), tallies: make(map[hostKey]*tally)}
}

// Check judges a whole history.
func Check(h *history.History, r Rules) []Violation {
	c := NewChecker(r)
	c.Calls(h)
	c.End(h)
	return c.Violations()
}

// Violations are those found, of each promise the first few, the last of which
// says how many there are.
func (c *Checker) Violations() []Violation {
	for promise, n := range c.broken {
		if n > maxViolations {
			i := len(c.found) - 1
			for ; c.found[i].Promise != promise; i-- {
			}
			if !strings.HasSuffix(c.found[i].What, " in all") {
				c.found[i].What += fmt.Sprintf("; and more, %d in all", n)
			}
		}
	}
	return slices.Clone(c.found)
}

func (c *Checker) violated(promise string, at time.Duration, call *history.Call, format string, args ...any) {
	if c.broken[promise]++; c.broken[promise] > maxViolations {
		return
	}
	c.found = append(c.found, Violation{promise, fmt.Sprintf(format, args...), at, call})
}

// Calls judges the calls of a history. Faults and versions must be all that
// there were up to the end of the last of the calls; the calls must be new.
func (c *Checker) Calls(h *history.History) {
	w := newWorld(h, c.rules)
	for i := range h.Calls {
		call := &h.Calls[i]
		c.answer(w, call)
		c.tally(w, call)
	}
}

// End judges how it ended, when all calls were given.
func (c *Checker) End(h *history.History) {
	if h.Dropped > 0 {
		c.violated(Complete, 0, nil, "%d calls found no room in the recorder", h.Dropped)
	}
	for _, s := range h.Settlings {
		if len(s.Differences) > 0 {
			c.violated(Converges, s.At, nil, "%v after the last fault %s has other routes than the database: %s",
				s.At-s.Healed, s.Agent, strings.Join(s.Differences, "; "))
		} else if took := s.At - s.Healed; took > c.rules.Settle {
			c.violated(Converges, s.At, nil, "%s took %v, and may take %v", s.Agent, took, c.rules.Settle)
		}
	}
	if h.Summed {
		c.sums(h)
	}
}

func (c *Checker) answer(w *world, call *history.Call) {
	a := w.agent(call.Agent)
	mute := a.mute.touches(call.Sent, min(call.Ended, call.Deadline), c.rules.Slack)
	if mute && call.Outcome != history.Answered {
		return
	}
	since := a.since(call.Sent)
	switch call.Outcome {
	case history.Answered:
		if !w.mayHave(call.Module, call.Host, since, call.Ended) {
			c.violated(Current, call.Ended, call, "%v was not in the route of %v between %v and %v",
				call.Host, call.Module, since, call.Ended)
		}
		if call.Ended > call.Deadline && !mute {
			c.violated(Answers, call.Ended, call, "%v late", call.Ended-call.Deadline)
		}
	case history.NoExist:
		if a.cold(call.Sent) || w.mayBeEmpty(call.Module, since, call.Ended) {
			return
		}
		c.violated(Answers, call.Ended, call, "module %v has had hosts since %v", call.Module, since)
	default:
		c.violated(Answers, call.Ended, call, "%v", call.Outcome)
	}
}

// hostKey names a host of a module.
type hostKey struct {
	module route.Module
	host   route.Host
}
