package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/lars-lb/lars/api/lars"
	"github.com/lars-lb/lars/internal/route"
)

// simulation pretends calls to one module and counts what becomes of them.
type simulation struct {
	module      route.Module
	calls       int
	errRate     float64 // 0 to 1
	hostErrRate map[lars.Host]float64
	rate        int // calls a second; 0 is as many as possible
	cost        time.Duration
	seed        uint64

	done               int
	overload, notExist int
	hosts              map[lars.Host]*outcomes
}

// outcomes are the calls to one host.
type outcomes struct{ succ, fail int }

// checkRoute asks for the route, so that a module which does not exist, or a
// host which it does not have, ends the simulation before the first call.
func (s *simulation) checkRoute(ctx context.Context, c *lars.Client) error {
	list, err := c.GetRoute(ctx, s.module.ModID, s.module.CmdID)
	if err != nil {
		return err
	}
	for h := range s.hostErrRate {
		if err := inRoute(h, s.module, list); err != nil {
			return fmt.Errorf("--host-err: %w", err)
		}
	}
	return nil
}

// run makes all calls, one after the other. It stops early with the error of
// ctx, or of an agent that could not be asked.
func (s *simulation) run(ctx context.Context, c *lars.Client, progress func()) error {
	s.hosts = make(map[lars.Host]*outcomes)
	chance := rand.New(rand.NewPCG(s.seed, 0))
	var tick <-chan time.Time
	if s.rate > 0 {
		ticker := time.NewTicker(time.Second / time.Duration(s.rate))
		defer ticker.Stop()
		tick = ticker.C
	}
	for s.done < s.calls {
		if err := wait(ctx, tick); err != nil {
			return err
		}
		if err := s.call(ctx, c, chance); err != nil {
			return err
		}
		s.done++
		progress()
	}
	return nil
}

// wait waits for a tick, if there is a ticker.
func wait(ctx context.Context, tick <-chan time.Time) error {
	if tick == nil {
		return ctx.Err()
	}
	select {
	case <-tick:
		return ctx.Err()
	case <-ctx.Done():
		return ctx.Err()
	}
}

// call gets a host, throws the dice and reports.
func (s *simulation) call(ctx context.Context, c *lars.Client, chance *rand.Rand) error {
	h, err := c.GetHost(ctx, s.module.ModID, s.module.CmdID)
	switch {
	case errors.Is(err, lars.ErrOverload):
		s.overload++
		return nil
	case errors.Is(err, lars.ErrNotExist):
		s.notExist++
		return nil
	case err != nil:
		return err
	}
	rate, ok := s.hostErrRate[h]
	if !ok {
		rate = s.errRate
	}
	o := s.hosts[h]
	if o == nil {
		o = new(outcomes)
		s.hosts[h] = o
	}
	code := lars.Success
	if chance.Float64() < rate {
		code = lars.Failure
		o.fail++
	} else {
		o.succ++
	}
	return c.Report(s.module.ModID, s.module.CmdID, h, code, s.cost)
}

// summaryJSON is the result of a simulation.
type summaryJSON struct {
	moduleJSON
	Calls    int               `json:"calls"` // made; fewer than asked for when interrupted
	Succ     int               `json:"succ"`
	Fail     int               `json:"fail"`
	Overload int               `json:"overload"`
	NotExist int               `json:"noexist"`
	Seed     uint64            `json:"seed"`
	Hosts    []hostSummaryJSON `json:"hosts"` // the most called first
}

type hostSummaryJSON struct {
	Host  string  `json:"host"`
	Calls int     `json:"calls"`
	Succ  int     `json:"succ"`
	Fail  int     `json:"fail"`
	Share float64 `json:"share"` // of the calls that had a host, 0 to 1
}

func (s *simulation) summary() summaryJSON {
	sum := summaryJSON{
		moduleJSON: moduleJSON(s.module), Calls: s.done, Overload: s.overload, NotExist: s.notExist,
		Seed: s.seed, Hosts: []hostSummaryJSON{},
	}
	for _, o := range s.hosts {
		sum.Succ += o.succ
		sum.Fail += o.fail
	}
	for _, h := range slices.SortedFunc(maps.Keys(s.hosts), func(a, b lars.Host) int { return a.AddrPort().Compare(b.AddrPort()) }) {
		o := s.hosts[h]
		n := o.succ + o.fail
		sum.Hosts = append(sum.Hosts, hostSummaryJSON{h.String(), n, o.succ, o.fail, float64(n) / float64(sum.Succ+sum.Fail)})
	}
	slices.SortStableFunc(sum.Hosts, func(a, b hostSummaryJSON) int { return cmp.Compare(b.Calls, a.Calls) })
	return sum
}
