package store

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/lars-lb/lars/internal/route"
)

// ErrTooManyHosts is returned by writers that would give a module more than
// route.MaxHosts hosts.
var ErrTooManyHosts = errors.New("too many hosts")

// Added is what AddHosts did.
type Added struct {
	Hosts     int // that were not there yet
	Reweighed int // that were there with another weight
}

// AddHosts adds hosts to their modules. New ones have the weight of their
// entry, route.DefaultWeight if it says nothing; those that are there keep
// theirs unless the entry gives another. All or none: it fails with
// ErrTooManyHosts, naming the module, when one of them would have more than
// route.MaxHosts.
func (s *Store) AddHosts(ctx context.Context, entries []Entry) (Added, error) {
	const op = "add hosts"
	want, err := uniqueEntries(entries)
	if err != nil {
		return Added{}, s.failed(op, err)
	}
	weights := make(map[Entry]Weight, len(want))
	for _, e := range want {
		weights[e.Key()] = e.Weight
	}
	var added Added
	err = s.write(ctx, func(w *routeWriter) error {
		have := make(map[Entry]bool)
		hosts := make(map[route.Module]int)
		err := s.readModules(ctx, w.tx, modulesOf(want), func(r RouteRow) error {
			n, ok := r.Node()
			if !ok {
				return nil
			}
			key := Entry{Module: r.Module, Host: n.Host()}
			if weight, given := weights[key].Value(); given {
				w.reweigh(r, weight, !have[key])
			}
			if !have[key] {
				have[key] = true
				hosts[r.Module]++
			}
			return nil
		})
		if err != nil {
			return err
		}
		missing := slices.DeleteFunc(slices.Clone(want), func(e Entry) bool { return have[e.Key()] })
		grown := make(map[route.Module]bool)
		for _, e := range missing {
			hosts[e.Module]++
			grown[e.Module] = true
		}
		if err := checkHosts(hosts, grown); err != nil {
			return err
		}
		maps.Copy(w.changed, grown)
		added = Added{len(missing), w.reweighed}
		if err := w.updateWeights(ctx); err != nil {
			return err
		}
		return w.insert(ctx, missing)
	})
	if err != nil {
		return Added{}, s.failed(op, err)
	}
	return added, nil
}

// RemoveHosts removes hosts from their modules and returns how many of them
// were there. Duplicate rows of a host all go.
func (s *Store) RemoveHosts(ctx context.Context, entries []Entry) (removed int, err error) {
	err = s.write(ctx, func(w *routeWriter) error {
		removed = 0
		for _, e := range entries {
			modid, cmdid := moduleArgs(e.Module)
			n, err := w.delete(ctx, "modid = ? AND cmdid = ? AND serverip = ? AND serverport = ?",
				modid, cmdid, e.Host.IP, e.Host.Port)
			if err != nil {
				return err
			}
			if n > 0 {
				removed++
				w.changed[e.Module] = true
			}
		}
		return nil
	})
	if err != nil {
		return 0, s.failed("remove hosts", err)
	}
	return removed, nil
}

// RemoveModule removes all hosts of m and returns how many rows that were.
func (s *Store) RemoveModule(ctx context.Context, m route.Module) (removed int, err error) {
	err = s.write(ctx, func(w *routeWriter) error {
		modid, cmdid := moduleArgs(m)
		n, err := w.delete(ctx, "modid = ? AND cmdid = ?", modid, cmdid)
		w.changed[m] = true // without rows nothing is announced
		removed = n
		return err
	})
	if err != nil {
		return 0, s.failed(fmt.Sprintf("remove module %v", m), err)
	}
	return removed, nil
}

// ReplaceRoutes makes the whole table exactly entries, and returns how many
// modules have another route by that, if only in a weight. An entry that gives
// no weight means route.DefaultWeight. All or none, as AddHosts.
func (s *Store) ReplaceRoutes(ctx context.Context, entries []Entry) (changed int, err error) {
	const op = "replace the routes"
	want, err := uniqueEntries(entries)
	if err != nil {
		return 0, s.failed(op, err)
	}
	hosts := make(map[route.Module]int)
	for _, e := range want {
		hosts[e.Module]++
	}
	if err := checkHosts(hosts, nil); err != nil {
		return 0, s.failed(op, err)
	}
	err = s.write(ctx, func(w *routeWriter) error {
		missing := make(map[Entry]uint16, len(want)) // with the weights that they are to have
		for _, e := range want {
			missing[e.Key()] = e.Weight.Or(route.DefaultWeight)
		}
		wanted := maps.Clone(missing)
		var surplus []any
		err := s.readRows(ctx, w.tx, "", nil, func(r RouteRow) error {
			n, ok := r.Node()
			key := Entry{Module: r.Module, Host: n.Host()} // what is no host is in neither map
			if weight, first := missing[key]; first {
				delete(missing, key)
				w.reweigh(r, weight, true)
				return nil
			}
			surplus = append(surplus, r.ID)
			// A second row of a host, or one that holds none, is in nobody's
			// route.
			if _, stays := wanted[key]; ok && !stays {
				w.changed[r.Module] = true
			}
			return nil
		})
		if err != nil {
			return err
		}
		for ids := range slices.Chunk(surplus, chunkRows) {
			if _, err := w.delete(ctx, "id IN ("+placeholders("?", ",", len(ids))+")", ids...); err != nil {
				return err
			}
		}
		if err := w.updateWeights(ctx); err != nil {
			return err
		}
		added := slices.DeleteFunc(slices.Clone(want), func(e Entry) bool { _, ok := missing[e.Key()]; return !ok })
		for _, e := range added {
			w.changed[e.Module] = true
		}
		changed = len(w.changed)
		return w.insert(ctx, added)
	})
	if err != nil {
		return 0, s.failed(op, err)
	}
	return changed, nil
}

// checkHosts looks at the number of hosts of each module, or only of those in
// grown: a module that is too large already may keep its hosts.
func checkHosts(hosts map[route.Module]int, grown map[route.Module]bool) error {
	for m, n := range hosts {
		if n > route.MaxHosts && (grown == nil || grown[m]) {
			return fmt.Errorf("%w: module %v would have %d, at most %d are possible", ErrTooManyHosts, m, n, route.MaxHosts)
		}
	}
	return nil
}
