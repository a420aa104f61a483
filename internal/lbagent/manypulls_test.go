package lbagent_test

import (
	"testing"

	"github.com/lars-lb/lars/internal/eventually"
	"github.com/lars-lb/lars/internal/lbagent"
	"github.com/lars-lb/lars/internal/route"
)

// An agent that comes back asks for all its modules together. It is sent what
// has changed, was removed or is there anew, and told of the others.
func TestAgentComesBackWithItsRoutes(t *testing.T) {
	dns, reporter := newFakeDNS(t), newFakeReporter(t)
	const n = 2000 // several questions
	id := func(i int) route.Module { return route.Module{ModID: int32(i), CmdID: int32(-i)} }
	for i := range n {
		dns.set(id(i), hostA, hostB)
	}
	a, _ := startAgent(t, dns.addr, reporter.addr, nil)
	c := callerOf(t, a, id(0))
	for i := range n {
		c.waitFor(id(i))
	}
	dns.stop()
	changed, removed, same := id(1), id(1500), id(777)
	dns.set(changed, hostB)
	dns.set(removed)
	before := sumRoutes(a)
	dns.start()
	eventually.True(t, patience, "all is answered", func() bool { return sumRoutes(a).Updates-before.Updates == n })
	for want, m := range map[int]route.Module{1: changed, 0: removed, 2: same} {
		if got := c.getRoute(m); len(got) != want {
			t.Errorf("route of %v: %v, want %d hosts", m, got, want)
		}
	}
	if got := sumRoutes(a).Confirmed; got != n-2 {
		t.Errorf("%d routes were confirmed, want %d", got, n-2)
	}
	dns.push(same, hostA)
	eventually.True(t, patience, "a push arrives", func() bool { return len(c.getRoute(same)) == 1 })
}

// A lars-dns of Lars 1.0 does not know that question: the agent asks for each
// module, as it always did.
func TestAgentComesBackToLars1(t *testing.T) {
	dns, reporter := newFakeDNS(t), newFakeReporter(t)
	dns.lars1 = true
	dns.set(module1, hostA)
	a, _ := startAgent(t, dns.addr, reporter.addr, func(c *lbagent.Config) { c.PullInterval /= 10 })
	c := callerOf(t, a, module1)
	c.waitFor(module1)
	dns.stop()
	dns.set(module1, hostA, hostB)
	dns.start()
	eventually.True(t, patience, "the change arrives", func() bool { return len(c.getRoute(module1)) == 2 })
	dns.mu.Lock()
	defer dns.mu.Unlock()
	if dns.many == 0 {
		t.Error("the agent did not try to ask for all together")
	}
}

func sumRoutes(a *lbagent.Agent) (sum lbagent.RouteStats) {
	for _, s := range a.Stats().Routes {
		sum.Updates += s.Updates
		sum.Confirmed += s.Confirmed
	}
	return sum
}
