package result

import (
	"fmt"
	"io"
	"slices"
)

// Recorder takes down what one part measures. It is for one goroutine.
type Recorder struct {
	Rows      []Row
	Curves    []Curve
	Latencies []Latency

	part     string
	progress io.Writer
}

// NewRecorder returns a Recorder for a part, which tells of its progress on w.
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

// Progress tells what is measured now, in place of what it told before.
func (r *Recorder) Progress(format string, args ...any) {
	fmt.Fprintf(r.progress, "\r\033[K%s: %s ", r.part, fmt.Sprintf(format, args...))
}

// Median is that of values, of which there must be some; they are reordered.
func Median(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

// DistributionOf is that of values, of which there must be some; they are
// reordered.
func DistributionOf(name string, values []float64) Distribution {
	slices.Sort(values)
	at := func(share float64) float64 { return values[min(len(values)-1, int(share*float64(len(values))))] }
	return Distribution{name, at(0.5), at(0.9), at(0.99), at(0.999), values[len(values)-1]}
}
