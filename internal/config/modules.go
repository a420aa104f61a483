package config

import (
	"fmt"
	"iter"
	"strconv"
	"strings"
)

// MaxModules is the largest number of modules in a list.
const MaxModules = 10_000

// Modules is a list of modules, each MODID:CMDID, with ", " between. It is a
// text so that configurations can be compared.
type Modules string

// All yields the numbers of each module. Entries that are none are passed over.
func (m Modules) All() iter.Seq2[int32, int32] {
	return func(yield func(modid, cmdid int32) bool) {
		for entry := range m.entries() {
			modid, cmdid, ok := parseModule(entry)
			if ok && !yield(modid, cmdid) {
				return
			}
		}
	}
}

func (m Modules) entries() iter.Seq[string] {
	if m == "" {
		return func(func(string) bool) {}
	}
	return strings.SplitSeq(string(m), ",")
}

// wrong says which entry is none, or one too many; "" if all are good.
func (m Modules) wrong() string {
	n := 0
	for entry := range m.entries() {
		if n++; n > MaxModules {
			return fmt.Sprintf("there are more than %d entries", MaxModules)
		}
		if _, _, ok := parseModule(entry); !ok {
			return fmt.Sprintf("entry %d is %s", n, quoteValue(strings.TrimSpace(entry)))
		}
	}
	return ""
}

// common is a module that is in both lists, "" if there is none.
func (m Modules) common(other Modules) string {
	type module struct{ modid, cmdid int32 }
	here := make(map[module]bool)
	for modid, cmdid := range m.All() {
		here[module{modid, cmdid}] = true
	}
	for modid, cmdid := range other.All() {
		if here[module{modid, cmdid}] {
			return formatModule(modid, cmdid)
		}
	}
	return ""
}

func parseModule(entry string) (modid, cmdid int32, ok bool) {
	left, right, found := strings.Cut(strings.TrimSpace(entry), ":")
	m, err := strconv.ParseInt(left, 10, 32)
	c, err2 := strconv.ParseInt(right, 10, 32)
	return int32(m), int32(c), found && err == nil && err2 == nil
}

func formatModule(modid, cmdid int32) string { return fmt.Sprintf("%d:%d", modid, cmdid) }

// modules is a list of modules, or nothing.
func modules() kind[Modules] {
	return kind[Modules]{
		want: fmt.Sprintf("up to %d modules as MODID:CMDID with commas between, such as 1:1, -5:3, or nothing", MaxModules),
		parse: func(s string) (Modules, bool) {
			if given := Modules(s); given.wrong() != "" {
				return "", false
			}
			var all []string
			for modid, cmdid := range Modules(s).All() {
				all = append(all, formatModule(modid, cmdid))
			}
			return Modules(strings.Join(all, ", ")), true
		},
		allow: func(m Modules) bool { return m.wrong() == "" },
		blame: func(s string) string { return Modules(s).wrong() },
	}
}
