package store

import (
	"cmp"
	"fmt"
	"slices"

	"github.com/lars-lb/lars/internal/route"
)

// Entry is one host of one module, and perhaps its weight.
type Entry struct {
	Module route.Module
	Host   route.Host
	Weight Weight
}

// Weight is what an Entry says about the weight of its host. The zero Weight
// says nothing: a host that is new gets route.DefaultWeight then.
type Weight struct {
	value uint16
	given bool
}

// WeightOf says that the weight is w, 0 to route.MaxWeight.
func WeightOf(w uint16) Weight { return Weight{w, true} }

// Value returns the weight and whether one was given.
func (w Weight) Value() (weight uint16, given bool) { return w.value, w.given }

// Or returns the weight, or otherwise if none was given.
func (w Weight) Or(otherwise uint16) uint16 {
	if w.given {
		return w.value
	}
	return otherwise
}

// Key is e without its weight: what tells entries apart, in maps for example.
func (e Entry) Key() Entry { return Entry{Module: e.Module, Host: e.Host} }

// compareKey orders entries by module, then host.
func (e Entry) compareKey(o Entry) int {
	return cmp.Or(e.Module.Compare(o.Module), e.Host.Compare(o.Host))
}

// uniqueEntries returns entries sorted and without repetitions, or an error
// when one of them is no host, has no possible weight, or contradicts another.
func uniqueEntries(entries []Entry) ([]Entry, error) {
	for _, e := range entries {
		if !e.Host.Valid() {
			return nil, fmt.Errorf("host %v of module %v cannot be called: neither address nor port may be 0", e.Host, e.Module)
		}
		if e.Weight.value > route.MaxWeight {
			return nil, fmt.Errorf("host %v of module %v: %w", e.Host, e.Module, impossibleWeight(e.Weight.value))
		}
	}
	sorted := slices.SortedFunc(slices.Values(entries), Entry.compareKey)
	unique := sorted[:0]
	for _, e := range sorted {
		if len(unique) == 0 || unique[len(unique)-1].Key() != e.Key() {
			unique = append(unique, e)
			continue
		}
		switch last := &unique[len(unique)-1]; {
		case !last.Weight.given:
			last.Weight = e.Weight
		case e.Weight.given && e.Weight != last.Weight:
			return nil, fmt.Errorf("host %v of module %v is given two weights, %d and %d", e.Host, e.Module, last.Weight.value, e.Weight.value)
		}
	}
	return unique, nil
}

// modulesOf returns the modules of sorted entries.
func modulesOf(entries []Entry) []route.Module {
	var mods []route.Module
	for _, e := range entries {
		if len(mods) == 0 || mods[len(mods)-1] != e.Module {
			mods = append(mods, e.Module)
		}
	}
	return mods
}
