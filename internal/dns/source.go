package dns

import (
	"context"
	"time"

	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/store"
)

// Source is where the routes come from; [store.Store] is one. Its methods are
// called from goroutines of the Server, and may fail at any time: the Server
// goes on with the routes it has and tries again.
type Source interface {
	// Migrate brings the tables to the form the other methods need. After
	// store.ErrMayNotMigrate they are tried all the same.
	Migrate(ctx context.Context) (from, to int64, err error)
	// Revision differs from an earlier one if routes changed in between.
	Revision(ctx context.Context) (store.Revision, error)
	// Changed names the modules that are known to have changed since.
	Changed(ctx context.Context, since store.Revision) ([]route.Module, error)
	// ReadRoutes calls fn with all rows in the order of their ids.
	ReadRoutes(ctx context.Context, fn func(store.RouteRow) error) error
	// ReadModules calls fn with the rows of some modules, those of one module
	// in the order of their ids.
	ReadModules(ctx context.Context, mods []route.Module, fn func(store.RouteRow) error) error
	// PruneChanges forgets changes that are older than keep.
	PruneChanges(ctx context.Context, keep time.Duration) (int64, error)
}

var _ Source = (*store.Store)(nil)
