package cli

import "strings"

// stats is what a daemon answered to /stats, as JSON is decoded. The tool knows
// no daemon's types: one that is older, or newer, lacks a number or has others.
type stats struct{ root any }

// sum is the number at a path of names with dots between; the sum of them if an
// array or "*" for any name stands in the path. A true counts as 1. ok is false
// if there is none.
func (s stats) sum(path string) (n float64, ok bool) {
	s.each(path, func(_ string, v float64) { n, ok = n+v, true })
	return n, ok
}

// each calls f with the numbers at a path, and with the name, or else the
// index, of the innermost element of an array that it is in.
func (s stats) each(path string, f func(element string, n float64)) {
	walk(s.root, strings.Split(path, "."), "", f)
}

func walk(v any, path []string, element string, f func(string, float64)) {
	switch v := v.(type) {
	case []any:
		for i, e := range v {
			name := string(rune('0' + i%10))
			if m, ok := e.(map[string]any); ok {
				if n, ok := m["name"].(string); ok {
					name = n
				}
			}
			walk(e, path, name, f)
		}
	case map[string]any:
		if len(path) == 0 {
			return
		}
		if path[0] == "*" {
			for _, e := range v {
				walk(e, path[1:], element, f)
			}
		} else if e, ok := v[path[0]]; ok {
			walk(e, path[1:], element, f)
		}
	case float64:
		if len(path) == 0 {
			f(element, v)
		}
	case bool:
		if len(path) == 0 && v {
			f(element, 1)
		} else if len(path) == 0 {
			f(element, 0)
		}
	}
}

// rise is by how much a counter grew between the two looks; 0 if the daemon
// restarted in between, or has no such counter.
func (d *daemon) rise(path string) float64 {
	before, ok1 := d.before.sum(path)
	now, ok2 := d.now.sum(path)
	if !ok1 || !ok2 {
		return 0
	}
	return max(0, now-before)
}

// number is a counter or gauge as it is now, 0 if there is none.
func (d *daemon) number(path string) float64 {
	n, _ := d.now.sum(path)
	return n
}
