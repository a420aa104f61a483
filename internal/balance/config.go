package balance

import (
	"fmt"
	"time"
)

// Policy names a set of rules for choosing and judging hosts.
type Policy string

// The policies.
const (
	Classic  Policy = "classic"  // the rules of Lars 1.0
	Adaptive Policy = "adaptive" // each host against its peers
)

// Config holds the settings of a LoadBalance. One Config may serve any number
// of LoadBalances; nobody may change it once it was handed to one. Those below
// Check are of the policy classic; adaptive has none of its own.
type Config struct {
	// Policy is the set of rules. Default Classic.
	Policy Policy

	// Seed decides what adaptive leaves to chance. Default 0.
	Seed uint64

	// Check says that adaptive may ask for TCP connections to hosts, before it
	// spends a call on one that was bad. Default true.
	Check bool

	// ProbeNum is how many picks pass an overloaded host by before one pick
	// probes it. Default 10; 1 to 1,000,000.
	ProbeNum uint32

	// InitSuccCnt is how many successes a host is credited with when it
	// becomes idle, so that a few early failures do not eject it. Default 180;
	// 0 to 1,000,000.
	InitSuccCnt uint32

	// InitErrCnt is how many failures a host is charged with when it becomes
	// overloaded. Default 5; 0 to 1,000,000.
	InitErrCnt uint32

	// ErrRate: an idle host whose share of failures rises above it becomes
	// overloaded. Default 0.1; 0 to 1.
	ErrRate float64

	// SuccRate: an overloaded host whose share of successes rises above it
	// becomes idle. Default 0.5; 0 to 1.
	SuccRate float64

	// ContinSuccLimit is how many successes in a row make an overloaded host
	// idle. Default 15; 1 to 1,000,000.
	ContinSuccLimit uint32

	// ContinErrLimit is how many failures in a row make an idle host
	// overloaded. Default 15; 1 to 1,000,000.
	ContinErrLimit uint32

	// WindowErrRate: a host that ends an idle window with at least this share
	// of failures becomes overloaded. Unlike ErrRate it looks at real calls
	// only, without the initial credit. Default 0.7; 0 to 1.
	WindowErrRate float64

	// IdleTimeout is the length of an idle host's window. Default 15 s; 1 ms
	// to 24 h.
	IdleTimeout time.Duration

	// OverloadTimeout is how long a host stays overloaded when its probes do
	// not bring it back sooner. Default 15 s; 1 ms to 24 h.
	OverloadTimeout time.Duration
}

// DefaultConfig returns the settings Lars has always had: those of classic.
func DefaultConfig() Config {
	return Config{
		Policy:          Classic,
		Check:           true,
		ProbeNum:        10,
		InitSuccCnt:     180,
		InitErrCnt:      5,
		ErrRate:         0.1,
		SuccRate:        0.5,
		ContinSuccLimit: 15,
		ContinErrLimit:  15,
		WindowErrRate:   0.7,
		IdleTimeout:     15 * time.Second,
		OverloadTimeout: 15 * time.Second,
	}
}

const (
	maxCount   = 1_000_000
	minTimeout = time.Millisecond
	maxTimeout = 24 * time.Hour
)

// Validate reports the first setting that is out of its bounds, by the name it
// has in the configuration file, with its value and what is allowed.
func (c *Config) Validate() error {
	if c.Policy != Classic && c.Policy != Adaptive {
		return fmt.Errorf("balance: policy is %q, allowed is %q or %q", c.Policy, Classic, Adaptive)
	}
	for _, n := range []struct {
		key        string
		value, min uint32
	}{
		{"probe_num", c.ProbeNum, 1},
		{"init_succ_cnt", c.InitSuccCnt, 0},
		{"init_err_cnt", c.InitErrCnt, 0},
		{"contin_succ_limit", c.ContinSuccLimit, 1},
		{"contin_err_limit", c.ContinErrLimit, 1},
	} {
		if n.value < n.min || n.value > maxCount {
			return fmt.Errorf("balance: %s is %d, allowed is %d to %d", n.key, n.value, n.min, maxCount)
		}
	}
	// The comparison is written so that NaN fails it.
	for _, r := range []struct {
		key   string
		value float64
	}{
		{"err_rate", c.ErrRate},
		{"succ_rate", c.SuccRate},
		{"window_err_rate", c.WindowErrRate},
	} {
		if !(r.value >= 0 && r.value <= 1) {
			return fmt.Errorf("balance: %s is %v, allowed is 0 to 1", r.key, r.value)
		}
	}
	for _, d := range []struct {
		key   string
		value time.Duration
	}{
		{"idle_timeout", c.IdleTimeout},
		{"overload_timeout", c.OverloadTimeout},
	} {
		if d.value < minTimeout || d.value > maxTimeout {
			return fmt.Errorf("balance: %s is %v, allowed is %v to %v", d.key, d.value, minTimeout, maxTimeout)
		}
	}
	return nil
}
