package peers

import (
	"time"

	"github.com/lars-lb/lars/internal/balance"
	"github.com/lars-lb/lars/internal/route"
)

// classic is the agent's own code with the rules and settings of Lars 1.0.
type classic struct{ lb *balance.LoadBalance }

// firstHost is the address of host 0; the others follow.
const firstHost = 10<<24 | 1

// NewClassic has the rules of Lars 1.0 decide among n hosts, at most
// route.MaxHosts.
func NewClassic(n int) Balancer {
	cfg := balance.DefaultConfig()
	lb := balance.New(route.Module{ModID: 1, CmdID: 1}, &cfg)
	nodes := make([]route.Node, n)
	for i := range nodes {
		nodes[i] = route.NodeOf(hostNumber(i), route.DefaultWeight)
	}
	lb.Update(nodes, 0)
	return &classic{lb}
}

func (c *classic) Pick(now time.Duration) (int, bool) {
	h, v := c.lb.Pick(now)
	if v != balance.Picked {
		return 0, false
	}
	return int(h.IP - firstHost), true
}

func (c *classic) Report(host int, ok bool, cost, now time.Duration) {
	c.lb.Report(hostNumber(host), ok, cost, now)
}

func hostNumber(i int) route.Host { return route.Host{IP: firstHost + uint32(i), Port: 80} }
