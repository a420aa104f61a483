//go:build linux

package reactor

import (
	"sync/atomic"
	"time"
)

// durationBounds are the upper bounds of the buckets that durations are counted
// in; those above the last have a bucket of their own.
var durationBounds = [...]time.Duration{
	100 * time.Microsecond, 500 * time.Microsecond,
	time.Millisecond, 5 * time.Millisecond, 10 * time.Millisecond, 50 * time.Millisecond,
	100 * time.Millisecond, 500 * time.Millisecond, time.Second, 5 * time.Second, 10 * time.Second,
}

// Durations is a distribution of durations. The zero value is an empty one.
type Durations struct {
	Count  uint64                          `json:"count"`
	Sum    float64                         `json:"sum_seconds"`
	Counts [len(durationBounds) + 1]uint64 `json:"counts"` // by bucket, each without the one before
}

// DurationBounds returns the upper bounds of the buckets of Durations, seconds;
// the last bucket has none.
func DurationBounds() []float64 {
	bounds := make([]float64, len(durationBounds))
	for i, b := range durationBounds {
		bounds[i] = b.Seconds()
	}
	return bounds
}

// bucketOf is the bucket that d belongs to. Most durations are short, so the
// search starts there.
func bucketOf(d time.Duration) int {
	for i, bound := range durationBounds {
		if d <= bound {
			return i
		}
	}
	return len(durationBounds)
}

// Add counts d. It is not for several goroutines at a time.
func (d *Durations) Add(took time.Duration) {
	d.Count++
	d.Sum += took.Seconds()
	d.Counts[bucketOf(took)]++
}

// durationCounters is Durations as one goroutine writes it and others read it.
type durationCounters struct {
	sum    atomic.Int64 // nanoseconds
	counts [len(durationBounds) + 1]atomic.Uint64
}

func (c *durationCounters) add(d time.Duration) {
	c.sum.Add(int64(d))
	c.counts[bucketOf(d)].Add(1)
}

// snapshot may be torn between sum and counts by a duration that is just being
// added; the count is always that of the buckets.
func (c *durationCounters) snapshot() Durations {
	d := Durations{Sum: time.Duration(c.sum.Load()).Seconds()}
	for i := range c.counts {
		d.Counts[i] = c.counts[i].Load()
		d.Count += d.Counts[i]
	}
	return d
}
