package lbagent

import (
	"log/slog"
	"net/netip"
	"testing"

	"github.com/lars-lb/lars/internal/balance"
)

// Agents leave different things to chance, each the same ones after a reload.
func TestSeeds(t *testing.T) {
	seeds := make(map[uint64]bool)
	for range 3 {
		cfg := DefaultConfig()
		cfg.Listen = netip.MustParseAddrPort("127.0.0.1:0")
		cfg.Settings.Balance.Policy = balance.Adaptive
		a, err := New(cfg, slog.New(slog.DiscardHandler))
		if err != nil {
			t.Fatal(err)
		}
		defer a.Close()
		seed := a.shards[0].settings.balanceOf(module1).Seed
		a.Reload(cfg.Settings)
		if again := a.shards[0].settings.balanceOf(module1).Seed; seed == 0 || again != seed {
			t.Errorf("seed %d, after a reload %d", seed, again)
		}
		seeds[seed] = true
		named := cfg.Settings
		named.Balance.Seed = 7
		a.Reload(named)
		if got := a.shards[2].settings.balanceOf(module1).Seed; got != 7 {
			t.Errorf("a seed of 7 becomes %d", got)
		}
	}
	if len(seeds) != 3 {
		t.Errorf("seeds %v", seeds)
	}
}
