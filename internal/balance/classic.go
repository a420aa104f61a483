package balance

import (
	"math"
	"time"
)

// classic is the policy of Lars 1.0. Its decisions depend on counts alone:
// how long a call took does not matter to it.
type classic struct {
	*shared
	access uint32  // picks since the last probe; never beyond the largest ProbeNum so far
	stats  []stats // of each host, by its slot
}

// stats is what classic knows about a host since it entered its state or, if it
// is idle, since its window began. The counters stop at their largest value.
type stats struct {
	since     time.Duration
	succ, err uint32 // real calls
	initial   uint32 // successes an idle host was credited with, or failures an overloaded one was charged with
	run       int32  // successes in a row; below 0 failures
}

func (s *stats) count(ok bool) {
	if ok {
		inc(&s.succ)
		s.run = max(0, s.run)
		s.run += min(1, math.MaxInt32-s.run)
		return
	}
	inc(&s.err)
	s.run = min(0, s.run)
	s.run -= min(1, math.MaxInt32+s.run)
}

// virtual are the counts of real calls and the initial ones.
func (s *stats) virtual(state State) (succ, err uint32) {
	if state == Idle {
		return capped(s.succ, s.initial), s.err
	}
	return s.succ, capped(s.err, s.initial)
}

func capped(a, b uint32) uint32 { return a + min(b, math.MaxUint32-a) }

func (s *stats) inRow() (succ, err uint32) { return uint32(max(0, s.run)), uint32(max(0, -s.run)) }

func newClassic(s *shared) *classic {
	return &classic{shared: s, stats: make([]stats, len(s.lists.hosts))}
}

func (c *classic) configure() {}

func (c *classic) relocate(to []slot, n int) { c.stats = relocated(c.stats, to, n) }

func (c *classic) join(i slot, now time.Duration) { c.becomeIdle(i, now) }

func (c *classic) leave(slot) {}

func (c *classic) settle(time.Duration) {}

func (c *classic) checked(slot, bool, time.Duration) {}

func (c *classic) unchecked(slot, time.Duration) {}

func (c *classic) mood(time.Duration) Mood { return Mood{} }

func (c *classic) pick(time.Duration) slot {
	if c.lists.overload.len > 0 {
		if c.access >= c.cfg.ProbeNum {
			c.access = 0
			return c.lists.overload.rotate(c.lists.hosts)
		}
		c.access++
	}
	return c.lists.next()
}

func (c *classic) report(i slot, ok bool, _, now time.Duration) {
	s, state := &c.stats[i], c.lists.hosts[i].state
	s.count(ok)
	to := c.next(s, state, ok, now)
	switch {
	case to == Overload && state == Idle:
		before := *s
		c.lists.move(i, Overload)
		c.becomeOverloaded(i, now)
		c.tellHost(i, before)
	case to == Idle && state == Overload:
		before := *s
		c.lists.move(i, Idle)
		c.becomeIdle(i, now)
		c.tellHost(i, before)
	case state == Idle && now-s.since >= c.cfg.IdleTimeout:
		c.becomeIdle(i, now) // a new window; the host keeps its place
	}
}

// next is the state a host belongs in after a call with the given result was
// counted.
func (c *classic) next(s *stats, state State, ok bool, now time.Duration) State {
	vsucc, verr := s.virtual(state)
	continSucc, continErr := s.inRow()
	age := now - s.since
	if state == Idle {
		if !ok && (share(verr, vsucc) > c.cfg.ErrRate || continErr >= c.cfg.ContinErrLimit) {
			return Overload
		}
		if age >= c.cfg.IdleTimeout && share(s.err, s.succ) >= c.cfg.WindowErrRate {
			return Overload
		}
		return Idle
	}
	if ok && (share(vsucc, verr) > c.cfg.SuccRate || continSucc >= c.cfg.ContinSuccLimit) {
		return Idle
	}
	if age >= c.cfg.OverloadTimeout {
		return Idle
	}
	return Overload
}

func (c *classic) becomeIdle(i slot, now time.Duration) {
	c.stats[i] = stats{initial: c.cfg.InitSuccCnt, since: now}
}

func (c *classic) becomeOverloaded(i slot, now time.Duration) {
	c.stats[i] = stats{initial: c.cfg.InitErrCnt, since: now}
}

// tellHost notes that a host has changed its state, with the counts that
// decided.
func (c *classic) tellHost(i slot, decided stats) {
	h := &c.lists.hosts[i]
	c.tell(Event{
		Host: h.Host(), State: h.state, Out: int(c.lists.overload.len), Hosts: c.lists.open(),
		Reason: Reason{Cause: Counted, Bad: decided.err, Calls: decided.succ + decided.err},
	})
}

func (c *classic) describe(i slot, v *HostView, _ time.Duration) {
	s := &c.stats[i]
	v.Since = s.since
	v.VSucc, v.VErr = s.virtual(c.lists.hosts[i].state)
	v.RSucc, v.RErr = s.succ, s.err
	v.ContinSucc, v.ContinErr = s.inRow()
}
