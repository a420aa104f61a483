package result

import (
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
)

// Recorder takes down what one part measures. It is for one goroutine.
type Recorder struct {
	Rows      []Row
	Curves    []Curve
	Latencies []Latency

	part     string
	progress io.Writer
}

// NewRecorder returns a Recorder for a part, which tells of its progress on w,
// a line for each step.
func NewRecorder(part string, w io.Writer) *Recorder { return &Recorder{part: part, progress: w} }

// Row adds a row; its Part is set.
func (r *Recorder) Row(row Row) {
	row.Part = r.part
	r.Rows = append(r.Rows, row)
}

// Curve adds a curve; its Part is set.
func (r *Recorder) Curve(c Curve) {
	c.Part = r.part
	r.Curves = append(r.Curves, c)
}

// Latency adds percentiles; their Part is set.
func (r *Recorder) Latency(l Latency) {
	l.Part = r.part
	r.Latencies = append(r.Latencies, l)
}

// Progress tells what is measured now, in a few words.
func (r *Recorder) Progress(format string, args ...any) {
	words := strings.Fields(fmt.Sprintf(format, args...)) // in one line, whatever is quoted
	fmt.Fprintf(r.progress, "%s: %s\n", r.part, strings.Join(words, " "))
}

// Median is that of values, which are reordered: the middle one, or between the
// two in the middle. Of no values it is NaN.
func Median(values []float64) float64 {
	n := len(values)
	if n == 0 {
		return math.NaN()
	}
	slices.Sort(values)
	return (values[(n-1)/2] + values[n/2]) / 2
}

// DistributionOf is that of values, which are reordered. A percentile is the
// smallest value that as many are not above; of no values it is NaN.
func DistributionOf(name string, values []float64) Distribution {
	n := len(values)
	if n == 0 {
		nan := math.NaN()
		return Distribution{name, nan, nan, nan, nan, nan}
	}
	slices.Sort(values)
	at := func(perMille int) float64 { return values[max(0, (perMille*n+999)/1000-1)] }
	return Distribution{name, at(500), at(900), at(990), at(999), values[n-1]}
}
