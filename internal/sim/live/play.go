package live

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"sync"
	"time"

	"github.com/lars-lb/lars/api/lars"
	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/sim"
	"github.com/lars-lb/lars/internal/store"
)

// play is one scenario with one agent.
type play struct {
	scenario *sim.Scenario // shortened
	module   route.Module
	seed     uint64
	client   *lars.Client
	store    *store.Store
	firstIP  netip.Addr // of host 0; the others follow
	hosts    []*host
}

const (
	// maxUnderWay bounds the calls of one play under way; more wait.
	maxUnderWay = 500
	// routePatience bounds the wait for an agent to know the hosts.
	routePatience = 10 * time.Second
)

// prepare opens the hosts and waits until the agent knows them.
func (p *play) prepare(ctx context.Context) error {
	var entries []store.Entry
	ip := p.firstIP
	for range p.scenario.Hosts {
		h, err := newHost(ip)
		if err != nil {
			return err
		}
		p.hosts = append(p.hosts, h)
		address, err := route.ParseHost(h.addr.String())
		if err != nil {
			return err
		}
		entries = append(entries, store.Entry{Module: p.module, Host: address})
		ip = ip.Next()
	}
	if _, err := p.store.AddHosts(ctx, entries); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, routePatience)
	defer cancel()
	for {
		// lars-dns may not have seen the change yet.
		err := p.client.Register(ctx, p.module.ModID, p.module.CmdID)
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("the agent does not learn the route of %v: %w", p.module, err)
		}
	}
}

// close closes the hosts of a play that is not run.
func (p *play) close() {
	for _, h := range p.hosts {
		h.close()
	}
}

// run plays the scenario, and closes the hosts.
func (p *play) run(ctx context.Context) (sim.Result, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	fault := time.Now().Add(p.scenario.Warmup)
	var hosts sync.WaitGroup
	for i, h := range p.hosts {
		h.state = func(now time.Time) sim.State { return p.scenario.State(i, now.Sub(fault)) }
		h.answer = luck(p.scenario, p.seed, uint64(i)+1)
		hosts.Go(func() {
			if err := h.run(ctx); err != nil {
				cancel(err)
			}
		})
	}
	c := &callers{scenario: p.scenario, client: p.client, module: p.module, good: func() bool {
		now := time.Now()
		for _, h := range p.hosts {
			if h.state(now).Good() {
				return true
			}
		}
		return false
	}}
	p.call(ctx, cancel, c, fault)
	err := context.Cause(ctx)
	cancel(nil)
	hosts.Wait()
	return c.result, err
}

// call makes the calls of all callers and waits for their end.
func (p *play) call(ctx context.Context, failed context.CancelCauseFunc, c *callers, fault time.Time) {
	var calls sync.WaitGroup
	defer calls.Wait()
	slots := make(chan struct{}, maxUnderWay)
	random := rand.New(rand.NewPCG(p.seed, 0))
	timer := time.NewTimer(0)
	defer timer.Stop()
	end := fault.Add(p.scenario.Length)
	at := time.Now()
	for {
		at = at.Add(time.Duration(random.ExpFloat64() / p.scenario.Rate * float64(time.Second)))
		if at.After(end) {
			return
		}
		timer.Reset(time.Until(at))
		select {
		case <-timer.C:
		case <-ctx.Done():
			return
		}
		select {
		case slots <- struct{}{}:
		case <-ctx.Done():
			return
		}
		counts := !at.Before(fault)
		calls.Go(func() {
			defer func() { <-slots }()
			if err := c.call(ctx, counts); err != nil && ctx.Err() == nil {
				failed(errors.Join(errors.New("ask the agent"), err))
			}
		})
	}
}
