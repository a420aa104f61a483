package store

import "context"

// Port is the port of the server that is asked now.
func (s *Store) Port(ctx context.Context) (uint16, error) {
	var port uint16
	err := s.retry(ctx, func() error { return s.db.QueryRowContext(ctx, "SELECT @@port").Scan(&port) })
	return port, err
}
