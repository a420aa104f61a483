package store

import (
	"context"
	"time"

	"github.com/lars-lb/lars/internal/route"
)

// Revision identifies a state of the routes. Two that differ mean that
// something changed in between; equal ones, that nothing did, except by plain
// SQL that told nobody.
type Revision struct {
	// Version is RouteVersion's row 1, or 0 when there is none.
	Version int64
	// LastChange is the highest id of RouteChange, or 0 when it is empty. It
	// tells apart two changes by plain SQL that share one version.
	LastChange int64
}

// Revision returns the current one, read in one statement.
func (s *Store) Revision(ctx context.Context) (Revision, error) {
	var r Revision
	err := s.retry(ctx, func() error {
		return s.db.QueryRowContext(ctx, `SELECT
			COALESCE((SELECT version FROM RouteVersion WHERE id = 1), 0),
			COALESCE((SELECT MAX(id) FROM RouteChange), 0)`).Scan(&r.Version, &r.LastChange)
	})
	if err != nil {
		return Revision{}, s.failed("read the revision", err)
	}
	return r, nil
}

// Changed returns the modules that RouteChange names after since, each once
// and in no order. None, although the Revision moved, means that whoever
// changed the routes did not say where.
func (s *Store) Changed(ctx context.Context, since Revision) ([]route.Module, error) {
	var mods []route.Module
	err := s.retry(ctx, func() error {
		mods = nil
		rows, err := s.db.QueryContext(ctx, `SELECT DISTINCT modid, cmdid FROM RouteChange
			WHERE id > ? OR version > ?`, since.LastChange, since.Version)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var modid, cmdid int64
			if err := rows.Scan(&modid, &cmdid); err != nil {
				return err
			}
			mods = append(mods, moduleFrom(modid, cmdid))
		}
		return rows.Err()
	})
	if err != nil {
		return nil, s.failed("read the changes", err)
	}
	return mods, nil
}

// PruneChanges deletes the RouteChange rows that are older than keep by their
// version, which is a Unix time, and returns how many. The newest row always
// stays. It works in small steps, so that writers need not wait long.
func (s *Store) PruneChanges(ctx context.Context, keep time.Duration) (int64, error) {
	const op = "prune the changes"
	before := time.Now().Add(-keep).Unix()
	r, err := s.Revision(ctx)
	if err != nil {
		return 0, err
	}
	var pruned int64
	for {
		ids, err := s.changesBefore(ctx, before, r.LastChange)
		if err != nil {
			return pruned, s.failed(op, err)
		}
		if len(ids) == 0 {
			return pruned, nil
		}
		err = s.retry(ctx, func() error {
			res, err := s.db.ExecContext(ctx, "DELETE FROM RouteChange WHERE id IN ("+placeholders("?", ",", len(ids))+")", ids...)
			if err != nil {
				return err
			}
			n, err := res.RowsAffected()
			pruned += n
			return err
		})
		if err != nil {
			return pruned, s.failed(op, err)
		}
	}
}

// changesBefore returns the ids of one step of PruneChanges, as arguments of
// a statement: no engine-independent DELETE has a LIMIT.
func (s *Store) changesBefore(ctx context.Context, version, id int64) ([]any, error) {
	var ids []any
	err := s.retry(ctx, func() error {
		ids = nil
		rows, err := s.db.QueryContext(ctx, `SELECT id FROM RouteChange
			WHERE version < ? AND id < ? LIMIT ?`, version, id, chunkRows)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var id int64
			if err := rows.Scan(&id); err != nil {
				return err
			}
			ids = append(ids, id)
		}
		return rows.Err()
	})
	return ids, err
}

// moduleFrom reads a module's two columns. The tables of routes hold int32
// numbers as unsigned ones (-3 is 4294967293), that of call counts as signed
// ones; the lower 32 bits are the same.
func moduleFrom(modid, cmdid int64) route.Module {
	return route.Module{ModID: int32(modid), CmdID: int32(cmdid)}
}

// moduleArgs is moduleFrom's inverse, for the unsigned columns of the routes.
func moduleArgs(m route.Module) (modid, cmdid int64) {
	return int64(uint32(m.ModID)), int64(uint32(m.CmdID))
}
