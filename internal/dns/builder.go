package dns

import (
	"cmp"
	"slices"

	"github.com/lars-lb/lars/internal/route"
)

// Builder makes a Table of hosts that come in any order, with duplicates.
type Builder struct {
	entries []entry
}

// entry is 20 bytes; a table of ten million rows needs 200 MB of them while it
// is built.
type entry struct {
	module route.Module
	node   route.Node
	seq    uint32 // position among all that was added
}

// compare orders entries by module, host and position. It takes the weight for
// no part of the host.
func (e entry) compare(o entry) int {
	if c := e.module.Compare(o.module); c != 0 {
		return c
	}
	if c := e.node.Host().Compare(o.node.Host()); c != 0 {
		return c
	}
	return cmp.Compare(e.seq, o.seq)
}

func (e entry) compareSeq(o entry) int { return cmp.Compare(e.seq, o.seq) }

// Add adds one host of a module. Of several with one address and port the
// weight of the first counts.
func (b *Builder) Add(m route.Module, n route.Node) {
	b.entries = append(b.entries, entry{m, n, uint32(len(b.entries))})
}

// Oversized is a module with more hosts than a frame carries.
type Oversized struct {
	Module route.Module
	Hosts  int // different ones that were added; route.MaxHosts are served
}

// Table returns the Table. A module with more than route.MaxHosts different
// hosts gets those that were added first, and is returned as oversized. The
// Builder is empty afterwards.
func (b *Builder) Table() (*Table, []Oversized) {
	entries := b.entries
	b.entries = nil
	slices.SortFunc(entries, entry.compare)
	// Of equal hosts the first is kept: the one added first.
	entries = slices.CompactFunc(entries, func(x, y entry) bool { return x.module == y.module && x.node.Host() == y.node.Host() })

	modules := 0
	for i := range entries {
		if i == 0 || entries[i].module != entries[i-1].module {
			modules++
		}
	}
	p := packed{
		modules: make([]route.Module, 0, modules),
		ends:    make([]uint32, 0, modules),
		nodes:   make([]route.Node, 0, len(entries)),
	}
	var oversized []Oversized
	for len(entries) > 0 {
		m, n := entries[0].module, 1
		for n < len(entries) && entries[n].module == m {
			n++
		}
		group := entries[:n]
		entries = entries[n:]
		if n > route.MaxHosts {
			oversized = append(oversized, Oversized{m, n})
			slices.SortFunc(group, entry.compareSeq)
			group = group[:route.MaxHosts]
			slices.SortFunc(group, entry.compare)
		}
		p.modules = append(p.modules, m)
		for _, e := range group {
			p.nodes = append(p.nodes, e.node)
		}
		p.ends = append(p.ends, uint32(len(p.nodes)))
	}
	return p.table(), oversized
}
