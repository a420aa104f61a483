package dns

import (
	"context"
	"errors"
	"time"
)

// ErrNothingHeld is for an approval of nothing.
var ErrNothingHeld = errors.New("no routes are held back")

// Held is what lars-dns holds back, as operators see it. It never changes.
type Held struct {
	Hosts   int           // that the database lacks, and that are served all the same
	Removed int           // of those that were served within Confirm before
	Of      int           // so many
	Since   time.Time     // since when the database has said the same
	Confirm time.Duration // after that time it is believed

	*approval
}

// approval is how an operator ends a hold.
type approval struct {
	given chan struct{} // of capacity 1
	ended chan struct{} // closed with the hold
}

// Left is the time until the hosts go, if the database goes on saying the same.
func (h *Held) Left(now time.Time) time.Duration {
	return max(0, h.Confirm-now.Sub(h.Since))
}

func newApproval() *approval {
	return &approval{given: make(chan struct{}, 1), ended: make(chan struct{})}
}

// Accept says that the hosts which are held back are to go, and waits until
// they have gone, or the database's last answer is otherwise; or for ctx. It may
// be called from any goroutine.
func (s *Server) Accept(ctx context.Context) (Held, error) {
	h := s.counters.held.Load()
	if h == nil {
		return Held{}, ErrNothingHeld
	}
	select {
	case h.given <- struct{}{}:
	default: // by somebody else
	}
	select {
	case <-h.ended:
		return *h, nil
	case <-ctx.Done():
		return *h, context.Cause(ctx)
	}
}
