package store

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/lars-lb/lars/internal/route"
)

// ErrTooManyHosts is returned by writers that would give a module more than
// route.MaxHosts hosts.
var ErrTooManyHosts = errors.New("too many hosts")

// Entry is one host of one module.
type Entry struct {
	Module route.Module
	Host   route.Host
}

func (e Entry) compare(o Entry) int {
	return cmp.Or(e.Module.Compare(o.Module), e.Host.Compare(o.Host))
}

// AddHosts adds hosts to their modules and returns how many were not there
// yet. All or none: it fails with ErrTooManyHosts, naming the module, when one
// of them would have more than route.MaxHosts.
func (s *Store) AddHosts(ctx context.Context, entries []Entry) (added int, err error) {
	const op = "add hosts"
	want, err := uniqueEntries(entries)
	if err != nil {
		return 0, s.failed(op, err)
	}
	err = s.write(ctx, func(w *routeWriter) error {
		have := make(map[Entry]bool)
		hosts := make(map[route.Module]int)
		err := readModules(ctx, w.tx, modulesOf(want), func(r RouteRow) error {
			h, ok := route.HostFromNumbers(r.IP, r.Port)
			if e := (Entry{r.Module, h}); ok && !have[e] {
				have[e] = true
				hosts[r.Module]++
			}
			return nil
		})
		if err != nil {
			return err
		}
		missing := slices.DeleteFunc(slices.Clone(want), func(e Entry) bool { return have[e] })
		for _, e := range missing {
			hosts[e.Module]++
			w.changed[e.Module] = true
		}
		if err := checkHosts(hosts, w.changed); err != nil {
			return err
		}
		added = len(missing)
		return w.insert(ctx, missing)
	})
	if err != nil {
		return 0, s.failed(op, err)
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
// modules have another route by that. All or none, as AddHosts.
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
		missing := make(map[Entry]bool, len(want))
		for _, e := range want {
			missing[e] = true
		}
		wanted := maps.Clone(missing)
		var surplus []any
		err := readRows(ctx, w.tx, "", nil, func(r RouteRow) error {
			h, ok := route.HostFromNumbers(r.IP, r.Port)
			e := Entry{r.Module, h}
			switch {
			case ok && missing[e]:
				delete(missing, e)
			default:
				surplus = append(surplus, r.ID)
				// A second row of a host, or one that holds none, is in
				// nobody's route.
				if ok && !wanted[e] {
					w.changed[e.Module] = true
				}
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
		added := slices.SortedFunc(maps.Keys(missing), Entry.compare)
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

// uniqueEntries returns entries sorted and without repetitions, or an error
// when one of them is no host.
func uniqueEntries(entries []Entry) ([]Entry, error) {
	for _, e := range entries {
		if !e.Host.Valid() {
			return nil, fmt.Errorf("host %v of module %v cannot be called: neither address nor port may be 0", e.Host, e.Module)
		}
	}
	unique := slices.SortedFunc(slices.Values(entries), Entry.compare)
	return slices.Compact(unique), nil
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

// checkHosts looks at the number of hosts of each module, or only of those in
// changed: a module that is too large already may keep its hosts.
func checkHosts(hosts map[route.Module]int, changed map[route.Module]bool) error {
	for m, n := range hosts {
		if n > route.MaxHosts && (changed == nil || changed[m]) {
			return fmt.Errorf("%w: module %v would have %d, at most %d are possible", ErrTooManyHosts, m, n, route.MaxHosts)
		}
	}
	return nil
}

// routeWriter is one transaction that changes routes. It holds the lock on
// RouteVersion.
type routeWriter struct {
	tx      *sql.Tx
	rows    int64                 // rows inserted and deleted
	changed map[route.Module]bool // modules that have another route now
}

// write runs change in a transaction and lets readers know what it changed.
func (s *Store) write(ctx context.Context, change func(w *routeWriter) error) error {
	return s.inTx(ctx, func(tx *sql.Tx) error {
		// First of all: this locks out other writers, and what change reads
		// is read after them.
		if _, err := tx.ExecContext(ctx, s.dialect.raiseVersion(), time.Now().Unix()); err != nil {
			return err
		}
		w := &routeWriter{tx: tx, changed: make(map[route.Module]bool)}
		if err := change(w); err != nil {
			return err
		}
		if w.rows == 0 {
			return errNoChange
		}
		return w.announce(ctx)
	})
}

func (w *routeWriter) insert(ctx context.Context, entries []Entry) error {
	for chunk := range slices.Chunk(entries, chunkRows) {
		args := make([]any, 0, 4*len(chunk))
		for _, e := range chunk {
			modid, cmdid := moduleArgs(e.Module)
			args = append(args, modid, cmdid, e.Host.IP, e.Host.Port)
		}
		_, err := w.tx.ExecContext(ctx, "INSERT INTO RouteData (modid, cmdid, serverip, serverport) VALUES "+
			placeholders("(?,?,?,?)", ",", len(chunk)), args...)
		if err != nil {
			return err
		}
		w.rows += int64(len(chunk))
	}
	return nil
}

func (w *routeWriter) delete(ctx context.Context, where string, args ...any) (int, error) {
	res, err := w.tx.ExecContext(ctx, "DELETE FROM RouteData WHERE "+where, args...)
	if err != nil {
		return 0, err
	}
	n, err := res.RowsAffected()
	w.rows += n
	return int(n), err
}

// announce writes a RouteChange row for each changed module.
func (w *routeWriter) announce(ctx context.Context) error {
	var version int64
	if err := w.tx.QueryRowContext(ctx, "SELECT version FROM RouteVersion WHERE id = 1").Scan(&version); err != nil {
		return fmt.Errorf("read the new version: %w", err)
	}
	mods := slices.SortedFunc(maps.Keys(w.changed), route.Module.Compare)
	for chunk := range slices.Chunk(mods, chunkRows) {
		args := make([]any, 0, 3*len(chunk))
		for _, m := range chunk {
			modid, cmdid := moduleArgs(m)
			args = append(args, modid, cmdid, version)
		}
		_, err := w.tx.ExecContext(ctx, "INSERT INTO RouteChange (modid, cmdid, version) VALUES "+
			placeholders("(?,?,?)", ",", len(chunk)), args...)
		if err != nil {
			return fmt.Errorf("announce the change: %w", err)
		}
	}
	return nil
}
