package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"

	"github.com/pressly/goose/v3"

	"github.com/lars-lb/lars/internal/route"
)

var (
	// ErrNoWeights is returned by writers that have to store a weight other
	// than route.DefaultWeight when RouteData cannot hold any: it has not been
	// migrated.
	ErrNoWeights = errors.New("table RouteData has no column weight yet, run lars db init first")
	// ErrNotInRoute is returned by SetWeight for hosts that the module has not.
	ErrNotInRoute = errors.New("hosts are not in the route")
)

// maxNamed is how many hosts an error names.
const maxNamed = 10

// addWeights is the migration that gives RouteData its column weight. It comes
// last: programs of Lars 1.0 read columns by position and name those they
// write. A table that has the column, be it by an operator's hand or by a
// migration that died right after, is left alone.
func addWeights(d dialect, ddl string) *goose.Migration {
	return goose.NewGoMigration(3, &goose.GoFunc{RunTx: func(ctx context.Context, tx *sql.Tx) error {
		has, err := hasWeightColumn(ctx, tx, d)
		if err != nil || has {
			return err
		}
		if _, err := tx.ExecContext(ctx, ddl); err != nil {
			return fmt.Errorf("%s: %w", ddl, err)
		}
		return nil
	}}, nil)
}

func hasWeightColumn(ctx context.Context, q querier, d dialect) (bool, error) {
	var n int
	if err := q.QueryRowContext(ctx, d.countColumns(), "RouteData", "weight").Scan(&n); err != nil {
		return false, fmt.Errorf("look for the weights: %w", err)
	}
	return n > 0, nil
}

// hasWeights reports whether RouteData has weights. Only a yes is remembered,
// and until a statement fails: the table may be migrated at any time, or come
// back from an old backup.
func (s *Store) hasWeights(ctx context.Context, q querier) (bool, error) {
	if s.weights.Load() {
		return true, nil
	}
	has, err := hasWeightColumn(ctx, q, s.dialect)
	if has {
		s.weights.Store(true)
	}
	return has, err
}

// weightExpression is what to select as the weight of a row of RouteData. A
// column that an operator added may hold NULL.
func (s *Store) weightExpression(ctx context.Context, q querier) (string, error) {
	has, err := s.hasWeights(ctx, q)
	otherwise := strconv.Itoa(route.DefaultWeight)
	if !has {
		return otherwise, err
	}
	return "COALESCE(weight, " + otherwise + ")", nil
}

// SetWeight gives hosts of m a weight, 0 (drained) to route.MaxWeight, and
// returns how many of them had another one. All or none: when m does not have
// one of the hosts nothing changes, and the error is ErrNotInRoute. Duplicate
// rows of a host all get the weight.
func (s *Store) SetWeight(ctx context.Context, m route.Module, hosts []route.Host, weight uint16) (changed int, err error) {
	op := fmt.Sprintf("set weights of module %v", m)
	if weight > route.MaxWeight {
		return 0, s.failed(op, impossibleWeight(weight))
	}
	wanted := make(map[route.Host]bool, len(hosts))
	for _, h := range hosts {
		wanted[h] = true
	}
	err = s.write(ctx, func(w *routeWriter) error {
		missing := maps.Clone(wanted)
		err := s.readModules(ctx, w.tx, []route.Module{m}, func(r RouteRow) error {
			n, ok := r.Node()
			if h := n.Host(); ok && wanted[h] {
				w.reweigh(r, weight, missing[h])
				delete(missing, h)
			}
			return nil
		})
		if err != nil {
			return err
		}
		if len(missing) > 0 {
			return notInRoute(m, slices.SortedFunc(maps.Keys(missing), route.Host.Compare))
		}
		changed = w.reweighed
		return w.updateWeights(ctx)
	})
	if err != nil {
		return 0, s.failed(op, err)
	}
	return changed, nil
}

func impossibleWeight(w uint16) error {
	return fmt.Errorf("a weight is 0 to %d, not %d", route.MaxWeight, w)
}

func notInRoute(m route.Module, hosts []route.Host) error {
	more := ""
	if n := len(hosts) - maxNamed; n > 0 {
		hosts, more = hosts[:maxNamed], fmt.Sprintf(" and %d more", n)
	}
	return fmt.Errorf("%w of %v: %v%s", ErrNotInRoute, m, hosts, more)
}
