package lars

import (
	"context"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/lars-lb/lars/internal/route"
)

// Code is how a call went: Success, or anything else for a failure.
type Code int32

const (
	Success Code = 0
	Failure Code = 1
)

// reportWait is how long a report waits that asks an agent whether it is back.
// An answer that takes longer is found by the next probe.
const reportWait = 2 * time.Millisecond

// Report tells the agent how a call to h went, and how long it took; 0 is
// unknown. Report every call: a host that fails is found by nothing else.
//
// Reports are not answered. Nil means that the report was handed to the system,
// or is kept for an agent that is away; not that an agent has it. Report waits
// only when Config.MaxSockets calls are under way, a quarter of a second at
// most. The error is ErrClosed, or says that h is no host.
func (c *Client) Report(modid, cmdid int32, h Host, code Code, cost time.Duration) error {
	m := route.Module{ModID: modid, CmdID: cmdid}
	p := c.port(m)
	if !h.h.Valid() {
		return fmt.Errorf("lars: report on module %v: host %v is none that GetHost returned", m, h)
	}
	if c.closing.Load() {
		return callFailed(opReport, m, p, ErrClosed)
	}
	now := p.now()
	if o := p.memory.get(m); o != nil && o.stale.Load() {
		o.reported(h, code, now)
	}
	r := report{m, h, code, microseconds(cost), now}
	if p.health.down.Load() {
		p.kept.add(r)
		if p.health.mayProbe(now) { // a program may make nothing but reports
			_, _ = c.probeHost(context.Background(), wait(time.Now().Add(c.timeout), reportWait), m)
		}
		return nil
	}
	if !p.ready(m) {
		p.kept.add(r)
		return nil
	}
	deadline := time.Now().Add(min(patience, c.timeout))
	s, err := p.take(context.Background(), deadline)
	if err == nil {
		defer p.put(s)
		if err = p.tell(deadline, s, r); err == nil {
			p.sendKept(s, deadline, now)
			return nil
		}
	}
	if err := callFailed(opReport, m, p, err); errors.Is(err, ErrClosed) {
		return err
	}
	p.kept.add(r)
	return nil
}

// microseconds is d as reports carry it: rounded up, since 0 means unknown, and
// the largest value for what does not fit, 71 minutes.
func microseconds(d time.Duration) uint32 {
	if d <= 0 {
		return 0
	}
	us := (d-1)/time.Microsecond + 1
	return uint32(min(us, math.MaxUint32))
}
