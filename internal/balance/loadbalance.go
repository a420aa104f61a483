package balance

import (
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
// its methods may run at the same time as another. Nobody may copy it after
// Init.
//
// Here and in adaptive what each pick needs is side by side: an agent has very
// many modules, and waits for each cache line of the one it is asked for.
type LoadBalance struct {
	policy policy
	shared
	module route.Module
	index  map[uint64]slot // of the hosts, by key of the address; nil while they are few
	ledger *ledger         // nil while there was nothing to keep
}

// New returns a LoadBalance without hosts. The settings must have passed
// Validate and must not change afterwards.
func New(m route.Module, cfg *Config) *LoadBalance {
	b := new(LoadBalance)
	b.Init(m, cfg)
	return b
}

// Init is New for the zero value of a LoadBalance that is part of something
// larger.
func (b *LoadBalance) Init(m route.Module, cfg *Config) {
	b.module, b.cfg = m, cfg
	b.policy = newPolicy(&b.shared, b.seed())
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
		return
	}
	b.out = nil
	b.lists = lists{hosts: b.lists.hosts}
	b.policy = newPolicy(&b.shared, b.seed())
	for i := range b.lists.hosts {
		h := &b.lists.hosts[i]
		h.state, h.part, h.turn = Idle, parts, 0
		h.join(now)
		b.policy.join(slot(i), now)
		b.lists.add(slot(i))
	}
}

// Module returns the module whose hosts b holds.
func (b *LoadBalance) Module() route.Module { return b.module }

// Len returns the number of hosts, in either state.
func (b *LoadBalance) Len() int { return len(b.lists.hosts) }

// Pick chooses the host of the next call. The host is the zero value unless
// the verdict is Picked.
func (b *LoadBalance) Pick(now time.Duration) (route.Host, Verdict) {
	if len(b.lists.hosts) == 0 {
		return route.Host{}, Empty
	}
	i := b.policy.pick(now)
	if i == none {
		return route.Host{}, Overloaded
	}
	return b.lists.hosts[i].Host(), Picked
}

// Report learns how a call to addr went. The cost is how long it took, 0 if
// that is unknown. It returns false, and changes nothing, for a host that is
// not in the route.
func (b *LoadBalance) Report(addr route.Host, ok bool, cost, now time.Duration) bool {
	i := b.find(addr)
	if i == none {
		return false
	}
	b.count(&b.lists.hosts[i], ok)
	b.policy.report(i, ok, cost, now)
	return true
}

// indexAbove is the number of hosts from which on a map finds one sooner than
// a search among those in order. Most modules have fewer, and agents many
// modules.
const indexAbove = 32

// find returns the host of the route that has the address, none if none has.
func (b *LoadBalance) find(addr route.Host) slot {
	if b.index != nil {
		if i, ok := b.index[key(addr)]; ok {
			return i
		}
		return none
	}
	return place(b.lists.hosts, addr)
}

// place is the slot of the host with that address, none if there is none.
func place(hosts []host, addr route.Host) slot {
	k := key(addr)
	lo, hi := 0, len(hosts)
	for lo < hi {
		mid := int(uint(lo+hi) / 2)
		if key(hosts[mid].Host()) < k {
			lo = mid + 1
		} else {
			hi = mid
		}
	}
	if lo < len(hosts) && hosts[lo].Host() == addr {
		return slot(lo)
	}
	return none
}

// Nodes appends every host to dst, in any state, in the order of addresses.
func (b *LoadBalance) Nodes(dst []route.Node) []route.Node {
	for i := range b.lists.hosts {
		dst = append(dst, b.lists.hosts[i].Node)
	}
	return dst
}

// key packs an address into a number: maps of 64-bit numbers have a faster
// lookup than maps of structs.
func key(h route.Host) uint64 { return uint64(h.IP)<<16 | uint64(h.Port) }
