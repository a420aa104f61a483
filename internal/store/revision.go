package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
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

// Revision returns the current one, read in one statement. What is read after
// it is no older, even if another server of a cluster answers then.
func (s *Store) Revision(ctx context.Context) (Revision, error) {
	r, err := s.revision(ctx)
	if err == nil {
		s.shown.Store(r.Version)
	}
	return r, err
}

func (s *Store) revision(ctx context.Context) (Revision, error) {
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
		conn, err := s.current(ctx)
		if err != nil {
			return err
		}
		defer conn.Close() // it goes back to the pool
		mods = nil
		// Not one condition with OR: each half has an index, and there may be a
		// day of changes.
		rows, err := conn.QueryContext(ctx, `SELECT modid, cmdid FROM RouteChange WHERE id > ?
			UNION SELECT modid, cmdid FROM RouteChange WHERE version > ?`, since.LastChange, since.Version)
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
	r, err := s.revision(ctx)
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

const (
	// catchUp is how long a reader waits for a server that lags behind another.
	catchUp = time.Second
	// catchUpPoll is the time between two looks whether it still does.
	catchUpPoll = 10 * time.Millisecond
)

// errBehind says that a server of a cluster has not applied yet what another
// one has shown.
var errBehind = errors.New("the server lags behind its cluster")

// current returns a connection to read from, which the caller closes. If there
// may be several servers, its server has all that the last Revision spoke of:
// rows of an older state must not be taken for those of a newer one. A single
// address does not tell: behind it may be a proxy.
func (s *Store) current(ctx context.Context) (*sql.Conn, error) {
	conn, err := s.db.Conn(ctx)
	if err != nil {
		return nil, err
	}
	want := s.shown.Load()
	if !s.dialect.replicates() || want == 0 {
		return conn, nil
	}
	for deadline := time.Now().Add(catchUp); ; {
		var have int64
		err := conn.QueryRowContext(ctx, "SELECT COALESCE(MAX(version), 0) FROM RouteVersion WHERE id = 1").Scan(&have)
		if err == nil && have >= want {
			return conn, nil
		}
		if err == nil && time.Now().After(deadline) {
			err = fmt.Errorf("%w: it is at version %d, and %d was seen", errBehind, have, want)
		}
		if err == nil {
			err = pauseFor(ctx, catchUpPoll)
		}
		if err != nil {
			return nil, errors.Join(err, conn.Close())
		}
	}
}

func pauseFor(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
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
