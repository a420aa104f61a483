// Package eventually lets tests wait for a condition that other goroutines or
// processes bring about.
package eventually

import (
	"testing"
	"time"
)

// True polls cond until it holds, and fails the test if that takes longer than
// within. The bound is a safety net, not a measurement: be generous.
func True(t testing.TB, within time.Duration, what string, cond func() bool) {
	t.Helper()
	deadline := time.After(within)
	tick := time.NewTicker(2 * time.Millisecond)
	defer tick.Stop()
	for !cond() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited %v in vain: %s", within, what)
		}
	}
}
