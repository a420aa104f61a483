package balance

import (
	"slices"
	"time"

	"github.com/lars-lb/lars/internal/route"
)

// Update makes the route exactly nodes: new hosts join the tail of the idle
// list in the order given, missing ones are forgotten but for their unsent
// counts, known ones keep their statistics. Duplicates and hosts
// that are not Valid are passed over, and so is what follows the first
// route.MaxHosts. Update keeps no reference to nodes.
//
// It takes time linear in the hosts, old and new, and memory only if they are
// not the same.
func (b *LoadBalance) Update(nodes []route.Node, now time.Duration) (added, removed int) {
	nodes = distinct(nodes)
	unknown := 0
	for _, n := range nodes {
		if i := b.find(n.Host()); i == none {
			unknown++
		} else {
			b.lists.hosts[i].named = true
		}
	}
	if unknown > 0 {
		b.makePlaces(nodes, unknown)
	}
	for _, n := range nodes {
		i := b.find(n.Host())
		h := &b.lists.hosts[i]
		if h.named {
			b.lists.setWeight(i, n.Weight)
			continue
		}
		h.named = true
		h.Weight = n.Weight
		b.reinstate(h)
		h.join(now)
		b.policy.join(i, now)
		b.lists.add(i)
	}
	removed = b.removeUnnamed()
	b.policy.settle(now)
	return unknown, removed
}

// distinct are the nodes that are Valid, each host once, and the first
// route.MaxHosts of those. It does not change nodes.
func distinct(nodes []route.Node) []route.Node {
	ascending := len(nodes) <= route.MaxHosts
	last := route.Host{}
	for _, n := range nodes {
		h := n.Host()
		ascending = ascending && h.Valid() && h.Compare(last) > 0
		last = h
	}
	if ascending { // as lars-dns sends them
		return nodes
	}
	seen := make(map[uint64]bool, len(nodes))
	var all []route.Node
	for _, n := range nodes {
		if k := key(n.Host()); n.Host().Valid() && !seen[k] && len(all) < route.MaxHosts {
			seen[k] = true
			all = append(all, n)
		}
	}
	return all
}

// makePlaces gives hosts that are not in the route, so many of nodes, a slot
// each. They are on no list yet.
func (b *LoadBalance) makePlaces(nodes []route.Node, unknown int) {
	old := b.lists.hosts
	hosts := make([]host, 0, len(old)+unknown)
	hosts = append(hosts, old...)
	for _, n := range nodes {
		if b.find(n.Host()) == none {
			hosts = append(hosts, host{Node: n, part: parts})
		}
	}
	slices.SortFunc(hosts, func(x, y host) int { return x.Host().Compare(y.Host()) })
	to := make([]slot, len(old))
	for i := range old {
		to[i] = place(hosts, old[i].Host())
	}
	b.relocate(hosts, to)
}

// removeUnnamed removes the hosts that the current Update did not name.
func (b *LoadBalance) removeUnnamed() (removed int) {
	var to []slot
	for i := range b.lists.hosts {
		h := &b.lists.hosts[i]
		if h.named {
			h.named = false
			continue
		}
		if to == nil {
			to = make([]slot, len(b.lists.hosts))
		}
		to[i] = none
		removed++
		b.policy.leave(slot(i))
		b.lists.remove(slot(i))
		b.dismiss(h)
	}
	if removed == 0 {
		return 0
	}
	hosts := make([]host, 0, len(b.lists.hosts)-removed)
	for i := range b.lists.hosts {
		if to[i] != none {
			to[i] = slot(len(hosts))
			hosts = append(hosts, b.lists.hosts[i])
		}
	}
	b.relocate(hosts, to)
	return removed
}

// relocate makes hosts, in the order of addresses, the hosts of the route; to
// has the slot of each old one in it, none for one that is gone.
func (b *LoadBalance) relocate(hosts []host, to []slot) {
	b.lists.relocate(hosts, to)
	b.policy.relocate(to, len(hosts))
	b.index = nil
	if len(hosts) > indexAbove {
		b.index = make(map[uint64]slot, len(hosts))
		for i := range hosts {
			b.index[key(hosts[i].Host())] = slot(i)
		}
	}
}
