package sim

import (
	"time"

	"github.com/lars-lb/lars/internal/balance"
	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/sim/peers"
)

// lars makes the code of the agent a Balancer, a Checker and an Ejector.
type lars struct {
	lb    *balance.LoadBalance
	hosts []route.Host
	asked []route.Host
}

// firstIP is the address of host 0; the others follow.
const firstIP = 10<<24 | 1

// newLars has the agent's code decide among n hosts, at most route.MaxHosts.
func newLars(cfg *balance.Config, n int) peers.Balancer {
	l := &lars{lb: balance.New(route.Module{ModID: 1, CmdID: 1}, cfg)}
	nodes := make([]route.Node, n)
	for i := range nodes {
		h := route.Host{IP: firstIP + uint32(i), Port: 80}
		nodes[i] = route.NodeOf(h, route.DefaultWeight)
		l.hosts = append(l.hosts, h)
	}
	l.lb.Update(nodes, 0)
	return l
}

func (l *lars) Pick(now time.Duration) (host int, ok bool) {
	h, v := l.lb.Pick(now)
	if v != balance.Picked {
		return 0, false
	}
	return number(h), true
}

func (l *lars) Report(host int, ok bool, cost, now time.Duration) {
	l.lb.Report(l.hosts[host], ok, cost, now)
}

func (l *lars) TakeChecks(dst []int) []int {
	if !l.lb.Pending() {
		return dst
	}
	l.asked = l.lb.TakeChecks(l.asked[:0])
	for _, h := range l.asked {
		dst = append(dst, number(h))
	}
	return dst
}

func (l *lars) Checked(host int, ok bool, now time.Duration) {
	l.lb.Checked(l.hosts[host], ok, now)
}

func (l *lars) Out(host int) bool { return l.lb.State(l.hosts[host]) == balance.Overload }

func number(h route.Host) int { return int(h.IP - firstIP) }
