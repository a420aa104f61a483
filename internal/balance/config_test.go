package balance_test

import (
	"math"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/balance"
)

func TestConfigValidate(t *testing.T) {
	cfg := balance.DefaultConfig()
	if err := cfg.Validate(); err != nil {
		t.Fatalf("the defaults: %v", err)
	}
	for _, c := range []struct {
		set  func(*balance.Config)
		want string // "" is valid
	}{
		{func(c *balance.Config) { c.ProbeNum = 1 }, ""},
		{func(c *balance.Config) { c.ProbeNum = 1_000_000 }, ""},
		{func(c *balance.Config) { c.ProbeNum = 0 }, "balance: probe_num is 0, allowed is 1 to 1000000"},
		{func(c *balance.Config) { c.ProbeNum = 1_000_001 }, "balance: probe_num is 1000001, allowed is 1 to 1000000"},
		{func(c *balance.Config) { c.InitSuccCnt, c.InitErrCnt = 0, 0 }, ""},
		{func(c *balance.Config) { c.InitSuccCnt = math.MaxUint32 }, "balance: init_succ_cnt is 4294967295, allowed is 0 to 1000000"},
		{func(c *balance.Config) { c.InitErrCnt = 1_000_001 }, "balance: init_err_cnt is 1000001, allowed is 0 to 1000000"},
		{func(c *balance.Config) { c.ContinSuccLimit = 0 }, "balance: contin_succ_limit is 0, allowed is 1 to 1000000"},
		{func(c *balance.Config) { c.ContinErrLimit = 0 }, "balance: contin_err_limit is 0, allowed is 1 to 1000000"},
		{func(c *balance.Config) { c.ErrRate, c.SuccRate = 0, 1 }, ""},
		{func(c *balance.Config) { c.ErrRate = -0.01 }, "balance: err_rate is -0.01, allowed is 0 to 1"},
		{func(c *balance.Config) { c.ErrRate = math.NaN() }, "balance: err_rate is NaN, allowed is 0 to 1"},
		{func(c *balance.Config) { c.SuccRate = 1.5 }, "balance: succ_rate is 1.5, allowed is 0 to 1"},
		{func(c *balance.Config) { c.SuccRate = math.Inf(1) }, "balance: succ_rate is +Inf, allowed is 0 to 1"},
		{func(c *balance.Config) { c.WindowErrRate = 0 }, ""},
		{func(c *balance.Config) { c.WindowErrRate = 1.1 }, "balance: window_err_rate is 1.1, allowed is 0 to 1"},
		{func(c *balance.Config) { c.WindowErrRate = math.NaN() }, "balance: window_err_rate is NaN, allowed is 0 to 1"},
		{func(c *balance.Config) { c.IdleTimeout, c.OverloadTimeout = time.Millisecond, 24*time.Hour }, ""},
		{func(c *balance.Config) { c.IdleTimeout = 0 }, "balance: idle_timeout is 0s, allowed is 1ms to 24h0m0s"},
		{func(c *balance.Config) { c.OverloadTimeout = 25 * time.Hour }, "balance: overload_timeout is 25h0m0s, allowed is 1ms to 24h0m0s"},
	} {
		cfg := balance.DefaultConfig()
		c.set(&cfg)
		got := ""
		if err := cfg.Validate(); err != nil {
			got = err.Error()
		}
		if got != c.want {
			t.Errorf("%+v:\n got %q\nwant %q", cfg, got, c.want)
		}
	}
}
