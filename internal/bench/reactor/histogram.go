package reactor

import (
	"math"
	"math/bits"
	"time"

	"github.com/lars-lb/lars/internal/bench/result"
)

const (
	// Each power of two is divided into 256 buckets, so a value is known to
	// 0.4 %. 40 powers of a nanosecond are 18 minutes; what is above is counted
	// as that.
	bucketBits = 8
	maxBits    = 40
)

// histogram counts latencies: a million of them a second cannot be kept.
type histogram struct {
	counts [(maxBits - bucketBits + 1) << bucketBits]uint64
	total  uint64
	max    time.Duration
}

func (h *histogram) add(d time.Duration) {
	h.counts[bucketOf(d)]++
	h.total++
	h.max = max(h.max, d)
}

func (h *histogram) addAll(other *histogram) {
	for i, n := range other.counts {
		h.counts[i] += n
	}
	h.total += other.total
	h.max = max(h.max, other.max)
}

// bucketOf is the bucket of d: below 256 ns one a nanosecond, then those of
// d's highest bit by the eight bits that follow it.
func bucketOf(d time.Duration) int {
	v := min(uint64(max(d, 0)), 1<<maxBits-1)
	shift := max(bits.Len64(v)-bucketBits-1, 0)
	return shift<<bucketBits + int(v>>shift)
}

// bucketEnd is the lowest value, in nanoseconds, that is above bucket i.
func bucketEnd(i int) float64 {
	if i < 2<<bucketBits {
		return float64(i + 1)
	}
	shift := i>>bucketBits - 1
	return float64(uint64(i-shift<<bucketBits+1) << shift)
}

// quantile is the value, µs, that the share of all values does not exceed; NaN
// if there are none.
func (h *histogram) quantile(share float64) float64 {
	want := uint64(math.Ceil(share * float64(h.total)))
	seen := uint64(0)
	for i, n := range h.counts {
		if seen += n; n > 0 && seen >= want {
			return min(bucketEnd(i), float64(max(h.max, 1))) / 1e3
		}
	}
	return math.NaN()
}

func (h *histogram) distribution(name string) result.Distribution {
	return result.Distribution{
		Name: name, P50: h.quantile(0.5), P90: h.quantile(0.9), P99: h.quantile(0.99), P999: h.quantile(0.999),
		Max: float64(h.max.Nanoseconds()) / 1e3,
	}
}
