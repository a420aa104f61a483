package lars

import (
	"context"
	"errors"
	"sync/atomic"
	"time"
)

const (
	// patience is how long a call waits for the agent when it has something to
	// answer from otherwise; half of the time it has left when that is less.
	patience = 250 * time.Millisecond

	// silence is how long no question may be answered before the agent is
	// taken to be away. Calls with little time add up to it together.
	silence = 100 * time.Millisecond

	// probeEvery is how often, at most, a call asks an agent that is away, and
	// so the most by which it is noticed late that the agent is back.
	probeEvery = 50 * time.Millisecond
	// probeWait is how long such a call waits. An answer that takes longer is
	// found by the next.
	probeWait = 20 * time.Millisecond
	// probeStale is how long after a probe an answer to it is news.
	probeStale = time.Second

	// settling is how long an agent that came back is not believed when it
	// says that a module does not exist which this client remembers: its file
	// may be lost, and lars-dns away.
	settling = 10 * time.Second
)

// health says whether the agent answers at one of its ports. The zero value
// takes it to. Times are since the client was made.
//
// A call that is answered only reads it, so that it costs no core anything.
type health struct {
	down        atomic.Bool
	silentSince atomic.Int64 // when the first question was sent of those nobody answered; 0 is none
	nextProbe   atomic.Int64 // when a call may ask again while down
	backAt      atomic.Int64 // when the agent last came back; 0 is never
	downs       atomic.Uint64
}

// answered is told of every answer.
func (h *health) answered(now time.Duration) {
	if h.silentSince.Load() != 0 {
		h.silentSince.Store(0)
	}
	if h.down.Load() {
		h.backAt.Store(int64(now)) // first: whoever sees it up asks settles
		h.down.Store(false)
	}
}

// failed is told how a question ended that was sent at start and not answered.
func (h *health) failed(err error, start, now time.Duration) {
	switch {
	case failed(err):
		h.lost(now)
	case errors.Is(err, context.DeadlineExceeded):
		h.silentSince.CompareAndSwap(0, int64(start))
		if since := h.silentSince.Load(); since != 0 && int64(now)-since >= int64(silence) {
			h.lost(now)
		}
	}
}

func (h *health) lost(now time.Duration) {
	if h.down.CompareAndSwap(false, true) {
		h.downs.Add(1)
		h.nextProbe.Store(int64(now + probeEvery))
	}
}

// mayProbe reports whether the calling goroutine is the one to ask an agent
// that is away.
func (h *health) mayProbe(now time.Duration) bool {
	next := h.nextProbe.Load()
	return int64(now) >= next && h.nextProbe.CompareAndSwap(next, int64(now+probeEvery))
}

// settles reports whether the agent came back a short while ago.
func (h *health) settles(now time.Duration) bool {
	back := h.backAt.Load()
	return back != 0 && int64(now)-back < int64(settling)
}

// wait is when a call that can be answered otherwise stops waiting.
func wait(deadline time.Time, longest time.Duration) time.Time {
	now := time.Now()
	return now.Add(min(longest, deadline.Sub(now)/2))
}
