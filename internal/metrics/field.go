package metrics

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"
)

// Field says that a number of Stats is a metric, or with a label one of several
// that share a name.
type Field struct {
	// Path is where it is: the names that its JSON has, with dots between. An
	// array, slice or map on the way is passed through: each element becomes a
	// metric, told apart by the label that Each names.
	Path string
	Name string // of the metric, without the daemon's prefix
	Help string

	kind         prometheus.ValueType
	each         string
	label, value string
	factor       float64 // what the number is multiplied with
}

// Counter is a number that only grows while the daemon runs.
func Counter(path, name, help string) Field {
	return Field{Path: path, Name: name, Help: help, kind: prometheus.CounterValue, factor: 1}
}

// Gauge is any other number, a boolean, or a pointer to one. A pointer that is
// nil is no metric. Of a reactor.Durations both make a histogram.
func Gauge(path, name, help string) Field {
	return Field{Path: path, Name: name, Help: help, kind: prometheus.GaugeValue, factor: 1}
}

// With adds a label that is the same for the whole field.
func (f Field) With(label, value string) Field {
	f.label, f.value = label, value
	return f
}

// Each names the label of the elements of an array, slice or map in the path.
// Its values are the index, the key, or what an element has as name.
func (f Field) Each(label string) Field {
	f.each = label
	return f
}

// Times multiplies the number, to bring it to seconds or bytes.
func (f Field) Times(factor float64) Field {
	f.factor = factor
	return f
}

// labels are the names of the labels.
func (f *Field) labels() []string {
	var names []string
	if f.label != "" {
		names = append(names, f.label)
	}
	if f.each != "" {
		names = append(names, f.each)
	}
	return names
}

// Each is Field.Each for several.
func Each(label string, fields ...Field) []Field {
	fields = slices.Clone(fields)
	for i := range fields {
		fields[i].each = label
	}
	return fields
}
