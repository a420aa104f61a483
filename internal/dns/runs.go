package dns

import (
	"cmp"
	"iter"
	"slices"

	"github.com/lars-lb/lars/internal/route"
)

// runCursor is the next module of a run that is being merged.
type runCursor struct {
	run   *packed
	place int // among all runs
	next  int // of the run's modules
}

func (c runCursor) module() route.Module { return c.run.modules[c.next] }

func (c runCursor) compare(o runCursor) int {
	if order := c.module().Compare(o.module()); order != 0 {
		return order
	}
	return cmp.Compare(c.place, o.place)
}

// mergeRuns yields the modules of several runs in ascending order, and of each
// its nodes of all runs, those of earlier runs first. The slice is valid, and may
// be changed, until the next module.
func mergeRuns(runs []packed) iter.Seq2[route.Module, []route.Node] {
	return func(yield func(route.Module, []route.Node) bool) {
		var cursors []runCursor // ascending; where runs follow one another, a step leaves it so
		for i := range runs {
			if len(runs[i].modules) > 0 {
				cursors = append(cursors, runCursor{run: &runs[i], place: i})
			}
		}
		slices.SortFunc(cursors, runCursor.compare)
		var nodes []route.Node
		for len(cursors) > 0 {
			m := cursors[0].module()
			nodes = nodes[:0]
			for len(cursors) > 0 && cursors[0].module() == m {
				nodes = append(nodes, cursors[0].run.at(cursors[0].next)...)
				cursors = advance(cursors)
			}
			if !yield(m, nodes) {
				return
			}
		}
	}
}

// advance moves the first cursor to its next module, and to its place.
func advance(cursors []runCursor) []runCursor {
	first := cursors[0]
	if first.next++; first.next == len(first.run.modules) {
		return cursors[1:]
	}
	i := 1
	for i < len(cursors) && first.compare(cursors[i]) > 0 {
		cursors[i-1] = cursors[i]
		i++
	}
	cursors[i-1] = first
	return cursors
}
