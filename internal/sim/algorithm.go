package sim

import (
	"time"

	"github.com/lars-lb/lars/internal/balance"
	"github.com/lars-lb/lars/internal/sim/peers"
)

// Algorithm makes Balancers of one kind.
type Algorithm struct {
	ID    string // stable: small letters, digits and hyphens
	Title string // for people; short, as it heads a column
	About string // one line
	New   func(Env) peers.Balancer
}

// Ejector is a Balancer that keeps hosts out of the traffic.
type Ejector interface {
	// Out reports whether host is kept out, but for what tries it.
	Out(host int) bool
}

// Checker is a Balancer that wants TCP connections tried.
type Checker interface {
	// TakeChecks appends the hosts to try to dst.
	TakeChecks(dst []int) []int
	// Checked tells whether a connection to host could be made.
	Checked(host int, ok bool, now time.Duration)
}

// Env is what a Balancer is made for.
type Env struct {
	Hosts int
	Seed  uint64
	// Well is the truth about a host, for the oracle.
	Well func(host int, now time.Duration) bool
}

// The algorithms that others are measured by, and the one that is.
const (
	OracleID   = "oracle"
	AdaptiveID = "adaptive"
)

// Algorithms are all that are compared, the oracle first and Lars's own policy
// last.
func Algorithms() []Algorithm {
	return []Algorithm{
		{OracleID, "oracle", "knows which hosts are well and takes those in turn",
			func(e Env) peers.Balancer { return peers.NewOracle(e.Hosts, e.Well) }},
		{"round-robin", "round robin", "all hosts in turn, whatever becomes of the calls",
			func(e Env) peers.Balancer { return peers.NewRoundRobin(e.Hosts) }},
		{"classic", "classic", "Lars with the policy classic, the rules of Lars 1.0",
			func(e Env) peers.Balancer { return agent(e, balance.Classic, false) }},
		{"elb", "ELB", "the rules of Easy-Load-Balancer",
			func(e Env) peers.Balancer { return peers.NewELB(e.Hosts) }},
		{"envoy", "Envoy", "round robin with Envoy's outlier detection",
			func(e Env) peers.Balancer { return peers.NewEnvoy(e.Hosts, e.Seed) }},
		{"linkerd", "Linkerd", "round robin with Linkerd's failure accrual",
			func(e Env) peers.Balancer { return peers.NewLinkerd(e.Hosts, e.Seed) }},
		{"polaris", "Polaris", "round robin with Polaris's circuit breaker",
			func(e Env) peers.Balancer { return peers.NewPolaris(e.Hosts) }},
		{"p2c", "p2c", "the better of two random hosts, by latency, success and calls under way",
			func(e Env) peers.Balancer { return peers.NewP2C(e.Hosts, e.Seed) }},
		{"adaptive-no-check", "no check", "Lars with the policy adaptive, without TCP checks",
			func(e Env) peers.Balancer { return agent(e, balance.Adaptive, false) }},
		{AdaptiveID, "adaptive", "Lars with the policy adaptive",
			func(e Env) peers.Balancer { return agent(e, balance.Adaptive, true) }},
	}
}

// agent is Lars with one of its policies; check says whether it may try TCP
// connections.
func agent(e Env, policy balance.Policy, check bool) peers.Balancer {
	cfg := balance.DefaultConfig()
	cfg.Policy, cfg.Check, cfg.Seed = policy, check, e.Seed
	return newLars(&cfg, e.Hosts)
}
