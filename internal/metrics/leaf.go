package metrics

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/lars-lb/lars/reactor"
)

// leaf is a number of Stats.
type leaf struct {
	path string
	many bool // an array, slice or map is in its path
}

var durations = reflect.TypeFor[reactor.Durations]()

// leavesOf lists the numbers in a type. Texts are none: they name elements.
func leavesOf(t reflect.Type) []leaf {
	switch {
	case t == durations || isNumber(t.Kind()):
		return []leaf{{}}
	case t.Kind() == reflect.Pointer:
		return leavesOf(t.Elem())
	case t.Kind() == reflect.Array || t.Kind() == reflect.Slice || t.Kind() == reflect.Map:
		leaves := leavesOf(t.Elem())
		for i := range leaves {
			leaves[i].many = true
		}
		return leaves
	case t.Kind() != reflect.Struct:
		return nil
	}
	var leaves []leaf
	for i := range t.NumField() {
		f := t.Field(i)
		name := jsonName(f)
		for _, l := range leavesOf(f.Type) {
			leaves = append(leaves, leaf{strings.Trim(name+"."+l.path, "."), l.many})
		}
	}
	return leaves
}

func leafAt(t reflect.Type, path string) (leaf, bool) {
	for _, l := range leavesOf(t) {
		if l.path == path {
			return l, true
		}
	}
	return leaf{}, false
}

// jsonName is a field's name in JSON, empty for one whose fields stand in its
// place.
func jsonName(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
	if name == "" && !f.Anonymous {
		return f.Name
	}
	return name
}

func isNumber(k reflect.Kind) bool {
	return k >= reflect.Bool && k <= reflect.Float64 && k != reflect.Uintptr
}

// each calls f with the numbers at a path, and with what tells elements apart.
func each(v reflect.Value, path []string, element string, f func(element string, v reflect.Value)) {
	switch {
	case v.Kind() == reflect.Pointer:
		if !v.IsNil() {
			each(v.Elem(), path, element, f)
		}
	case v.Kind() == reflect.Map:
		for keys := v.MapRange(); keys.Next(); {
			each(keys.Value(), path, fmt.Sprint(keys.Key()), f)
		}
	case v.Type() != durations && (v.Kind() == reflect.Array || v.Kind() == reflect.Slice):
		for i := range v.Len() {
			e, name := v.Index(i), strconv.Itoa(i)
			if e.Kind() == reflect.Struct {
				if n := e.FieldByName("Name"); n.IsValid() {
					name = n.String()
				}
			}
			each(e, path, name, f)
		}
	case len(path) == 0:
		f(element, v)
	default:
		for i := range v.NumField() {
			switch jsonName(v.Type().Field(i)) {
			case path[0]:
				each(v.Field(i), path[1:], element, f)
			case "":
				each(v.Field(i), path, element, f)
			}
		}
	}
}

// metric is the number v.
func (f *Field) metric(desc *prometheus.Desc, v reflect.Value, labels []string) prometheus.Metric {
	if v.Type() == durations {
		d := v.Interface().(reactor.Durations)
		buckets, below := make(map[float64]uint64), uint64(0)
		for i, bound := range reactor.DurationBounds() {
			below += d.Counts[i]
			buckets[bound] = below
		}
		return prometheus.MustNewConstHistogram(desc, d.Count, d.Sum, buckets, labels...)
	}
	var n float64
	switch {
	case v.Kind() == reflect.Bool:
		if v.Bool() {
			n = 1
		}
	case v.CanInt():
		n = float64(v.Int())
	case v.CanUint():
		n = float64(v.Uint())
	default:
		n = v.Float()
	}
	return prometheus.MustNewConstMetric(desc, f.kind, n*f.factor, labels...)
}
