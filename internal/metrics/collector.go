package metrics

import (
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/prometheus/client_golang/prometheus"
)

// Collector is a prometheus.Collector over a daemon's Stats. Its methods may be
// called on any goroutine.
type Collector struct {
	prefix  string
	stats   func() any
	kind    reflect.Type
	fields  []Field
	leftOut []string
	descs   map[string]*prometheus.Desc // by the name of the metric
}

// New returns a collector whose metrics begin with prefix. leftOut are paths of
// numbers that are no metrics on purpose; one stands for all below it, too. It
// panics when fields name what S has not, or contradict one another: they are
// written by whoever calls it.
func New[S any](prefix string, stats func() S, fields []Field, leftOut ...string) *Collector {
	c := &Collector{
		prefix: prefix, stats: func() any { return stats() }, kind: reflect.TypeFor[S](),
		fields: fields, leftOut: leftOut, descs: make(map[string]*prometheus.Desc),
	}
	first := make(map[string]Field)
	for _, f := range fields {
		l, ok := leafAt(c.kind, f.Path)
		if !ok {
			panic(fmt.Sprintf("metrics: %v has no number %s", c.kind, f.Path))
		}
		if l.many != (f.each != "") {
			panic(fmt.Sprintf("metrics: %s of %v: the label of its elements is %q", f.Path, c.kind, f.each))
		}
		if had, ok := first[f.Name]; ok {
			if had.Help != f.Help || had.kind != f.kind || !slices.Equal(had.labels(), f.labels()) || had.value == f.value {
				panic(fmt.Sprintf("metrics: %s of %s and of %s must differ in the value of a label, and in nothing else", f.Name, had.Path, f.Path))
			}
			continue
		}
		first[f.Name] = f
		c.descs[f.Name] = prometheus.NewDesc(prefix+f.Name, f.Help, f.labels(), nil)
	}
	for _, path := range leftOut {
		if !slices.ContainsFunc(leavesOf(c.kind), func(l leaf) bool { return within(l.path, path) }) {
			panic(fmt.Sprintf("metrics: %v has no number %s to be left out", c.kind, path))
		}
	}
	return c
}

// within reports whether path is at or below above.
func within(path, above string) bool { return path == above || strings.HasPrefix(path, above+".") }

// Missing names the numbers of Stats that are neither a metric nor left out.
func (c *Collector) Missing() []string {
	var missing []string
	for _, l := range leavesOf(c.kind) {
		known := slices.ContainsFunc(c.fields, func(f Field) bool { return f.Path == l.path }) ||
			slices.ContainsFunc(c.leftOut, func(path string) bool { return within(l.path, path) })
		if !known {
			missing = append(missing, l.path)
		}
	}
	return missing
}

// Describe sends what the metrics are.
func (c *Collector) Describe(to chan<- *prometheus.Desc) {
	for _, d := range c.descs {
		to <- d
	}
}

// Collect sends the metrics as they are now.
func (c *Collector) Collect(to chan<- prometheus.Metric) {
	stats := reflect.ValueOf(c.stats())
	for i := range c.fields {
		f := &c.fields[i]
		each(stats, strings.Split(f.Path, "."), "", func(element string, v reflect.Value) {
			var labels []string
			if f.label != "" {
				labels = append(labels, f.value)
			}
			if f.each != "" {
				labels = append(labels, element)
			}
			to <- f.metric(c.descs[f.Name], v, labels)
		})
	}
}

// Table is the metrics as rows of a Markdown table, for people to look up.
func (c *Collector) Table() string {
	var b strings.Builder
	b.WriteString("| metric | labels | what it says |\n| --- | --- | --- |\n")
	for i, f := range c.fields {
		if slices.ContainsFunc(c.fields[:i], func(g Field) bool { return g.Name == f.Name }) {
			continue
		}
		var labels []string
		if f.label != "" {
			var values []string
			for _, g := range c.fields {
				if g.Name == f.Name {
					values = append(values, g.value)
				}
			}
			labels = append(labels, "`"+f.label+"`: "+strings.Join(values, ", "))
		}
		if f.each != "" {
			labels = append(labels, "`"+f.each+"`")
		}
		fmt.Fprintf(&b, "| `%s%s` | %s | %s |\n", c.prefix, f.Name, strings.Join(labels, "; "), f.Help)
	}
	return b.String()
}
