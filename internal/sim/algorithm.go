package sim

import (
	"time"

	"github.com/lars-lb/lars/internal/balance"
	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/sim/peers"
)

// Algorithm makes Balancers of one kind.
type Algorithm struct {
	Name string
	New  func(Env) peers.Balancer
}

// Env is what a Balancer is made for.
type Env struct {
	Hosts int
	Seed  uint64
	// Good is the truth about a host, for the oracle.
	Good func(host int, now time.Duration) bool
}

// Adaptive is Lars with its policy "adaptive"; check says whether the agent
// tries TCP connections.
func Adaptive(name string, check bool) Algorithm {
	return Algorithm{name, func(e Env) peers.Balancer {
		cfg := balance.DefaultConfig()
		cfg.Policy, cfg.Check, cfg.Seed = balance.Adaptive, check, e.Seed
		return newLars(&cfg, e.Hosts)
	}}
}

// Classic is Lars with the rules of Lars 1.0.
func Classic(name string) Algorithm {
	return Algorithm{name, func(e Env) peers.Balancer {
		cfg := balance.DefaultConfig()
		return newLars(&cfg, e.Hosts)
	}}
}

// Lars makes the code of the agent a Balancer.
type Lars struct {
	LB    *balance.LoadBalance
	hosts []route.Host
	views []balance.HostView
	buf   []route.Host
	at    time.Duration
}

const firstIP = 10<<24 | 1

func newLars(cfg *balance.Config, n int) *Lars {
	l := &Lars{LB: balance.New(route.Module{ModID: 1, CmdID: 1}, cfg)}
	nodes := make([]route.Node, n)
	for i := range nodes {
		nodes[i] = route.Node{IP: firstIP + uint32(i), Port: 80, Weight: route.DefaultWeight}
		l.hosts = append(l.hosts, nodes[i].Host())
	}
	l.LB.Update(nodes, 0)
	return l
}

// Pick implements peers.Balancer.
func (l *Lars) Pick(now time.Duration) (int, bool) {
	h, v := l.LB.Pick(now)
	l.at = now
	return int(h.IP - firstIP), v == balance.Picked
}

// Report implements peers.Balancer.
func (l *Lars) Report(host int, ok bool, cost, now time.Duration) {
	l.LB.Report(l.hosts[host], ok, cost, now)
	l.at = now
}

// TakeChecks implements Checker.
func (l *Lars) TakeChecks(dst []int) []int {
	if !l.LB.Pending() {
		return dst
	}
	l.buf = l.LB.TakeChecks(l.buf[:0])
	for _, h := range l.buf {
		dst = append(dst, int(h.IP-firstIP))
	}
	return dst
}

// Checked implements Checker.
func (l *Lars) Checked(host int, ok bool, now time.Duration) {
	l.LB.Checked(l.hosts[host], ok, now)
}

// Out implements Ejector.
func (l *Lars) Out(host int) bool {
	return l.LB.State(l.hosts[host]) == balance.Overload
}
