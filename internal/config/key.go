package config

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// key is one row of a daemon's table: a key of the file, bound to a field.
type key struct {
	section, name string
	want          string            // what is allowed, as it follows "want "
	set           func(string) bool // sets the field; false leaves it alone
	valid         func() bool       // whether the field is allowed as it is
	value         func() any        // the field, comparable
	blame         func(string) string
	clash         func() string // in what the field disagrees with another key's, "" in nothing; may be nil
}

// String returns the key as messages name it: "[section] name".
func (k key) String() string { return "[" + k.section + "] " + k.name }

// refusal says why the text of a value is not allowed.
func (k key) refusal(text string) string {
	why := quoteValue(text)
	if k.blame != nil {
		if what := k.blame(dropComment(text)); what != "" {
			why += ", where " + what
		}
	}
	return why + ": want " + k.want
}

// clashes says in what the field disagrees with another key's, "" in nothing.
func (k key) clashes() string {
	if k.clash == nil {
		return ""
	}
	return k.clash()
}

// bind makes the row of a key whose value goes to dst.
func bind[T comparable](section, name string, dst *T, k kind[T]) key {
	return key{
		section: section,
		name:    name,
		want:    k.want,
		set: func(text string) bool {
			if !k.verbatim {
				text = dropComment(text)
			}
			v, ok := k.parse(text)
			if ok = ok && k.allow(v); ok {
				*dst = v
			}
			return ok
		},
		valid: func() bool { return k.allow(*dst) },
		value: func() any { return *dst },
		blame: k.blame,
	}
}

// dropComment cuts a comment off the end of a value. It starts with ; or # at
// the value's start or after white space.
func dropComment(text string) string {
	for i, r := range text {
		if r != ';' && r != '#' {
			continue
		}
		before := strings.TrimRightFunc(text[:i], unicode.IsSpace)
		if i == 0 || len(before) < i {
			return before
		}
	}
	return text
}

// validate returns the problems of the fields that keys are bound to.
func validate(keys []key) error {
	var found problems
	for _, k := range keys {
		if !k.valid() {
			found.add(0, "%v = %s", k, k.refusal(fmt.Sprint(k.value())))
		} else if what := k.clashes(); what != "" {
			found.add(0, "%v: %s", k, what)
		}
	}
	return found.join("")
}

// changed names the keys whose fields differ between two tables of one daemon.
func changed(old, next []key) []string {
	var names []string
	for i, k := range old {
		if k.value() != next[i].value() {
			names = append(names, k.String())
		}
	}
	return names
}

func names(keys []key) []string {
	all := make([]string, len(keys))
	for i, k := range keys {
		all[i] = k.String()
	}
	return all
}

// quoteName returns a section's or key's name as it is, or quoted when
// something in it would not show.
func quoteName(name string) string {
	plain := name != "" && !strings.ContainsFunc(name, func(r rune) bool {
		return !unicode.IsPrint(r) || r == unicode.ReplacementChar || r == '"'
	})
	if plain && len(name) <= 64 {
		return name
	}
	return strconv.Quote(name[:min(len(name), 64)])
}

// quoteValue quotes a value for a message, and shortens what is too long for one.
func quoteValue(value string) string {
	const most = 80
	if len(value) > most {
		return strconv.Quote(value[:most]) + "..."
	}
	return strconv.Quote(value)
}
