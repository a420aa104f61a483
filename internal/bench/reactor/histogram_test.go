package reactor

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

func TestQuantilesAreThoseOfTheValues(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	var h histogram
	var values []float64
	for range 100_000 {
		d := time.Duration(math.Exp(random.Float64() * math.Log(float64(time.Minute)))) // 1 ns to a minute
		h.add(d)
		values = append(values, float64(d)/1e3)
	}
	slices.Sort(values)
	for _, share := range []float64{0.001, 0.1, 0.5, 0.9, 0.99, 0.999, 1} {
		want := values[int(math.Ceil(share*float64(len(values))))-1]
		if got := h.quantile(share); got < want || got > want*1.005+0.001 {
			t.Errorf("quantile %v = %v µs, want %v", share, got, want)
		}
	}
	if d := h.distribution("x"); d.Max != values[len(values)-1] || d.P50 != h.quantile(0.5) || d.P999 != h.quantile(0.999) {
		t.Errorf("distribution: %+v", d)
	}
}

func TestHistogramAtItsEnds(t *testing.T) {
	var h, sum histogram
	if got := h.quantile(0.99); !math.IsNaN(got) {
		t.Errorf("quantile of nothing = %v", got)
	}
	for _, d := range []time.Duration{-1, 0, 255, 256, 511, 512, time.Hour, math.MaxInt64} {
		h.add(d)
	}
	sum.addAll(&h)
	sum.addAll(&h)
	if sum.total != 16 || sum.max != math.MaxInt64 {
		t.Errorf("sum of %d values up to %v", sum.total, sum.max)
	}
}

// Buckets follow each other without a gap: what ends one is the first value of
// the next.
func TestBucketsAreInOrder(t *testing.T) {
	for i := range len((&histogram{}).counts) - 1 {
		end := time.Duration(bucketEnd(i))
		if bucketOf(end-1) != i || bucketOf(end) != i+1 {
			t.Fatalf("bucket %d ends at %d, which belongs to %d, and what is below to %d", i, end, bucketOf(end), bucketOf(end-1))
		}
	}
}
