package store

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"
)

const (
	// ioTimeout limits one read or write on a MySQL connection, and so how
	// long one statement may take. Longer than lockTimeout, so that a lost
	// wait is reported as such.
	ioTimeout = 10 * time.Second
	// lockTimeout is how long a statement waits for another transaction.
	lockTimeout = 5 * time.Second
	// chunkRows is how many rows one statement carries: enough to make its
	// round trip cheap, and far below every engine's limits on parameters
	// (SQLite: 32,766) and packets.
	chunkRows = 500
	// attempts is how often an operation that met a deadlock, a busy file or
	// a conflict with another server's is tried at most, within lockTimeout.
	// A conflict shows only at COMMIT, so of many writers one gets through at
	// a time.
	attempts = 60
)

// ErrNoDatabase says that the file of an embedded database does not exist.
var ErrNoDatabase = errors.New("there is no such file")

// ErrOutcomeUnknown says that the database was asked to make a change and did
// not answer, so that it was made or was not. Making it again is safe, unless
// somebody else made another one meanwhile.
var ErrOutcomeUnknown = errors.New("the answer to COMMIT did not come, so the change may have been made or not: look, and make it again if need be")

// Store is the tables of one database. All methods may be called from any
// goroutine.
type Store struct {
	db      *sql.DB
	dialect dialect
	// layout is what SaveStatuses found out about its table; nil until then.
	layout atomic.Pointer[statusLayout]
	// turn is held by whoever saves reports to an engine that has one writer at
	// a time, which wait for one another in order here; the engine has them
	// sleep and try again. Nil for others.
	turn chan struct{}
	// shown is the version that Revision returned last.
	shown atomic.Int64
	// weights says that RouteData was seen to have them; see hasWeights.
	weights atomic.Bool
}

// Open prepares access to the database cfg names. It does not connect: a
// database that is down fails the first operation, not Open.
func Open(cfg Config) (*Store, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	d, err := newDialect(cfg)
	if err != nil {
		return nil, err
	}
	db, err := d.open(ioTimeout)
	if err != nil {
		return nil, fmt.Errorf("%v: open: %w", d, err)
	}
	st := &Store{db: db, dialect: d}
	if cfg.Driver == SQLite {
		st.turn = make(chan struct{}, 1)
	}
	return st, nil
}

// Close releases all connections. It may be called twice.
func (s *Store) Close() error {
	if err := s.db.Close(); err != nil {
		return s.failed("close", err)
	}
	return nil
}

// Ping reports whether the database answers.
func (s *Store) Ping(ctx context.Context) error {
	if err := s.retry(ctx, func() error { return s.db.PingContext(ctx) }); err != nil {
		return s.failed("ping", err)
	}
	return nil
}

// failed names the database and the operation that met err.
func (s *Store) failed(op string, err error) error {
	return fmt.Errorf("%v: %s: %w", s.dialect, op, err)
}

// retry runs op again while it fails for reasons that pass: a deadlock, a
// lock's time-out, a busy file; or, where there is another server to turn to,
// a server that is lost. op must be safe to repeat.
func (s *Store) retry(ctx context.Context, op func() error) error {
	pause := backoff.NewExponentialBackOff()
	pause.InitialInterval = 10 * time.Millisecond
	pause.MaxInterval = 100 * time.Millisecond
	turns := s.dialect.servers() // each server is left once at most
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		err := op()
		if err == nil || s.dialect.transient(err) && !errors.Is(err, ErrOutcomeUnknown) {
			return struct{}{}, err
		}
		if turns--; turns > 0 && s.dialect.lost(err) && !errors.Is(err, ErrOutcomeUnknown) {
			return struct{}{}, err
		}
		return struct{}{}, backoff.Permanent(err)
	}, backoff.WithBackOff(pause), backoff.WithMaxTries(attempts),
		backoff.WithMaxElapsedTime(lockTimeout)) // one that waited for a lock that long has waited enough
	return err
}

// errNoChange ends a transaction that found nothing to do: it is rolled back
// and is no failure.
var errNoChange = errors.New("no change")

// inTx runs op in a transaction, several times if it has to be retried: what a
// cluster refuses at COMMIT was changed elsewhere meanwhile, and op must look
// at it again. A COMMIT without an answer is not repeated, since others may
// have changed something since: it is ErrOutcomeUnknown.
func (s *Store) inTx(ctx context.Context, op func(tx *sql.Tx) error) error {
	return s.inTxSeen(ctx, op, func(context.Context) bool { return false })
}

// inTxSeen is inTx with a way to see that a transaction was committed after
// all: seen is called if the answer did not come.
func (s *Store) inTxSeen(ctx context.Context, op func(tx *sql.Tx) error, seen func(context.Context) bool) error {
	err := s.retry(ctx, func() error {
		tx, err := s.db.BeginTx(ctx, nil)
		if err != nil {
			return err
		}
		// A rollback after a commit does nothing, and after a failure the
		// failure says more than the rollback's own.
		defer func() { _ = tx.Rollback() }()
		if err := op(tx); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
		err = tx.Commit()
		if err == nil || s.dialect.transient(err) || !s.dialect.unsure(err) {
			return err
		}
		if seen(ctx) {
			return nil
		}
		return fmt.Errorf("%w: %w", ErrOutcomeUnknown, err)
	})
	if errors.Is(err, errNoChange) {
		return nil
	}
	return err
}

// inTurn is inTx for those who save reports: see turn.
func (s *Store) inTurn(ctx context.Context, op func(tx *sql.Tx) error) error {
	if s.turn != nil {
		select {
		case s.turn <- struct{}{}:
			defer func() { <-s.turn }()
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return s.inTx(ctx, op)
}

// placeholders returns n groups joined by sep: "(?,?),(?,?)".
func placeholders(group, sep string, n int) string {
	return strings.TrimSuffix(strings.Repeat(group+sep, n), sep)
}
