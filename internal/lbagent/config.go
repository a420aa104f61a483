package lbagent

import (
	"fmt"
	"net/netip"
	"time"

	"github.com/lars-lb/lars/internal/balance"
	"github.com/lars-lb/lars/internal/config"
	"github.com/lars-lb/lars/internal/route"
)

// Config configures an Agent.
type Config struct {
	// Listen is the address of the first UDP server; the others take the two
	// ports that follow. Port 0 takes three free ones. Default 127.0.0.1:8888.
	Listen netip.AddrPort
	// DNS and Reporter are the addresses, host:port, of lars-dns and
	// lars-reporter, or of several of each. An agent is connected to one of
	// them, and likes them in an order of its own. Default 127.0.0.1:7778 and
	// 127.0.0.1:7779.
	DNS, Reporter []string
	// Snapshot is the path of the file in which the routes are kept as they
	// were last, to serve when the Agent starts and lars-dns is not there.
	// Default empty, which keeps none.
	Snapshot string
	// SnapshotMaxAge is the age beyond which that file is not used. Default 0,
	// which is never.
	SnapshotMaxAge time.Duration
	// Settings may change while the agent runs.
	Settings Settings
	// MaxModules bounds the modules with hosts in one of the three RouteLBs;
	// the route of one more is not kept. Default 400,000, at least 1.
	MaxModules int
	// MaxUnknown bounds the modules without hosts that one RouteLB remembers
	// having asked for. At the bound the one asked for longest ago is
	// forgotten if that was PullInterval ago, else nothing is pulled for
	// another. Default 16,384, at least 1.
	MaxUnknown int
	// PullInterval is the time between two pulls of a module that lars-dns has
	// not answered, or answered with no hosts. Default 1 s.
	PullInterval time.Duration
}

// Settings are what an agent can change while it runs.
type Settings struct {
	// Balance is how hosts are picked and judged. With a Seed of 0 an agent
	// takes one by chance, so that no two decide alike.
	Balance balance.Config
	// Checks are the modules for which another Balance.Check holds. It must not
	// change once it was handed over.
	Checks map[route.Module]bool
	// UpdateTimeout is the age at which a route that callers ask for is pulled
	// again, although changes are pushed. Default 15 s.
	UpdateTimeout time.Duration
	// ReportTimeout is the time between two reports of a module's counts.
	// Default 15 s.
	ReportTimeout time.Duration
}

// DefaultConfig returns the defaults.
func DefaultConfig() Config {
	c := ConfigFrom(config.DefaultAgent())
	c.Snapshot = "" // the file's default depends on where a daemon is started
	return c
}

// ConfigFrom converts what a configuration file says.
func ConfigFrom(c config.Agent) Config {
	return Config{
		Listen:   c.AddrPort(),
		DNS:      c.DNSServer.Addrs(),
		Reporter: c.Reporter.Addrs(),
		Snapshot: c.Snapshot, SnapshotMaxAge: c.SnapshotMaxAge,
		Settings:     SettingsFrom(c.Balance),
		MaxModules:   400_000,
		MaxUnknown:   16_384,
		PullInterval: time.Second,
	}
}

// SettingsFrom converts the section [loadbalance] of a configuration file.
func SettingsFrom(b config.Balance) Settings {
	checks := make(map[route.Module]bool)
	for list, check := range map[config.Modules]bool{b.CheckTCP: true, b.CheckNone: false} {
		for modid, cmdid := range list.All() {
			checks[route.Module{ModID: modid, CmdID: cmdid}] = check
		}
	}
	return Settings{
		Checks: checks,
		Balance: balance.Config{
			Policy:          balance.Policy(b.Policy),
			Check:           b.Check == config.CheckTCP,
			ProbeNum:        uint32(b.ProbeNum),
			InitSuccCnt:     uint32(b.InitSuccCount),
			InitErrCnt:      uint32(b.InitErrCount),
			ErrRate:         b.ErrRate,
			SuccRate:        b.SuccRate,
			ContinSuccLimit: uint32(b.ContinSuccLimit),
			ContinErrLimit:  uint32(b.ContinErrLimit),
			WindowErrRate:   b.WindowErrRate,
			IdleTimeout:     b.IdleTimeout,
			OverloadTimeout: b.OverloadTimeout,
		},
		UpdateTimeout: b.UpdateTimeout,
		ReportTimeout: b.ReportTimeout,
	}
}

// Validate reports the first field that is out of its bounds.
func (c *Config) Validate() error {
	switch {
	case !c.Listen.Addr().Is4():
		return fmt.Errorf("lbagent: listen address %v is not IPv4", c.Listen)
	case int(c.Listen.Port())+route.Shards-1 > 65535:
		return fmt.Errorf("lbagent: port %d leaves no room for the %d that follow", c.Listen.Port(), route.Shards-1)
	case c.MaxModules < 1 || c.MaxUnknown < 1:
		return fmt.Errorf("lbagent: MaxModules is %d and MaxUnknown %d, at least 1 is needed", c.MaxModules, c.MaxUnknown)
	case c.SnapshotMaxAge < 0:
		return fmt.Errorf("lbagent: SnapshotMaxAge is %v, must not be negative", c.SnapshotMaxAge)
	case c.PullInterval <= 0:
		return fmt.Errorf("lbagent: PullInterval is %v, must be positive", c.PullInterval)
	}
	return c.Settings.Validate()
}

// Validate reports the first setting that is out of its bounds.
func (s *Settings) Validate() error {
	if s.UpdateTimeout <= 0 || s.ReportTimeout <= 0 {
		return fmt.Errorf("lbagent: update_timeout is %v and report_timeout %v, both must be positive", s.UpdateTimeout, s.ReportTimeout)
	}
	return s.Balance.Validate()
}
