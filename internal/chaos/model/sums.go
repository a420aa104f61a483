package model

import (
	"time"

	"github.com/lars-lb/lars/internal/chaos/history"
)

// tally is what callers reported of one host.
type tally struct {
	succ, err         uint64 // sent
	sureSucc, sureErr uint64 // of these, those that cannot have been lost
	unsure            []unsure
}

// unsure is a report that is lost if its agent begins anew before it could
// hand over its counts; whether that happens is known in the end only.
type unsure struct {
	agent string
	at    time.Duration
	succ  bool
	n     uint64
}

// tally counts a call's report.
func (c *Checker) tally(w *world, call *history.Call) {
	if call.Reported == 0 || !call.Accepted {
		return
	}
	key := hostKey{call.Module, call.Host}
	t := c.tallies[key]
	if t == nil {
		t = new(tally)
		c.tallies[key] = t
	}
	if call.Succ {
		t.succ++
	} else {
		t.err++
	}
	a := w.agent(call.Agent)
	if a.mute.touches(call.Reported, call.Reported, c.rules.Slack) ||
		// An agent counts nothing of a host that has left the route.
		!w.mustHave(call.Module, call.Host, a.since(call.Sent), call.Reported) {
		return
	}
	// Reports of one agent within a second, short beside Bound, have one fate.
	at := call.Reported.Truncate(time.Second)
	for i := len(t.unsure) - 1; i >= 0 && i >= len(t.unsure)-4; i-- {
		if u := &t.unsure[i]; u.agent == call.Agent && u.at == at && u.succ == call.Succ {
			u.n++
			return
		}
	}
	t.unsure = append(t.unsure, unsure{call.Agent, at, call.Succ, 1})
}

// sums compares what was reported with what the database counts.
func (c *Checker) sums(h *history.History) {
	w := newWorld(h, c.rules)
	counted := make(map[hostKey]history.Sum)
	for _, s := range h.Sums {
		key := hostKey{s.Module, s.Host}
		sum := counted[key]
		sum.Succ, sum.Err = sum.Succ+s.Succ, sum.Err+s.Err
		counted[key] = sum
		if c.tallies[key] == nil {
			c.violated(NothingNew, 0, nil, "%v of %v: %d good and %d bad calls, and nobody reported any", key.host, key.module, s.Succ, s.Err)
		}
	}
	for key, t := range c.tallies {
		for _, u := range t.unsure {
			if w.agent(u.agent).handedOver(u.at) {
				if u.succ {
					t.sureSucc += u.n
				} else {
					t.sureErr += u.n
				}
			}
		}
		t.unsure = nil
		sum := counted[key]
		if sum.Succ < t.sureSucc || sum.Err < t.sureErr {
			c.violated(NothingOff, 0, nil, "%v of %v: %d good and %d bad calls are counted, and at least %d and %d were reported",
				key.host, key.module, sum.Succ, sum.Err, t.sureSucc, t.sureErr)
		}
		if sum.Succ > t.succ || sum.Err > t.err {
			c.violated(NothingNew, 0, nil, "%v of %v: %d good and %d bad calls are counted, and only %d and %d were reported",
				key.host, key.module, sum.Succ, sum.Err, t.succ, t.err)
		}
	}
}

// handedOver reports whether what was reported at a time cannot have been lost:
// the agent lived on, or could hand it over before it ended.
func (a *agent) handedOver(at time.Duration) bool {
	for _, restart := range a.restarts { // in order
		if restart >= at {
			return a.counts.within(at, restart)
		}
	}
	return true
}
