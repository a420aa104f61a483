package balance

import (
	"slices"
	"time"

	"github.com/lars-lb/lars/internal/route"
)

// Verdict is how a pick ended.
type Verdict uint8

// The verdicts of a pick.
const (
	Picked     Verdict = iota // a host was returned
	Overloaded                // every host is overloaded or drained, and no probe is due
	Empty                     // the module has no hosts
)

// String returns the verdict's name.
func (v Verdict) String() string {
	switch v {
	case Picked:
		return "picked"
	case Overloaded:
		return "overloaded"
	default:
		return "empty"
	}
}

// LoadBalance holds the hosts of one module and chooses among them. None of
// its methods may run at the same time as another.
type LoadBalance struct {
	module     route.Module
	cfg        *Config
	policy     policy
	lists      lists
	out        outbox
	hosts      map[uint64]*host // by key of the address
	order      []*host          // the same hosts, by address
	generation uint8            // of the last Update
	ledger     ledger
}

// New returns a LoadBalance without hosts. The settings must have passed
// Validate and must not change afterwards.
func New(m route.Module, cfg *Config) *LoadBalance {
	b := &LoadBalance{module: m, cfg: cfg, hosts: make(map[uint64]*host)}
	b.policy = newPolicy(cfg, &b.lists, &b.out, b.seed())
	return b
}

// seed makes modules with the same settings decide by different chance.
func (b *LoadBalance) seed() uint64 {
	return b.cfg.Seed ^ uint64(uint32(b.module.ModID))<<32 ^ uint64(uint32(b.module.CmdID))
}

// SetConfig replaces the settings, under the conditions of New. They apply to
// later decisions; what is known about the hosts, and the list each is on,
// stay. Another policy than before begins anew, with all hosts idle.
func (b *LoadBalance) SetConfig(cfg *Config, now time.Duration) {
	before := b.cfg.Policy
	b.cfg = cfg
	if cfg.Policy == before {
		b.policy.configure(cfg)
		return
	}
	b.out = outbox{}
	for _, h := range b.order {
		b.lists.remove(h)
	}
	b.lists = lists{}
	b.policy = newPolicy(cfg, &b.lists, &b.out, b.seed())
	for _, h := range b.order {
		h.state, h.stats, h.health = Idle, stats{}, nil
		h.share, h.turn = fullShare(h.weight), 0
		b.policy.join(h, now)
		b.lists.add(h)
	}
}

// Module returns the module whose hosts b holds.
func (b *LoadBalance) Module() route.Module { return b.module }

// Len returns the number of hosts, in either state.
func (b *LoadBalance) Len() int { return len(b.order) }

// Pick chooses the host of the next call. The host is the zero value unless
// the verdict is Picked.
func (b *LoadBalance) Pick(now time.Duration) (route.Host, Verdict) {
	if len(b.order) == 0 {
		return route.Host{}, Empty
	}
	h := b.policy.pick(now)
	if h == nil {
		return route.Host{}, Overloaded
	}
	return h.addr, Picked
}

// Report learns how a call to addr went. The cost is how long it took, 0 if
// that is unknown. It returns false, and changes nothing, for a host that is
// not in the route.
func (b *LoadBalance) Report(addr route.Host, ok bool, cost, now time.Duration) bool {
	h := b.hosts[key(addr)]
	if h == nil {
		return false
	}
	h.unsent.count(ok)
	b.policy.report(h, ok, cost, now)
	return true
}

// Update makes the route exactly nodes: new hosts join the tail of the idle
// list in the order given, missing ones are forgotten but for their unsent
// counts, known ones keep their statistics. Duplicates and hosts
// that are not Valid are passed over, and so is what follows the first
// route.MaxHosts. Update keeps no reference to nodes.
func (b *LoadBalance) Update(nodes []route.Node, now time.Duration) (added, removed int) {
	b.generation++
	named := 0
	for _, n := range nodes {
		addr := n.Host()
		h := b.hosts[key(addr)]
		switch {
		case !addr.Valid(), h != nil && h.generation == b.generation:
			continue
		case h == nil:
			h = b.add(addr, n.Weight, now)
			added++
		default:
			b.lists.setWeight(h, n.Weight)
		}
		h.generation = b.generation
		if named++; named == route.MaxHosts {
			break
		}
	}
	removed = b.removeUnnamed()
	if added > 0 {
		slices.SortFunc(b.order, func(x, y *host) int { return x.addr.Compare(y.addr) })
	}
	b.policy.settle(now)
	return added, removed
}

func (b *LoadBalance) add(addr route.Host, weight uint16, now time.Duration) *host {
	h := &host{addr: addr, weight: weight, share: fullShare(weight)}
	b.ledger.welcome(h)
	b.policy.join(h, now)
	b.lists.add(h)
	b.hosts[key(addr)] = h
	b.order = append(b.order, h)
	return h
}

// removeUnnamed removes the hosts that the current Update did not name. Every
// host is named or removed in each Update, so the others were all named in
// the one before it: a generation may wrap without harm.
func (b *LoadBalance) removeUnnamed() int {
	before := len(b.order)
	b.order = slices.DeleteFunc(b.order, func(h *host) bool {
		if h.generation == b.generation {
			return false
		}
		b.policy.leave(h)
		b.lists.remove(h)
		delete(b.hosts, key(h.addr))
		b.ledger.farewell(h)
		return true
	})
	return before - len(b.order)
}

// Nodes appends every host to dst, in any state, in the order of addresses.
func (b *LoadBalance) Nodes(dst []route.Node) []route.Node {
	for _, h := range b.order {
		dst = append(dst, route.NodeOf(h.addr, h.weight))
	}
	return dst
}

// key packs an address into a number: maps of 64-bit numbers have a faster
// lookup than maps of structs.
func key(h route.Host) uint64 { return uint64(h.IP)<<16 | uint64(h.Port) }
