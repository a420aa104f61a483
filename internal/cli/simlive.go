package cli

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/lars-lb/lars/internal/sim"
	"github.com/lars-lb/lars/internal/sim/live"
)

const (
	defaultLiveTime          = 30 // seconds
	minLiveTime, maxLiveTime = 6, 3600
)

// liveConfig is what the arguments and flags ask for.
func (o *simOptions) liveConfig(args []string) (*live.Config, error) {
	if len(args) == 0 && o.group == "" {
		args = live.Usual()
	}
	scenarios, err := pickScenarios(args, o.group)
	if err != nil {
		return nil, err
	}
	// What a group or all contains is left out where it cannot be played.
	scenarios = slices.DeleteFunc(scenarios, func(s sim.Scenario) bool {
		return live.Supports(&s) != nil && !slices.Contains(args, s.ID)
	})
	for _, s := range scenarios {
		if err := live.Supports(&s); err != nil {
			return nil, wrongUsage("%s cannot be played live: %w", s.ID, err)
		}
	}
	if len(scenarios) == 0 {
		return nil, wrongUsage("none of these scenarios can be played live")
	}
	if len(o.algorithms) == 0 {
		o.algorithms = live.Policies()
	}
	algorithms, err := pickAlgorithms(o.algorithms)
	if err != nil {
		return nil, err
	}
	for _, a := range algorithms {
		if !slices.Contains(live.Policies(), a.ID) {
			return nil, wrongUsage("--algorithms %s: only %s can be played live, as they are what an agent has",
				a.ID, strings.Join(live.Policies(), " and "))
		}
	}
	if o.liveTime < minLiveTime || o.liveTime > maxLiveTime {
		return nil, wrongUsage("--live-seconds %d: must be from %d to %d", o.liveTime, minLiveTime, maxLiveTime)
	}
	bin := o.bin
	if bin == "" {
		self, err := os.Executable()
		if err != nil {
			return nil, fmt.Errorf("find lars-dns and lars-lb-agent: %w; say --bin", err)
		}
		bin = filepath.Dir(self)
	}
	return &live.Config{
		Bin: bin, Scenarios: scenarios, Algorithms: algorithms, Seed: o.first, Length: time.Duration(o.liveTime) * time.Second,
	}, nil
}

func (a *app) simLive(ctx context.Context, cfg *live.Config, o *simOptions) error {
	step, done := a.progress("seconds", len(cfg.Scenarios)*o.liveTime)
	cfg.Progress = step
	rows, failed := live.Run(ctx, cfg)
	done()
	if len(rows) > 0 {
		batch := &sim.Batch{Scenarios: cfg.Scenarios, Algorithms: cfg.Algorithms, FirstSeed: cfg.Seed, Seeds: 1}
		if err := a.showSim(batch, rows, o); err != nil {
			return err
		}
	}
	if ctx.Err() != nil {
		return fmt.Errorf("interrupted: %d of %s complete", len(rows), count(len(cfg.Scenarios), "scenario is", "scenarios are"))
	}
	return failed
}
