package chaos

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

const (
	// growth is by how much more memory a process may hold in the last quarter
	// of a run than in the second, as a share and on top of it in bytes: the
	// heap of a Go program breathes by as much.
	growthShare = 0.2
	growthBytes = 8 << 20
	// growthCount is the same for descriptors and goroutines: those that come
	// and go with connections.
	growthCount = 8
)

// Trend is how a process did in the course of a run. Each number is the median
// of a quarter of its samples.
type Trend struct {
	Process            string
	Start, Middle, End Sample  // of the first, second and last quarter
	Slope              float64 // of memory from Middle to End, MiB an hour
	Flat               bool
}

// Trends are those of all processes that were sampled often enough.
func Trends(samples map[string][]Sample) (trends []Trend) {
	for _, name := range slices.Sorted(maps.Keys(samples)) {
		s := samples[name]
		if len(s) < 4 {
			continue
		}
		n := len(s)
		t := Trend{Process: name, Start: median(s[:n/4]), Middle: median(s[n/4 : n/2]), End: median(s[n-n/4:])}
		if hours := (t.End.At - t.Middle.At).Hours(); hours > 0 {
			t.Slope = float64(t.End.Resident-t.Middle.Resident) / (1 << 20) / hours
		}
		t.Flat = float64(t.End.Resident) <= float64(t.Middle.Resident)*(1+growthShare)+growthBytes &&
			t.End.Descriptors <= t.Middle.Descriptors+growthCount &&
			t.End.Goroutines <= t.Middle.Goroutines+growthCount
		trends = append(trends, t)
	}
	return trends
}

func median(s []Sample) Sample {
	middle := func(of func(Sample) int) int {
		var values []int
		for _, x := range s {
			values = append(values, of(x))
		}
		slices.Sort(values)
		return values[len(values)/2]
	}
	return Sample{
		At:          time.Duration(middle(func(x Sample) int { return int(x.At) })),
		Resident:    middle(func(x Sample) int { return x.Resident }),
		Descriptors: middle(func(x Sample) int { return x.Descriptors }),
		Goroutines:  middle(func(x Sample) int { return x.Goroutines }),
	}
}

// Table shows trends in markdown, with start, middle and end of each number.
func Table(trends []Trend) string {
	var b strings.Builder
	b.WriteString("| process | memory, MiB | slope, MiB/h | descriptors | goroutines | flat |\n| --- | --- | --- | --- | --- | --- |\n")
	for _, t := range trends {
		three := func(of func(Sample) string) string {
			return of(t.Start) + ", " + of(t.Middle) + ", " + of(t.End)
		}
		flat := "yes"
		if !t.Flat {
			flat = "**no**"
		}
		fmt.Fprintf(&b, "| %s | %s | %+.1f | %s | %s | %s |\n", t.Process,
			three(func(s Sample) string { return fmt.Sprintf("%.1f", float64(s.Resident)/(1<<20)) }), t.Slope,
			three(func(s Sample) string { return fmt.Sprint(s.Descriptors) }),
			three(func(s Sample) string { return fmt.Sprint(s.Goroutines) }), flat)
	}
	return b.String()
}
