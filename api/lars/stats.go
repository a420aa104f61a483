package lars

import "sync/atomic"

// Stats counts what a client did since it was made.
type Stats struct {
	// Answers of the agent, by kind: to GetHost, and to GetRoute and Register.
	Hosts        uint64 // a host to call
	Routes       uint64 // a route with hosts in it
	NotExist     uint64 // no host or route of the module
	Overload     uint64 // every host of the module is overloaded
	SystemErrors uint64 // the agent could not say

	// Stale is how many calls were answered from memory.
	Stale uint64
	// Modules is how many modules GetHost could be answered for from memory.
	Modules int
	// AgentDown is how often one of the agent's three ports was found to be
	// away, and PortsDown how many are now.
	AgentDown uint64
	PortsDown int

	// ReportsSent were handed to the system. One that was refused is kept, and
	// counted again when it is sent again.
	ReportsSent uint64
	// ReportsKept had to wait for the agent, ReportsDropped waited in vain, and
	// ReportsWaiting do so now.
	ReportsKept, ReportsDropped uint64
	ReportsWaiting              int
}

// counts are those of one socket, and so written by one call at a time: no two
// cores count at the same place.
type counts struct {
	hosts, routes, notExist, overload, systemErrors, reports atomic.Uint64
}

func (c *counts) addTo(s *Stats) {
	s.Hosts += c.hosts.Load()
	s.Routes += c.routes.Load()
	s.NotExist += c.notExist.Load()
	s.Overload += c.overload.Load()
	s.SystemErrors += c.systemErrors.Load()
	s.ReportsSent += c.reports.Load()
}

// Stats returns what c has counted. Calls under way may be counted in part. It
// may be called after Close.
func (c *Client) Stats() Stats {
	var s Stats
	for _, p := range c.ports {
		p.addTo(&s)
	}
	return s
}

func (p *port) addTo(s *Stats) {
	s.Stale += p.stale.Load()
	s.Modules += p.memory.len()
	s.AgentDown += p.health.downs.Load()
	if p.health.down.Load() {
		s.PortsDown++
	}
	p.kept.mu.Lock()
	s.ReportsKept += p.kept.added
	s.ReportsDropped += p.kept.dropped
	s.ReportsWaiting += len(p.kept.queue)
	p.kept.mu.Unlock()

	p.mu.Lock()
	defer p.mu.Unlock()
	sum := p.retired
	for o := range p.open {
		o.counts.addTo(&sum)
	}
	s.Hosts += sum.Hosts
	s.Routes += sum.Routes
	s.NotExist += sum.NotExist
	s.Overload += sum.Overload
	s.SystemErrors += sum.SystemErrors
	s.ReportsSent += sum.ReportsSent
}
