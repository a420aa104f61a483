package result

import (
	"fmt"
	"math"
	"strings"
	"testing"
)

func TestMedian(t *testing.T) {
	for _, test := range []struct {
		values []float64
		want   float64
	}{
		{[]float64{7}, 7}, {[]float64{3, 1}, 2}, {[]float64{9, 1, 5}, 5}, {[]float64{4, 1, 2, 9}, 3},
	} {
		if got := Median(test.values); got != test.want {
			t.Errorf("median of %v is %g, want %g", test.values, got, test.want)
		}
	}
	if got := Median(nil); !math.IsNaN(got) {
		t.Errorf("median of none is %g", got)
	}
}

func TestDistribution(t *testing.T) {
	upTo := func(n int) []float64 {
		var values []float64
		for i := n; i > 0; i-- {
			values = append(values, float64(i))
		}
		return values
	}
	for _, test := range []struct {
		n    int
		want Distribution
	}{
		{1, Distribution{"x", 1, 1, 1, 1, 1}},
		{2, Distribution{"x", 1, 2, 2, 2, 2}},
		{10, Distribution{"x", 5, 9, 10, 10, 10}},
		{100, Distribution{"x", 50, 90, 99, 100, 100}},
		{1000, Distribution{"x", 500, 900, 990, 999, 1000}},
		{10_000, Distribution{"x", 5000, 9000, 9900, 9990, 10_000}},
	} {
		if got := DistributionOf("x", upTo(test.n)); got != test.want {
			t.Errorf("of 1 to %d: %v, want %v", test.n, got, test.want)
		}
	}
	for _, v := range DistributionOf("none", nil).Values() {
		if !math.IsNaN(v) {
			t.Errorf("a percentile of no values is %g", v)
		}
	}
}

func TestRecorder(t *testing.T) {
	var told strings.Builder
	r := NewRecorder("agent", &told)
	r.Progress("round\n %d\n", 1)
	r.Row(Row{Part: "other", What: "a"})
	r.Curve(Curve{Name: "b"})
	r.Latency(Latency{Name: "c"})
	if told.String() != "agent: round 1\n" {
		t.Errorf("told %q", told.String())
	}
	if got := fmt.Sprint(r.Rows[0].Part, r.Curves[0].Part, r.Latencies[0].Part); got != "agentagentagent" {
		t.Errorf("parts are %s", got)
	}
}
