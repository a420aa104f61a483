package dns

import (
	"slices"

	"github.com/lars-lb/lars/internal/route"
)

// lost counts the hosts of some modules that before has and after has not.
func lost(before, after *Table, mods []route.Module) int {
	n := 0
	for _, m := range mods {
		n += lostNodes(before.Lookup(m), after.Lookup(m))
	}
	return n
}

// lostNodes counts the hosts of before that are not in after; both ascend.
func lostNodes(before, after []route.Node) int {
	n := 0
	for _, b := range before {
		for len(after) > 0 && after[0].Host().Compare(b.Host()) < 0 {
			after = after[1:]
		}
		if len(after) == 0 || after[0].Host() != b.Host() {
			n++
		}
	}
	return n
}

// union returns a Table with the routes of t, to which the hosts of kept are
// added that t lacks. A module has no more than route.MaxHosts; those of t come
// first.
func union(t, kept *Table) *Table {
	p := newPacked(max(t.modules, kept.modules), max(t.hosts, kept.hosts))
	ours, theirs := t.cursor(), kept.cursor()
	inOurs, inTheirs := ours.next(), theirs.next()
	for inOurs || inTheirs {
		order := -1
		switch {
		case !inOurs:
			order = 1
		case inTheirs:
			order = ours.module.Compare(theirs.module)
		}
		switch {
		case order < 0:
			p.append(ours.module, ours.nodes)
			inOurs = ours.next()
		case order > 0:
			p.append(theirs.module, theirs.nodes)
			inTheirs = theirs.next()
		default:
			p.append(ours.module, unionNodes(ours.nodes, theirs.nodes))
			inOurs, inTheirs = ours.next(), theirs.next()
		}
	}
	return p.table()
}

// unionNodes adds to nodes those of kept that it lacks; both ascend.
func unionNodes(nodes, kept []route.Node) []route.Node {
	room := route.MaxHosts - len(nodes)
	all := slices.Clone(nodes)
	for _, k := range kept {
		if room == 0 {
			break
		}
		if _, has := slices.BinarySearchFunc(nodes, k, compareHosts); !has {
			all = append(all, k)
			room--
		}
	}
	slices.SortFunc(all, compareHosts)
	return all
}

func compareHosts(a, b route.Node) int { return a.Host().Compare(b.Host()) }
