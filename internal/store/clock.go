package store

import (
	"context"
	"time"
)

// Clock returns the time that the database has, to a millisecond. That of an
// embedded database is this machine's.
func (s *Store) Clock(ctx context.Context) (time.Time, error) {
	var ms int64
	if err := s.retry(ctx, func() error { return s.db.QueryRowContext(ctx, s.dialect.clock()).Scan(&ms) }); err != nil {
		return time.Time{}, s.failed("read the clock", err)
	}
	return time.UnixMilli(ms), nil
}
