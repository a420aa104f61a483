package dns

import (
	"iter"
	"maps"
	"slices"

	"github.com/lars-lb/lars/internal/route"
)

const (
	// wantOverlay is how many modules a Table is to keep beside its packed part:
	// that is what one change copies. Beyond it the watcher has the Table packed
	// anew, beside what else it does.
	wantOverlay = 4096
	// maxOverlay is how many it may keep; With packs it anew beyond that. Only
	// changes that come much faster than a Table is packed lead there.
	maxOverlay = 16 * wantOverlay
)

// Table is the routes of all modules at one moment. It never changes, so any
// goroutine may read it. The zero Table has no routes.
//
// Nearly all of it is packed into three slices: 8 bytes a host and 12 a
// module, and nothing for the garbage collector to follow. The few modules
// that changed since the packing are in a map that comes before it.
type Table struct {
	packed  packed
	overlay map[route.Module][]route.Node // an empty route hides the packed one
	modules int
	hosts   int
}

// packed holds the hosts of modules[i] in nodes[ends[i-1]:ends[i]]. Modules
// ascend, and so do the hosts of each.
type packed struct {
	modules []route.Module
	ends    []uint32
	nodes   []route.Node
}

// newPacked has room for so many.
func newPacked(modules, nodes int) packed {
	return packed{
		modules: make([]route.Module, 0, modules),
		ends:    make([]uint32, 0, modules),
		nodes:   make([]route.Node, 0, nodes),
	}
}

func (p *packed) append(m route.Module, nodes []route.Node) {
	p.modules = append(p.modules, m)
	p.nodes = append(p.nodes, nodes...)
	p.ends = append(p.ends, uint32(len(p.nodes)))
}

// at returns the hosts of modules[i], without room to append to.
func (p *packed) at(i int) []route.Node {
	start := uint32(0)
	if i > 0 {
		start = p.ends[i-1]
	}
	end := p.ends[i]
	return p.nodes[start:end:end]
}

// fitting returns p in no more memory than it needs.
func (p *packed) fitting() packed {
	fit := newPacked(len(p.modules), len(p.nodes))
	fit.modules = append(fit.modules, p.modules...)
	fit.ends = append(fit.ends, p.ends...)
	fit.nodes = append(fit.nodes, p.nodes...)
	return fit
}

func (p packed) table() *Table {
	return &Table{packed: p, modules: len(p.modules), hosts: len(p.nodes)}
}

// Lookup returns the hosts of m in ascending order, or none for a module that
// does not exist. The slice is the Table's: nobody may change it.
func (t *Table) Lookup(m route.Module) []route.Node {
	if len(t.overlay) > 0 {
		if nodes, ok := t.overlay[m]; ok {
			return nodes
		}
	}
	if i, ok := slices.BinarySearchFunc(t.packed.modules, m, route.Module.Compare); ok {
		return t.packed.at(i)
	}
	return nil
}

// Modules is the number of modules that have hosts.
func (t *Table) Modules() int { return t.modules }

// Hosts is the number of hosts of all modules together.
func (t *Table) Hosts() int { return t.hosts }

// With returns a Table in which each module of changed has that route; an
// empty one removes the module. The Table keeps the slices, which must be
// ascending and must not change any more.
func (t *Table) With(changed map[route.Module][]route.Node) *Table {
	next := &Table{packed: t.packed, overlay: maps.Clone(t.overlay), modules: t.modules, hosts: t.hosts}
	if next.overlay == nil {
		next.overlay = make(map[route.Module][]route.Node, len(changed))
	}
	for m, nodes := range changed {
		old := t.Lookup(m)
		next.hosts += len(nodes) - len(old)
		switch {
		case len(old) == 0 && len(nodes) > 0:
			next.modules++
		case len(old) > 0 && len(nodes) == 0:
			next.modules--
		}
		next.overlay[m] = nodes
	}
	if len(next.overlay) > maxOverlay {
		return next.repack()
	}
	return next
}

func (t *Table) repack() *Table {
	p := newPacked(t.modules, t.hosts)
	for m, nodes := range t.All() {
		p.append(m, nodes)
	}
	return p.table()
}

// All yields the modules that have hosts in ascending order.
func (t *Table) All() iter.Seq2[route.Module, []route.Node] {
	return func(yield func(route.Module, []route.Node) bool) {
		c := t.cursor()
		for c.next() {
			if !yield(c.module, c.nodes) {
				return
			}
		}
	}
}

// Diff returns the modules whose routes differ between two Tables, if only in
// a weight, ascending.
func Diff(before, after *Table) []route.Module {
	var changed []route.Module
	b, a := before.cursor(), after.cursor()
	inB, inA := b.next(), a.next()
	for inB || inA {
		order := 0
		switch {
		case !inA:
			order = -1
		case !inB:
			order = 1
		default:
			order = b.module.Compare(a.module)
		}
		switch {
		case order < 0: // removed
			changed = append(changed, b.module)
			inB = b.next()
		case order > 0: // added
			changed = append(changed, a.module)
			inA = a.next()
		default:
			if !slices.Equal(b.nodes, a.nodes) {
				changed = append(changed, a.module)
			}
			inB, inA = b.next(), a.next()
		}
	}
	return changed
}

// cursor walks a Table in the order of modules, merging the packed part with
// what comes before it.
type cursor struct {
	table   *Table
	packed  int            // next of the packed modules
	overlay []route.Module // the rest of the others, ascending

	module route.Module
	nodes  []route.Node
}

func (t *Table) cursor() *cursor {
	return &cursor{table: t, overlay: slices.SortedFunc(maps.Keys(t.overlay), route.Module.Compare)}
}

// next moves to the next module that has hosts and reports whether there is one.
func (c *cursor) next() bool {
	p := &c.table.packed
	for c.packed < len(p.modules) || len(c.overlay) > 0 {
		order := -1 // of the next packed module to the next of the others
		if c.packed == len(p.modules) {
			order = 1
		} else if len(c.overlay) > 0 {
			order = p.modules[c.packed].Compare(c.overlay[0])
		}
		if order < 0 {
			c.module, c.nodes = p.modules[c.packed], p.at(c.packed)
			c.packed++
			return true
		}
		if order == 0 {
			c.packed++
		}
		c.module, c.nodes = c.overlay[0], c.table.overlay[c.overlay[0]]
		c.overlay = c.overlay[1:]
		if len(c.nodes) > 0 {
			return true
		}
	}
	return false
}
