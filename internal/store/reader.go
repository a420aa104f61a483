package store

import (
	"context"
	"database/sql"
	"slices"

	"github.com/lars-lb/lars/internal/route"
)

// modulesPerQuery is how many modules one statement of ReadModules names.
const modulesPerQuery = 200

// RouteRow is one row of RouteData as it is stored.
type RouteRow struct {
	ID     int64
	Module route.Module
	// IP, Port and Weight are what the table holds. Rows written by plain SQL
	// may hold what is no host, or an impossible weight. A table that has not
	// been migrated has no weights; each is route.DefaultWeight then.
	IP, Port, Weight int64
}

// Node returns the node that the row stands for, with the nearest possible
// weight. It reports false for what is no host.
func (r RouteRow) Node() (route.Node, bool) {
	h, ok := route.HostFromNumbers(r.IP, r.Port)
	weight, _ := route.ClampWeight(r.Weight)
	return route.NodeOf(h, weight), ok
}

// ReadRoutes calls fn with every row of RouteData, in the order of their ids,
// while they arrive: the table is never in memory at once. An error of fn ends
// the reading and is returned, wrapped.
func (s *Store) ReadRoutes(ctx context.Context, fn func(RouteRow) error) error {
	conn, err := s.current(ctx)
	if err == nil {
		defer conn.Close() // it goes back to the pool
		err = s.scanRoutes(ctx, conn, fn)
	}
	if err != nil {
		return s.failed("read the routes", err)
	}
	return nil
}

// ReadModules is ReadRoutes for the rows of some modules. The rows of one
// module come in the order of their ids; those of several may be mixed.
func (s *Store) ReadModules(ctx context.Context, mods []route.Module, fn func(RouteRow) error) error {
	conn, err := s.current(ctx)
	if err == nil {
		defer conn.Close()
		err = s.readModules(ctx, conn, mods, fn)
	}
	if err != nil {
		return s.failed("read the routes of modules", err)
	}
	return nil
}

// querier is a pool, a connection or a transaction.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

func (s *Store) readModules(ctx context.Context, q querier, mods []route.Module, fn func(RouteRow) error) error {
	mods = slices.Clone(mods)
	slices.SortFunc(mods, route.Module.Compare)
	mods = slices.Compact(mods) // two statements must not both read a module
	for chunk := range slices.Chunk(mods, modulesPerQuery) {
		args := make([]any, 0, 2*len(chunk))
		for _, m := range chunk {
			modid, cmdid := moduleArgs(m)
			args = append(args, modid, cmdid)
		}
		where := "WHERE " + placeholders("(modid = ? AND cmdid = ?)", " OR ", len(chunk))
		if err := s.readRows(ctx, q, where, args, fn); err != nil {
			return err
		}
	}
	return nil
}

// readRows runs one query. It is not retried, as fn has seen rows by then.
func (s *Store) readRows(ctx context.Context, q querier, where string, args []any, fn func(RouteRow) error) error {
	weight, err := s.weightExpression(ctx, q)
	if err != nil {
		return err
	}
	rows, err := q.QueryContext(ctx, "SELECT id, modid, cmdid, serverip, serverport, "+weight+" FROM RouteData "+where+" ORDER BY id", args...)
	if err != nil {
		s.weights.Store(false) // the table may be another one by now
		return err
	}
	defer rows.Close()
	for rows.Next() {
		// Rows that have arrived would otherwise be handed out for a while
		// after ctx is done.
		if err := ctx.Err(); err != nil {
			return err
		}
		var r RouteRow
		var modid, cmdid int64
		if err := rows.Scan(&r.ID, &modid, &cmdid, &r.IP, &r.Port, &r.Weight); err != nil {
			return err
		}
		r.Module = moduleFrom(modid, cmdid)
		if err := fn(r); err != nil {
			return err
		}
	}
	return rows.Err()
}

// Filter selects modules. A nil field matches every number.
type Filter struct {
	ModID, CmdID *int32
}

func (f Filter) matches(m route.Module) bool {
	return (f.ModID == nil || *f.ModID == m.ModID) && (f.CmdID == nil || *f.CmdID == m.CmdID)
}

// ListRoutes returns the routes that f selects, each host of a module once and
// with its weight, ordered by module and host. Rows that hold no host are left
// out; of several rows of a host the first by id gives the weight.
func (s *Store) ListRoutes(ctx context.Context, f Filter) ([]Entry, error) {
	var list []Entry
	take := func(r RouteRow) error {
		if n, ok := r.Node(); ok && f.matches(r.Module) {
			list = append(list, Entry{r.Module, n.Host(), WeightOf(n.Weight)})
		}
		return nil
	}
	var err error
	if f.ModID != nil && f.CmdID != nil {
		err = s.ReadModules(ctx, []route.Module{{ModID: *f.ModID, CmdID: *f.CmdID}}, take)
	} else {
		err = s.ReadRoutes(ctx, take)
	}
	if err != nil {
		return nil, err
	}
	slices.SortStableFunc(list, Entry.compareKey)
	return slices.CompactFunc(list, func(x, y Entry) bool { return x.Key() == y.Key() }), nil
}
