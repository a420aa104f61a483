package chaos_test

import (
	"strings"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/chaos"
)

// course makes samples of a process, one a minute for two hours.
func course(of func(minute int) chaos.Sample) map[string][]chaos.Sample {
	var s []chaos.Sample
	for i := range 120 {
		x := of(i)
		x.At = time.Duration(i) * time.Minute
		s = append(s, x)
	}
	return map[string][]chaos.Sample{"dns1": s}
}

func TestTrends(t *testing.T) {
	const mib = 1 << 20
	for name, x := range map[string]struct {
		of   func(minute int) chaos.Sample
		flat bool
	}{
		"flat":               {func(int) chaos.Sample { return chaos.Sample{Resident: 30 * mib, Descriptors: 20, Goroutines: 12} }, true},
		"growing at first":   {func(i int) chaos.Sample { return chaos.Sample{Resident: min(i, 25) * mib} }, true},
		"breathing":          {func(i int) chaos.Sample { return chaos.Sample{Resident: (30 + i%7) * mib} }, true},
		"one large sample":   {func(i int) chaos.Sample { return chaos.Sample{Resident: (30 + i/119*500) * mib} }, true},
		"leaking memory":     {func(i int) chaos.Sample { return chaos.Sample{Resident: (30 + i) * mib} }, false},
		"leaking files":      {func(i int) chaos.Sample { return chaos.Sample{Descriptors: i / 4} }, false},
		"leaking goroutines": {func(i int) chaos.Sample { return chaos.Sample{Goroutines: i / 4} }, false},
	} {
		trends := chaos.Trends(course(x.of))
		if len(trends) != 1 || trends[0].Flat != x.flat {
			t.Errorf("%s: %+v", name, trends)
		}
	}
	trend := chaos.Trends(course(func(i int) chaos.Sample { return chaos.Sample{Resident: (30 + i) * mib} }))
	if s := trend[0].Slope; s < 59 || s > 61 {
		t.Errorf("a MiB a minute is %v MiB/h", s)
	}
	if table := chaos.Table(trend); !strings.Contains(table, "| dns1 | 45.0, 75.0, 135.0 | +60.0 | 0, 0, 0 | 0, 0, 0 | **no** |") {
		t.Error(table)
	}
	if trends := chaos.Trends(map[string][]chaos.Sample{"dns1": make([]chaos.Sample, 3)}); len(trends) != 0 {
		t.Errorf("%+v", trends)
	}
}
