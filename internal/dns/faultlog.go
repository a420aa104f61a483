package dns

import (
	"log/slog"
	"sync"
	"time"
)

// faultInterval is the shortest time between two records of one fault.
const faultInterval = 10 * time.Second

// faultLog logs a fault that may repeat often: the first at once, then at most
// one record each faultInterval, which says how many were left out. It may be
// used from any goroutine.
type faultLog struct {
	log *slog.Logger

	mu      sync.Mutex
	next    time.Time
	omitted int
}

// warn reports whether the fault was logged.
func (f *faultLog) warn(msg string, args ...any) bool {
	f.mu.Lock()
	now := time.Now()
	if now.Before(f.next) {
		f.omitted++
		f.mu.Unlock()
		return false
	}
	omitted := f.omitted
	f.next, f.omitted = now.Add(faultInterval), 0
	f.mu.Unlock()
	if omitted > 0 {
		args = append(args, "omitted", omitted)
	}
	f.log.Warn(msg, args...)
	return true
}
