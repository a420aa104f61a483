package balance

import "time"

// classic is the policy of Lars 1.0. Its decisions depend on counts alone:
// how long a call took does not matter to it.
type classic struct {
	cfg    *Config
	access uint32 // picks since the last probe; never beyond the largest ProbeNum so far
}

func (c *classic) configure(cfg *Config) { c.cfg = cfg }

func (c *classic) join(h *host, now time.Duration) { c.becomeIdle(h, now) }

func (c *classic) pick(ls *lists, _ time.Duration) *host {
	h := ls.idle.head
	if ls.overload.len > 0 {
		if c.access >= c.cfg.ProbeNum {
			c.access = 0
			h = ls.overload.head
		} else {
			c.access++
		}
	}
	if h != nil {
		ls.rotate(h)
	}
	return h
}

func (c *classic) report(ls *lists, h *host, ok bool, _, now time.Duration) {
	h.stats.count(ok)
	to := c.next(h, ok, now)
	switch {
	case to == Overload && h.state == Idle:
		ls.move(h, Overload)
		c.becomeOverloaded(h, now)
	case to == Idle && h.state == Overload:
		ls.move(h, Idle)
		c.becomeIdle(h, now)
	case h.state == Idle && now-h.since >= c.cfg.IdleTimeout:
		c.becomeIdle(h, now) // a new window; the host keeps its place
	}
}

// next is the state h belongs in after a call with the given result was
// counted.
func (c *classic) next(h *host, ok bool, now time.Duration) State {
	s, age := &h.stats, now-h.since
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
	h.stats = stats{vsucc: c.cfg.InitSuccCnt}
	h.since = now
}

func (c *classic) becomeOverloaded(h *host, now time.Duration) {
	h.stats = stats{verr: c.cfg.InitErrCnt}
	h.since = now
}
