package live_test

import (
	"context"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/lars-lb/lars/internal/larstest"
	"github.com/lars-lb/lars/internal/sim"
	"github.com/lars-lb/lars/internal/sim/live"
)

// programs is set once, before any test runs.
var programs larstest.Programs

func TestMain(m *testing.M) {
	built, remove, err := larstest.BuildTemporary()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	programs = built
	code := m.Run()
	remove()
	os.Exit(code)
}

func config(t *testing.T, length time.Duration, ids ...string) *live.Config {
	t.Helper()
	cfg := &live.Config{Bin: string(programs), Seed: 1, Length: length}
	for _, s := range sim.Scenarios() {
		if slices.Contains(ids, s.ID) {
			s.Rate = 200 // for machines that are busy
			cfg.Scenarios = append(cfg.Scenarios, s)
		}
	}
	for _, a := range sim.Algorithms() {
		if a.ID == sim.AdaptiveID {
			cfg.Algorithms = append(cfg.Algorithms, a)
		}
	}
	if len(cfg.Scenarios) != len(ids) {
		t.Fatalf("%d of the scenarios %v exist", len(cfg.Scenarios), ids)
	}
	return cfg
}

// Of some 1,200 calls after the fault, 120 would go to the bad host in turn.
func TestAgentKeepsCallersAwayFromABadHost(t *testing.T) {
	for _, id := range []string{"refuse-1of10", "fail-100pct"} {
		t.Run(id, func(t *testing.T) {
			t.Parallel()
			rows, err := live.Run(t.Context(), config(t, 7*time.Second, id))
			if err != nil || len(rows) != 1 || len(rows[0].Cells) != 1 {
				t.Fatalf("%+v, %v", rows, err)
			}
			c := rows[0].Cells[0]
			t.Logf("%+v", c)
			if c.Scenario != id || c.Algorithm != sim.AdaptiveID || c.Calls < 600 {
				t.Errorf("%+v", c)
			}
			if c.Lost.Median > 60 || c.Failed == 0 || c.Refused > 0 {
				t.Errorf("%d calls failed and %d were refused, of %d", c.Failed, c.Refused, c.Calls)
			}
		})
	}
}

// A host that accepts connections and answers none gets 20 calls a second, which
// come back after 3 s: it is left before the first does.
func TestAgentLeavesAHangingHostBeforeCallsReturn(t *testing.T) {
	const id = "freeze-1of10-3s"
	rows, err := live.Run(t.Context(), config(t, 9*time.Second, id))
	if err != nil || len(rows) != 1 || len(rows[0].Cells) != 1 {
		t.Fatalf("%+v, %v", rows, err)
	}
	c := rows[0].Cells[0]
	t.Logf("%+v", c)
	if c.Failed == 0 || c.Lost.Median > 48 {
		t.Errorf("%v of %d calls were lost, %d failed", c.Lost.Median, c.Calls, c.Failed)
	}
}

func TestNothingStays(t *testing.T) {
	defer goleak.VerifyNone(t)
	dir := t.TempDir()
	t.Setenv("TMPDIR", dir)
	tests := []struct {
		name string
		set  func(cfg *live.Config, cancel context.CancelFunc)
		says string
	}{
		{"interrupted", func(cfg *live.Config, cancel context.CancelFunc) { cfg.Progress = cancel }, context.Canceled.Error()},
		{"no programs", func(cfg *live.Config, _ context.CancelFunc) { cfg.Bin = t.TempDir() }, "start lars-dns"},
		{"an algorithm that no agent has", func(cfg *live.Config, _ context.CancelFunc) { cfg.Algorithms = sim.Algorithms()[:1] }, "no agent decides like oracle"},
	}
	for _, tt := range tests {
		ctx, cancel := context.WithCancel(t.Context())
		cfg := config(t, time.Minute, "refuse-1of10", "fail-100pct")
		tt.set(cfg, cancel)
		begin := time.Now()
		rows, err := live.Run(ctx, cfg)
		cancel()
		if len(rows) != 0 || err == nil || !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%s: %d rows, %v", tt.name, len(rows), err)
		}
		if took := time.Since(begin); took > 30*time.Second {
			t.Errorf("%s: it took %v to stop", tt.name, took)
		}
		left, err := os.ReadDir(dir)
		left = slices.DeleteFunc(left, func(e os.DirEntry) bool { return !strings.HasPrefix(e.Name(), "lars-sim") })
		if err != nil || len(left) > 0 {
			t.Errorf("%s: %v stays, %v", tt.name, left, err)
		}
	}
}

func TestSupports(t *testing.T) {
	for _, s := range sim.Scenarios() {
		err := live.Supports(&s)
		if slices.Contains(live.Usual(), s.ID) && err != nil {
			t.Errorf("%s: %v", s.ID, err)
		}
		if s.Group == sim.Fleet && err == nil {
			t.Errorf("%s can be played", s.ID)
		}
	}
	if live.Supports(&sim.Scenario{Hosts: live.MaxHosts}) != nil {
		t.Error("a small scenario cannot be played")
	}
}
