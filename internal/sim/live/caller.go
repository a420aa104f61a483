package live

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"github.com/lars-lb/lars/api/lars"
	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/sim"
)

// callers call one module.
type callers struct {
	scenario *sim.Scenario
	client   *lars.Client
	module   route.Module
	// good reports whether any host is.
	good func() bool

	mu     sync.Mutex
	result sim.Result
}

// loopback is all that a caller dials.
var loopback = netip.PrefixFrom(netip.AddrFrom4([4]byte{127}), 8)

// call makes one call, from the question for a host to the report. It returns
// an error if the agent could not be asked, or if ctx has ended.
func (c *callers) call(ctx context.Context, counts bool) error {
	h, err := c.client.GetHost(ctx, c.module.ModID, c.module.CmdID)
	if errors.Is(err, lars.ErrOverload) {
		if counts {
			refused := c.good()
			c.count(func(r *sim.Result) {
				r.Calls++
				if refused {
					r.Refused++
				}
			})
		}
		return nil
	}
	if err != nil {
		return err
	}
	if !loopback.Contains(h.AddrPort().Addr()) {
		return fmt.Errorf("the agent named %v, which is not on this machine", h)
	}
	begin := time.Now()
	ok := c.exchange(ctx, h.AddrPort())
	cost := time.Since(begin)
	if ctx.Err() != nil {
		return ctx.Err() // which is what ended the call
	}
	if counts {
		c.count(func(r *sim.Result) {
			r.Calls++
			switch {
			case !ok:
				r.Failed++
			case c.scenario.SlowLost && cost > sim.TooSlow:
				r.Slow++
			}
		})
	}
	return c.report(ctx, h, ok, cost)
}

func (c *callers) count(do func(r *sim.Result)) {
	c.mu.Lock()
	defer c.mu.Unlock()
	do(&c.result)
}

// exchange sends a byte to a host and awaits the answer.
func (c *callers) exchange(ctx context.Context, addr netip.AddrPort) bool {
	ctx, cancel := context.WithTimeout(ctx, c.scenario.Timeout)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp4", addr.String())
	if err != nil {
		return false
	}
	defer conn.Close()
	// No connection is left waiting in the kernel: there are thousands.
	_ = conn.(*net.TCPConn).SetLinger(0)
	deadline, _ := ctx.Deadline()
	_ = conn.SetDeadline(deadline)
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	b := []byte{0}
	if _, err := conn.Write(b); err != nil {
		return false
	}
	_, err = conn.Read(b)
	return err == nil && b[0] == answerOK
}

// report tells the agent what callers of the scenario tell, when they do.
func (c *callers) report(ctx context.Context, h lars.Host, ok bool, cost time.Duration) error {
	if ok && c.scenario.FailuresOnly {
		return nil
	}
	if d := c.scenario.ReportDelay; d > 0 {
		timer := time.NewTimer(d)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
			return nil
		}
	}
	if c.scenario.NoCost {
		cost = 0
	}
	code := lars.Success
	if !ok {
		code = lars.Failure
	}
	return c.client.Report(c.module.ModID, c.module.CmdID, h, code, cost)
}
