package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/database"
)

const (
	// schemaTable is where the migration library notes what it has done.
	schemaTable = "lars_schema"
	// migrateTimeout limits one statement of a migration: an index on a large
	// table takes its time.
	migrateTimeout = 10 * time.Minute
	// migrateAttempts is how often all steps are tried, with pauses that grow
	// by about half of migratePause: when another process is at it, too.
	migrateAttempts = 8
	migratePause    = 200 * time.Millisecond
)

// ErrMayNotMigrate says that the SQL user has not the rights that Migrate needs.
// Older tables can be used all the same; what they lack is missing.
var ErrMayNotMigrate = errors.New("the SQL user may not change the tables, run lars db init with one who may")

// SchemaVersion returns the version of the tables in the database, 0 when
// Lars never migrated it, and the one this program needs. It changes nothing;
// an embedded database that does not exist is ErrNoDatabase.
func (s *Store) SchemaVersion(ctx context.Context) (have, want int64, err error) {
	if err := s.dialect.missing(); err != nil {
		return 0, 0, s.failed("read the schema's version", err)
	}
	p, err := s.provider(s.db)
	if err != nil {
		return 0, 0, s.failed("read the schema's version", err)
	}
	have, want, err = s.schemaVersion(ctx, p)
	if err != nil {
		return 0, 0, s.failed("read the schema's version", err)
	}
	return have, want, nil
}

// Migrate creates an embedded database, brings the tables to the version this program needs and returns the
// versions before and after. It may be called by several processes at once.
// When there is nothing to do it only reads, so an SQL user that may not alter
// tables is enough then; a newer schema is left alone, as later versions only
// add to it.
func (s *Store) Migrate(ctx context.Context) (from, to int64, err error) {
	const op = "migrate"
	if err := s.dialect.create(); err != nil {
		return 0, 0, s.failed(op, err)
	}
	from, want, err := s.SchemaVersion(ctx)
	if err != nil {
		return 0, 0, err
	}
	if from >= want {
		return from, from, nil
	}
	// A pool of its own, for the longer limit on statements.
	db, err := s.dialect.open(migrateTimeout)
	if err != nil {
		return from, from, s.failed(op, err)
	}
	defer db.Close()
	p, err := s.provider(db)
	if err != nil {
		return from, from, s.failed(op, err)
	}
	for try := 1; ; try++ {
		err := s.migrate(ctx, db, p)
		// Whatever went wrong, it does not matter if another process has
		// done the work meanwhile.
		to, _, verr := s.schemaVersion(ctx, p)
		if verr == nil && to >= want {
			return from, to, nil
		}
		if err = errors.Join(err, verr); err == nil {
			err = fmt.Errorf("the schema is at version %d after migrating to %d", to, want)
		}
		if s.dialect.denied(err) {
			return from, to, s.failed(op, fmt.Errorf("%w: %w", ErrMayNotMigrate, err))
		}
		if try == migrateAttempts || ctx.Err() != nil {
			return from, to, s.failed(op, err)
		}
		// On a cluster the lock is one server's alone: another process may be
		// half-way. Its steps have their order, and each looks whether it is
		// done.
		if err := pauseFor(ctx, time.Duration(try-1)*migratePause/2+rand.N(migratePause)); err != nil {
			return from, to, s.failed(op, err)
		}
	}
}

func (s *Store) provider(db *sql.DB) (*goose.Provider, error) {
	files, steps := s.dialect.migrations()
	return goose.NewProvider(s.dialect.goose(), db, files,
		goose.WithGoMigrations(steps...),
		goose.WithTableName(schemaTable),
		goose.WithDisableGlobalRegistry(true),
		goose.WithLogger(goose.NopLogger()))
}

// versions is the migration library's view of the schema table. Its Provider
// would create that table when asked for the version, which an SQL user
// without the right to must be able to do, so it is asked below the Provider.
func (s *Store) versions() (database.Store, error) {
	return database.NewStore(s.dialect.goose(), schemaTable)
}

func (s *Store) hasSchemaTable(ctx context.Context, q database.DBTxConn) (bool, error) {
	var n int
	err := q.QueryRowContext(ctx, s.dialect.countTables(), schemaTable).Scan(&n)
	return n > 0, err
}

func (s *Store) schemaVersion(ctx context.Context, p *goose.Provider) (have, want int64, err error) {
	sources := p.ListSources() // in ascending order, never empty
	want = sources[len(sources)-1].Version
	v, err := s.versions()
	if err != nil {
		return 0, 0, err
	}
	err = s.retry(ctx, func() error {
		exists, err := s.hasSchemaTable(ctx, s.db)
		if err != nil || !exists {
			return err
		}
		have, err = v.GetLatestVersion(ctx, s.db)
		if errors.Is(err, database.ErrVersionNotFound) {
			return nil
		}
		return err
	})
	return have, want, err
}

func (s *Store) migrate(ctx context.Context, db *sql.DB, p *goose.Provider) error {
	unlock, err := s.dialect.lockSchema(ctx, db)
	if err != nil {
		return fmt.Errorf("lock the schema: %w", err)
	}
	defer unlock()
	if err := s.createSchemaTable(ctx, db); err != nil {
		return fmt.Errorf("create table %s: %w", schemaTable, err)
	}
	_, err = p.Up(ctx)
	return err
}

// createSchemaTable makes the table whole even after a process that died
// half-way: MySQL commits each statement that defines a table by itself.
func (s *Store) createSchemaTable(ctx context.Context, db *sql.DB) error {
	v, err := s.versions()
	if err != nil {
		return err
	}
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	// After a commit this does nothing.
	defer func() { _ = tx.Rollback() }()
	exists, err := s.hasSchemaTable(ctx, tx)
	if err != nil {
		return err
	}
	if !exists {
		// No version can be recorded twice, whatever becomes of the lock.
		if _, err := tx.ExecContext(ctx, s.dialect.createSchemaTable(schemaTable)); err != nil {
			return err
		}
	}
	done, err := v.ListMigrations(ctx, tx)
	if err != nil {
		return err
	}
	if len(done) == 0 {
		// The library expects a row for the state before its first step.
		if err := v.Insert(ctx, tx, database.InsertRequest{Version: 0}); err != nil {
			return err
		}
	}
	return tx.Commit()
}
