package store

import (
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/lars-lb/lars/internal/route"
)

// routeWriter is one transaction that changes routes. It holds the lock on
// RouteVersion.
type routeWriter struct {
	tx      *sql.Tx
	weights bool                  // the table has them
	rows    int64                 // rows inserted, deleted and updated
	changed map[route.Module]bool // modules that have another route now

	announced announcement // of changed, once it is made

	stale     map[uint16][]any // ids of rows to update, by the weight to give them
	reweighed int              // hosts that have another weight by that
}

// write runs change in a transaction and lets readers know what it changed.
func (s *Store) write(ctx context.Context, change func(w *routeWriter) error) error {
	var made announcement
	err := s.inTxSeen(ctx, func(tx *sql.Tx) error {
		// First of all: this locks out other writers, and what change reads
		// is read after them.
		if _, err := tx.ExecContext(ctx, s.dialect.raiseVersion(), time.Now().Unix()); err != nil {
			return err
		}
		w := &routeWriter{tx: tx, changed: make(map[route.Module]bool), stale: make(map[uint16][]any)}
		var err error
		if w.weights, err = s.hasWeights(ctx, tx); err != nil {
			return err
		}
		if err := change(w); err != nil {
			return err
		}
		if w.rows == 0 {
			return errNoChange
		}
		err = w.announce(ctx)
		made = w.announced
		return err
	}, func(ctx context.Context) bool { return s.sees(ctx, made) })
	if err != nil {
		s.weights.Store(false) // the table may be another one by now
	}
	return err
}

// announcement is a row of RouteChange. No two transactions make one with the
// same id and version, not even on different servers of a cluster.
type announcement struct{ id, version int64 }

// sees reports whether the transaction that made an announcement is known to
// have been committed. It waits a while for that: another server of the cluster
// may still have to apply it.
func (s *Store) sees(ctx context.Context, a announcement) bool {
	if a.id == 0 {
		return false
	}
	ctx, cancel := context.WithTimeout(ctx, lockTimeout)
	defer cancel()
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	for {
		var n int
		err := s.db.QueryRowContext(ctx, "SELECT COUNT(*) FROM RouteChange WHERE id = ? AND version = ?", a.id, a.version).Scan(&n)
		if err == nil && n > 0 {
			return true
		}
		select {
		case <-ctx.Done():
			return false
		case <-again.C:
		}
	}
}

func (w *routeWriter) insert(ctx context.Context, entries []Entry) error {
	columns, group := "modid, cmdid, serverip, serverport", "(?,?,?,?)"
	if w.weights {
		columns, group = columns+", weight", "(?,?,?,?,?)"
	}
	for chunk := range slices.Chunk(entries, chunkRows) {
		args := make([]any, 0, 5*len(chunk))
		for _, e := range chunk {
			modid, cmdid := moduleArgs(e.Module)
			args = append(args, modid, cmdid, e.Host.IP, e.Host.Port)
			weight := e.Weight.Or(route.DefaultWeight)
			if w.weights {
				args = append(args, weight)
			} else if weight != route.DefaultWeight {
				return fmt.Errorf("host %v of module %v with weight %d: %w", e.Host, e.Module, weight, ErrNoWeights)
			}
		}
		_, err := w.tx.ExecContext(ctx, "INSERT INTO RouteData ("+columns+") VALUES "+placeholders(group, ",", len(chunk)), args...)
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

// reweigh notes that a row is to have a weight. The first row of a host is the
// one that counts; the others follow it.
func (w *routeWriter) reweigh(r RouteRow, weight uint16, first bool) {
	if r.Weight == int64(weight) {
		return
	}
	w.stale[weight] = append(w.stale[weight], r.ID)
	// An impossible weight may have been read as this one all along.
	if had, _ := route.ClampWeight(r.Weight); first && had != weight {
		w.changed[r.Module] = true
		w.reweighed++
	}
}

// updateWeights writes what reweigh noted.
func (w *routeWriter) updateWeights(ctx context.Context) error {
	for weight, ids := range w.stale {
		if !w.weights {
			return fmt.Errorf("weight %d: %w", weight, ErrNoWeights)
		}
		for chunk := range slices.Chunk(ids, chunkRows) {
			_, err := w.tx.ExecContext(ctx, "UPDATE RouteData SET weight = ? WHERE id IN ("+placeholders("?", ",", len(chunk))+")",
				append([]any{weight}, chunk...)...)
			if err != nil {
				return err
			}
			w.rows += int64(len(chunk))
		}
	}
	return nil
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
		res, err := w.tx.ExecContext(ctx, "INSERT INTO RouteChange (modid, cmdid, version) VALUES "+
			placeholders("(?,?,?)", ",", len(chunk)), args...)
		if err != nil {
			return fmt.Errorf("announce the change: %w", err)
		}
		// Only a hint, for sees: without it nothing is seen.
		id, _ := res.LastInsertId()
		w.announced = announcement{id, version}
	}
	return nil
}
