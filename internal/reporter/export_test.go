package reporter

import (
	"context"
	"log/slog"
)

// Retrier is the part of a Server that calls the database, without sockets,
// which cannot be tested with a clock of the test's own.
type Retrier struct{ s *Server }

func NewRetrier(log *slog.Logger) Retrier { return Retrier{&Server{outage: outage{log: log}}} }

func (r Retrier) Insist(ctx context.Context, stop <-chan struct{}, op func() error) bool {
	return r.s.insist(ctx, stop, op)
}
