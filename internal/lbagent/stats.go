package lbagent

import (
	"time"

	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/reactor"
)

// QueueStats is how full the queues to the agent's loops are.
type QueueStats struct {
	Pulls  reactor.QueueStats `json:"pulls"`
	Checks reactor.QueueStats `json:"checks"`
	Events reactor.QueueStats `json:"events"`
}

// addCondition fills in how the agent keeps up.
func (a *Agent) addCondition(s *Stats) {
	s.Befell = a.befell.snapshot()
	s.Queues = QueueStats{Pulls: a.dns.queue.Stats(), Checks: a.checker.queue.Stats(), Events: a.events.queue.Stats()}
	var came time.Duration
	for _, r := range a.shards {
		came = max(came, r.routeCame())
	}
	if came != 0 {
		s.RouteAge = new((a.clock() - came).Seconds())
	}
	a.EachLoop(func(name string, l *reactor.Loop) {
		s.Loops = append(s.Loops, reactor.NamedLoopStats{Name: name, LoopStats: l.Stats()})
	})
}

// EachLoop calls f with the agent's event loops.
func (a *Agent) EachLoop(f func(name string, l *reactor.Loop)) {
	for i, name := range [route.Shards]string{"udp0", "udp1", "udp2"} {
		f(name, a.servers[i].Loop())
	}
	f("dns", a.dns.loop)
	f("reporter", a.reporter.loop)
	f("side", a.side)
}

// Explain says what is the matter with the agent, a sentence each. Any
// goroutine may call it.
func (a *Agent) Explain() []string {
	var reasons []string
	if a.dns.client.Stats().Open == 0 {
		reasons = append(reasons, "not connected to lars-dns: the modules that are known are served, others and changes do not arrive")
	}
	if a.reporter.client.Stats().Open == 0 {
		reasons = append(reasons, "not connected to lars-reporter: counts of calls add up here")
	}
	return reasons
}
