package sim

import "github.com/lars-lb/lars/internal/sim/peers"

// Algorithms are all that a comparison shows, the oracle first and Lars's own
// policy last.
func Algorithms() []Algorithm {
	return []Algorithm{
		{"oracle", func(e Env) peers.Balancer { return peers.NewOracle(e.Hosts, e.Good) }},
		{"round robin", func(e Env) peers.Balancer { return peers.NewRoundRobin(e.Hosts) }},
		Classic("classic"),
		{"ELB", func(e Env) peers.Balancer { return peers.NewELB(e.Hosts) }},
		{"Envoy", func(e Env) peers.Balancer { return peers.NewEnvoy(e.Hosts, e.Seed) }},
		{"Linkerd", func(e Env) peers.Balancer { return peers.NewLinkerd(e.Hosts, e.Seed) }},
		{"Polaris", func(e Env) peers.Balancer { return peers.NewPolaris(e.Hosts) }},
		{"p2c", func(e Env) peers.Balancer { return peers.NewP2C(e.Hosts, e.Seed) }},
		Adaptive("adaptive, no check", false),
		Adaptive("adaptive", true),
	}
}
