package balance

import "time"

// classic is the policy of Lars 1.0. Its decisions depend on counts alone:
// how long a call took does not matter to it.
type classic struct {
	cfg    *Config
	lists  *lists
	out    *outbox
	access uint32 // picks since the last probe; never beyond the largest ProbeNum so far
}

func (c *classic) configure(cfg *Config) { c.cfg = cfg }

func (c *classic) join(h *host, now time.Duration) {
	h.stats = new(stats)
	c.becomeIdle(h, now)
}

func (c *classic) leave(*host) {}

func (c *classic) settle(time.Duration) {}

func (c *classic) checked(*host, bool, time.Duration) {}

func (c *classic) unchecked(*host, time.Duration) {}

func (c *classic) mood(time.Duration) Mood { return Mood{} }

func (c *classic) pick(time.Duration) *host {
	if c.lists.overload.len > 0 {
		if c.access >= c.cfg.ProbeNum {
			c.access = 0
			h := c.lists.overload.head
			c.lists.rotate(h)
			return h
		}
		c.access++
	}
	return c.lists.idle.next()
}

func (c *classic) report(h *host, ok bool, _, now time.Duration) {
	h.stats.count(ok)
	to := c.next(h, ok, now)
	switch {
	case to == Overload && h.state == Idle:
		before := *h.stats
		c.lists.move(h, Overload)
		c.becomeOverloaded(h, now)
		c.tell(h, before)
	case to == Idle && h.state == Overload:
		before := *h.stats
		c.lists.move(h, Idle)
		c.becomeIdle(h, now)
		c.tell(h, before)
	case h.state == Idle && now-h.since >= c.cfg.IdleTimeout:
		c.becomeIdle(h, now) // a new window; the host keeps its place
	}
}

// next is the state h belongs in after a call with the given result was
// counted.
func (c *classic) next(h *host, ok bool, now time.Duration) State {
	s, age := h.stats, now-h.since
	if h.state == Idle {
		if !ok && (share(s.verr, s.vsucc) > c.cfg.ErrRate || s.continErr >= c.cfg.ContinErrLimit) {
			return Overload
		}
		if age >= c.cfg.IdleTimeout && share(s.rerr, s.rsucc) >= c.cfg.WindowErrRate {
			return Overload
		}
		return Idle
	}
	if ok && (share(s.vsucc, s.verr) > c.cfg.SuccRate || s.continSucc >= c.cfg.ContinSuccLimit) {
		return Idle
	}
	if age >= c.cfg.OverloadTimeout {
		return Idle
	}
	return Overload
}

func (c *classic) becomeIdle(h *host, now time.Duration) {
	*h.stats = stats{vsucc: c.cfg.InitSuccCnt}
	h.since = now
}

func (c *classic) becomeOverloaded(h *host, now time.Duration) {
	*h.stats = stats{verr: c.cfg.InitErrCnt}
	h.since = now
}

// tell notes that h has changed its state, with the counts that decided.
func (c *classic) tell(h *host, decided stats) {
	c.out.tell(Event{
		Host: h.addr, State: h.state, Out: c.lists.overload.len, Hosts: c.lists.open(),
		Reason: Reason{Cause: Counted, Bad: decided.rerr, Calls: decided.rsucc + decided.rerr},
	})
}

func (c *classic) describe(h *host, v *HostView, _ time.Duration) {
	v.VSucc, v.VErr = h.stats.vsucc, h.stats.verr
	v.RSucc, v.RErr = h.stats.rsucc, h.stats.rerr
	v.ContinSucc, v.ContinErr = h.stats.continSucc, h.stats.continErr
}
