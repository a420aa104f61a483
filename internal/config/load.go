package config

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// load reads the file at path into the fields that keys are bound to.
// Sections named in aliases are read as the section they map to. It returns
// the sections that the file has, and every problem of the file.
func load(path string, keys []key, aliases map[string]string) (sections map[string]bool, err error) {
	f, err := readFile(path)
	if err != nil {
		return nil, err
	}
	known := make(map[string][]key, len(keys))
	for _, k := range keys {
		known[k.section] = append(known[k.section], k)
	}
	canonical := func(section string) string {
		if to, ok := aliases[section]; ok {
			return to
		}
		return section
	}

	found := f.problems
	sections = make(map[string]bool)
	for _, h := range f.headers {
		section := canonical(h.section)
		if _, ok := known[section]; ok {
			sections[section] = true
			continue
		}
		found.add(h.line, "[%s]: unknown section; %s", quoteName(h.section), adviseSection(h.section, keys))
	}

	given := make(map[string]int) // the line of each key that was set
	for _, e := range f.entries {
		section := canonical(e.section)
		if e.section == "" {
			found.add(e.line, "%s: stands before the first section; want a [section] line above it", quoteName(e.key))
			continue
		}
		if _, ok := known[section]; !ok {
			continue // its section is reported already
		}
		i := slices.IndexFunc(known[section], func(k key) bool { return k.name == e.key })
		if i < 0 {
			found.add(e.line, "[%s] %s: unknown key; %s", e.section, quoteName(e.key), adviseKey(section, e.key, keys))
			continue
		}
		k := known[section][i]
		if first, ok := given[k.String()]; ok {
			found.add(e.line, "[%s] %s: given already on line %d; want it once", e.section, e.key, first)
			continue
		}
		given[k.String()] = e.line
		if !k.set(e.value) {
			found.add(e.line, "[%s] %s = %s", e.section, e.key, k.refusal(e.value))
		}
	}
	for _, k := range keys {
		if what := k.clashes(); what != "" {
			found.add(given[k.String()], "%v: %s", k, what)
		}
	}
	return sections, found.join(path)
}

// join returns the problems as one error, in the order of their lines; nil
// when there are none.
func (p problems) join(path string) error {
	slices.SortStableFunc(p, func(a, b problem) int { return a.line - b.line })
	var all []error
	for _, problem := range p {
		if problem.line == 0 {
			all = append(all, errors.New(problem.text))
			continue
		}
		all = append(all, fmt.Errorf("%s:%d: %s", path, problem.line, problem.text))
	}
	return errors.Join(all...)
}

// adviseSection says which section was perhaps meant by name.
func adviseSection(name string, keys []key) string {
	var sections []string
	for _, k := range keys {
		if !slices.Contains(sections, k.section) {
			sections = append(sections, k.section)
		}
	}
	if best, ok := nearest(name, sections); ok {
		return "did you mean [" + best + "]?"
	}
	return "this file may have [" + strings.Join(sections, "], [") + "]"
}

// adviseKey says which key was perhaps meant by name in section.
func adviseKey(section, name string, keys []key) string {
	var here []string
	elsewhere := ""
	for _, k := range keys {
		if k.section == section {
			here = append(here, k.name)
		} else if k.name == name {
			elsewhere = k.section
		}
	}
	if best, ok := nearest(name, here); ok {
		return "did you mean " + best + "?"
	}
	if elsewhere != "" {
		return "it belongs to [" + elsewhere + "]"
	}
	return "[" + section + "] may have " + strings.Join(here, ", ")
}
