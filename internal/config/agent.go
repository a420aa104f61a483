package config

import (
	"net/netip"
	"slices"
	"time"
)

// Values of [loadbalance] policy and check.
const (
	Classic  = "classic"  // the policy of Lars 1.0
	Adaptive = "adaptive" // each host is compared with its peers

	CheckTCP  = "tcp"  // hosts with bad calls may be tried over TCP
	CheckNone = "none" // no packet is sent to any host
)

// Agent is the configuration of lars-lb-agent.
type Agent struct {
	IP        netip.Addr // address of the UDP servers; default 127.0.0.1
	Port      uint16     // the first of three consecutive UDP ports; default 8888, 0 to 65533; 0 takes three free ones
	DNSServer Peer       // default port 7778
	Reporter  Peer       // default port 7779

	Snapshot       string        // the file of the last routes; default var/lars-lb-agent.routes, empty for none
	SnapshotMaxAge time.Duration // routes of an older file are not served; default 0, which is never; 0 to 8760h

	Balance Balance
	Log     Log
	Admin   Admin
}

// Balance is the section [loadbalance].
type Balance struct {
	Policy          string        // how hosts are picked and judged: Classic, the default, or Adaptive
	Check           string        // how Adaptive checks hosts with bad calls: CheckTCP, the default, or CheckNone
	CheckTCP        Modules       // those for which Check is CheckTCP whatever it says; default none
	CheckNone       Modules       // those for which Check is CheckNone; default none
	ProbeNum        int           // picks between two probes of an overloaded host; default 10, 1 to 1000000
	InitSuccCount   int           // virtual successes of a host that becomes idle; default 180, 0 to 1000000
	InitErrCount    int           // virtual failures of a host that becomes overloaded; default 5, 0 to 1000000
	ErrRate         float64       // an idle host above it is overloaded; default 0.1, 0 to 1
	SuccRate        float64       // an overloaded host above it is idle; default 0.5, 0 to 1
	ContinSuccLimit int           // successes in a row that make a host idle; default 15, 1 to 1000000
	ContinErrLimit  int           // failures in a row that overload a host; default 15, 1 to 1000000
	WindowErrRate   float64       // an idle host that reaches it in its window is overloaded; default 0.7, 0 to 1
	IdleTimeout     time.Duration // window of an idle host; default 15s, 100ms to 24h
	OverloadTimeout time.Duration // longest stay of a host in overload; default 15s, 100ms to 24h
	UpdateTimeout   time.Duration // age at which a route is pulled again; default 15s, 100ms to 24h
	ReportTimeout   time.Duration // between two reports of a module to lars-reporter; default 15s, 100ms to 1h
}

// AddrPort returns the address of the first UDP server.
func (c Agent) AddrPort() netip.AddrPort { return netip.AddrPortFrom(c.IP, c.Port) }

// DefaultAgent is what an empty file means.
func DefaultAgent() Agent {
	return Agent{
		IP:        loopback(),
		Port:      8888,
		DNSServer: Peer{Host: "127.0.0.1", Port: 7778},
		Reporter:  Peer{Host: "127.0.0.1", Port: 7779},
		Snapshot:  "var/lars-lb-agent.routes",
		Balance: Balance{
			Policy:          Classic,
			Check:           CheckTCP,
			ProbeNum:        10,
			InitSuccCount:   180,
			InitErrCount:    5,
			ErrRate:         0.1,
			SuccRate:        0.5,
			ContinSuccLimit: 15,
			ContinErrLimit:  15,
			WindowErrRate:   0.7,
			IdleTimeout:     15 * time.Second,
			OverloadTimeout: 15 * time.Second,
			UpdateTimeout:   15 * time.Second,
			ReportTimeout:   15 * time.Second,
		},
		Log: defaultLog(),
	}
}

// LoadAgent reads the file at path over the defaults. The error joins all
// that is wrong with the file; errors.Is(err, fs.ErrNotExist) tells that there
// is none.
func LoadAgent(path string) (Agent, error) {
	c := DefaultAgent()
	if _, err := load(path, c.keys(), misspelt()); err != nil {
		return Agent{}, err
	}
	return c, nil
}

// Validate reports every field that is out of its bounds.
func (c Agent) Validate() error { return validate(c.keys()) }

// Keys names every key of the file, as "[section] key".
func (c Agent) Keys() []string { return names(c.keys()) }

// Changed names the keys in which next differs from c.
func (c Agent) Changed(next Agent) []string { return changed(c.keys(), next.keys()) }

func (c *Agent) keys() []key {
	return slices.Concat([]key{
		bind("agent", "ip", &c.IP, address()),
		bind("agent", "port", &c.Port, port(0, 65533)),
		bind("agent", "snapshot", &c.Snapshot, optionalPath()),
		bind("agent", "snapshot_max_age", &c.SnapshotMaxAge, duration(0, 8760*time.Hour)),
	}, c.DNSServer.keys("dnsserver"), c.Reporter.keys("reporter"), c.Balance.keys(), c.Log.keys(), c.Admin.keys())
}

func (b *Balance) keys() []key {
	const section, most = "loadbalance", 1_000_000
	timeout := duration(100*time.Millisecond, 24*time.Hour)
	none := bind(section, "check_none", &b.CheckNone, modules())
	none.clash = func() string {
		if both := b.CheckTCP.common(b.CheckNone); both != "" {
			return both + " is in check_tcp, too; want each module in one of them"
		}
		return ""
	}
	return []key{
		bind(section, "policy", &b.Policy, oneOf(Classic, Adaptive)),
		bind(section, "check", &b.Check, oneOf(CheckTCP, CheckNone)),
		bind(section, "check_tcp", &b.CheckTCP, modules()),
		none,
		bind(section, "probe_num", &b.ProbeNum, number(1, most)),
		bind(section, "init_succ_cnt", &b.InitSuccCount, number(0, most)),
		bind(section, "init_err_cnt", &b.InitErrCount, number(0, most)),
		bind(section, "err_rate", &b.ErrRate, rate()),
		bind(section, "succ_rate", &b.SuccRate, rate()),
		bind(section, "contin_succ_limit", &b.ContinSuccLimit, number(1, most)),
		bind(section, "contin_err_limit", &b.ContinErrLimit, number(1, most)),
		bind(section, "window_err_rate", &b.WindowErrRate, rate()),
		bind(section, "idle_timeout", &b.IdleTimeout, timeout),
		bind(section, "overload_timeout", &b.OverloadTimeout, timeout),
		bind(section, "update_timeout", &b.UpdateTimeout, timeout),
		bind(section, "report_timeout", &b.ReportTimeout, duration(100*time.Millisecond, time.Hour)),
	}
}
