package live

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/sim"
)

// Config says what Run plays.
type Config struct {
	Bin        string // the folder of lars-dns and lars-lb-agent
	Scenarios  []sim.Scenario
	Algorithms []sim.Algorithm // of Policies
	Seed       uint64
	// Length is how long each scenario takes, calm and aftermath together;
	// 3 s to 1 h.
	Length time.Duration
	// Progress, if not nil, is called after each second.
	Progress func()
}

const (
	// MaxRate bounds the calls a second in one scenario to one agent: callers
	// and hosts share the machine with the agent.
	MaxRate = 1000
	// MaxHosts is how many hosts a scenario may have.
	MaxHosts = 100
	// CalmPart is the part of the length before the fault, at most.
	CalmPart = 6
)

// Policies are the algorithms that an agent has, by their IDs.
func Policies() []string { return []string{"classic", sim.AdaptiveID} }

// Usual are the IDs of scenarios that show most in a short time.
func Usual() []string {
	return []string{"refuse-1of10", "hang-1of10", "fail-30pct", "slow-10x", "down-20s"}
}

// Supports says why a scenario cannot be played in real time, or returns nil.
func Supports(s *sim.Scenario) error {
	switch {
	case s.Agents > 1:
		return errors.New("it has several agents")
	case s.Workers > 0:
		return errors.New("its callers call in turn")
	case s.Capacity > 0:
		return errors.New("its hosts have a limited capacity")
	case s.Pause > 0:
		return errors.New("its machine stands still at times")
	case s.NoTCP:
		return errors.New("its hosts do not listen on TCP")
	case s.Hosts > MaxHosts:
		return fmt.Errorf("it has more than %d hosts", MaxHosts)
	}
	return nil
}

// Run plays each scenario with an agent for each algorithm, the agents at the
// same time. It returns a row for each scenario that was played to its end, and
// why it stopped before the last one.
func Run(ctx context.Context, cfg *Config) (_ []sim.Row, err error) {
	var policies []string
	for _, a := range cfg.Algorithms {
		if !slices.Contains(Policies(), a.ID) {
			return nil, fmt.Errorf("no agent decides like %s", a.ID)
		}
		policies = append(policies, a.ID)
	}
	s, err := start(ctx, cfg.Bin, policies)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	s.watch(ctx, func(err error) { cancel(err) })
	defer tick(cfg.Progress)()
	var rows []sim.Row
	for i := range cfg.Scenarios {
		row, err := cfg.row(ctx, s, i)
		if err != nil {
			return rows, err
		}
		rows = append(rows, row)
	}
	return rows, nil
}

// tick calls f each second until the function that it returns is called.
func tick(f func()) (stop func()) {
	if f == nil {
		return func() {}
	}
	done := make(chan struct{})
	var ticking sync.WaitGroup
	ticking.Go(func() {
		ticker := time.NewTicker(time.Second)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				f()
			case <-done:
				return
			}
		}
	})
	return func() { close(done); ticking.Wait() }
}

// row plays scenario i.
func (cfg *Config) row(ctx context.Context, s *suite, i int) (sim.Row, error) {
	sc := &cfg.Scenarios[i]
	short := shorten(*sc, cfg.Length)
	plays := make([]*play, len(s.clients))
	for a, client := range s.clients {
		p := &play{
			scenario: &short,
			module:   route.Module{ModID: int32(i) + 1, CmdID: int32(a) + 1},
			seed:     cfg.Seed,
			client:   client,
			store:    s.store,
			// 127.0.0.1 is the agents'.
			firstIP: netip.AddrFrom4([4]byte{127, 0, 0, byte(2 + a*MaxHosts)}),
		}
		defer p.close()
		if err := p.prepare(ctx); err != nil {
			return sim.Row{}, err
		}
		plays[a] = p
	}
	results, errs := make([]sim.Result, len(plays)), make([]error, len(plays))
	var playing sync.WaitGroup
	for a, p := range plays {
		playing.Go(func() { results[a], errs[a] = p.run(ctx) })
	}
	playing.Wait()
	if err := errors.Join(errs...); err != nil {
		return sim.Row{}, err
	}
	row := sim.Row{Scenario: sc}
	for a := range plays {
		summary := sim.Summarize(results[a : a+1])
		summary.Scenario, summary.Algorithm, summary.FirstSeed = sc.ID, cfg.Algorithms[a].ID, cfg.Seed
		row.Cells = append(row.Cells, summary)
	}
	return row, nil
}

// shorten makes s take no longer than d, at a rate that the machine can do.
func shorten(s sim.Scenario, d time.Duration) sim.Scenario {
	s.Warmup = min(s.Warmup, d/CalmPart)
	s.Length = min(s.Length, d-s.Warmup)
	s.Rate = min(s.Rate, MaxRate)
	return s
}
