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
	order      []*host          // by address
	index      map[uint64]*host // the same, by key of the address; nil while they are few
	generation uint8            // of the last Update
	ledger     ledger
}

// New returns a LoadBalance without hosts. The settings must have passed
// Validate and must not change afterwards.
func New(m route.Module, cfg *Config) *LoadBalance {
	b := &LoadBalance{module: m, cfg: cfg}
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
		h.state, h.stats, h.health = Idle, nil, nil
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
	h := b.find(addr)
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
	var slab []host // for the new ones: they are asked about together
	for i, n := range nodes {
		addr := n.Host()
		h := b.find(addr)
		switch {
		case !addr.Valid(), h != nil && h.generation == b.generation:
			continue
		case h == nil:
			if len(slab) == 0 {
				slab = make([]host, min(len(nodes)-i, maxSlab))
			}
			h, slab = &slab[0], slab[1:]
			b.add(h, n, now)
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
	b.policy.settle(now)
	return added, removed
}

// maxSlab bounds how many hosts are allocated as one: their memory is freed
// when all of them have left.
const maxSlab = 32

func (b *LoadBalance) add(h *host, n route.Node, now time.Duration) {
	*h = host{addr: n.Host(), weight: n.Weight, share: fullShare(n.Weight)}
	b.ledger.welcome(h)
	b.policy.join(h, now)
	b.lists.add(h)
	i, _ := b.place(h.addr)
	b.order = slices.Insert(b.order, i, h)
	switch {
	case b.index != nil:
		b.index[key(h.addr)] = h
	case len(b.order) > indexAbove:
		b.index = make(map[uint64]*host, 2*indexAbove)
		for _, h := range b.order {
			b.index[key(h.addr)] = h
		}
	}
}

// indexAbove is the number of hosts from which on a map finds one sooner than
// a search among those in order. Most modules have fewer, and agents many
// modules.
const indexAbove = 32

// find returns the host of the route that has the address, nil if none has.
func (b *LoadBalance) find(addr route.Host) *host {
	if b.index != nil {
		return b.index[key(addr)]
	}
	if i, ok := b.place(addr); ok {
		return b.order[i]
	}
	return nil
}

// place is where in order the host with that address is, or would be.
func (b *LoadBalance) place(addr route.Host) (i int, found bool) {
	k := key(addr)
	lo, hi := 0, len(b.order)
	for lo < hi {
		mid := int(uint(lo+hi) / 2)
		if key(b.order[mid].addr) < k {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	return lo, lo < len(b.order) && b.order[lo].addr == addr
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
		delete(b.index, key(h.addr))
		b.ledger.farewell(h)
		return true
	})
	if len(b.order) <= indexAbove/2 {
		b.index = nil
	}
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
