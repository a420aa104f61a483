package lbagent

import (
	"time"

	"github.com/lars-lb/lars/internal/balance"
	"github.com/lars-lb/lars/internal/route"
)

// module is what a RouteLB keeps about one module. There are four things to
// know, and each has a list of the modules it applies to:
//
//   - known: it has hosts. One that is not, and has no counts to report, is on
//     the list unknown, the one pulled longest ago first.
//   - pulling: a pull was asked for and lars-dns has not answered. It is on the
//     list pulls, the one sent longest ago first.
//   - counting: it has counts to report. It is on the list counts, the one that
//     has had them longest first.
//   - unsure: no lars-dns that reaches its database has said anything of it
//     since its route came from a file, the agent's or that of lars-dns. It is
//     on the list unsure, about the one asked for longest ago first.
//
// One that is stale, so that its route itself is from a file, is unsure, too.
// None is both unknown and counting, so one pair of links serves both lists.
type module struct {
	updatedAt time.Duration // when its route came last; if stale, since when it may be wrong
	stale     bool          // it has hosts, and they are from a file
	gone      bool          // that it has none is from the database
	counting  bool
	lb        balance.LoadBalance
	pulledAt  time.Duration // when it was asked for last
	countedAt time.Duration // since when it has counts to report
	links     [3]link
}

// What the links of a module are for.
const (
	pulling = iota
	unsure
	filed // on unknown or counts
)

// link has a module's neighbours on a list; nil if it is not on that.
type link struct{ prev, next *module }

func newModule(id route.Module, cfg *balance.Config) *module {
	m := new(module)
	m.lb.Init(id, cfg)
	return m
}

func (m *module) id() route.Module { return m.lb.Module() }

func (m *module) known() bool { return m.lb.Len() > 0 }

func (m *module) on(list int) bool { return m.links[list].next != nil }

// unknown reports whether the module is on the list unknown.
func (m *module) unknown() bool { return m.on(filed) && !m.counting }

// table finds modules by what key makes of their ids: maps of 64-bit numbers
// have a faster lookup than maps of structs.
type table map[uint64]*module

func key(id route.Module) uint64 { return uint64(uint32(id.ModID))<<32 | uint64(uint32(id.CmdID)) }

func (t table) get(id route.Module) *module { return t[key(id)] }

// list is a ring of modules, linked in both directions by one of the links in
// each. It does not allocate, and a module leaves it in constant time.
type list struct {
	by   int     // which of the links
	head *module // nil if there is none
	len  int
}

// first is the module at the head, nil if there is none.
func (l *list) first() *module { return l.head }

// pushBack moves m to the tail, from wherever it is in this list.
func (l *list) pushBack(m *module) {
	l.remove(m)
	at := &m.links[l.by]
	if l.len == 0 {
		l.head, at.prev, at.next = m, m, m
	} else {
		head := &l.head.links[l.by]
		at.prev, at.next = head.prev, l.head
		head.prev.links[l.by].next = m
		head.prev = m
	}
	l.len++
}

// remove takes m off the list; nothing happens if it is on none by these links.
func (l *list) remove(m *module) {
	at := &m.links[l.by]
	if at.next == nil {
		return
	}
	at.prev.links[l.by].next, at.next.links[l.by].prev = at.next, at.prev
	if l.len--; l.len == 0 {
		l.head = nil
	} else if l.head == m {
		l.head = at.next
	}
	*at = link{}
}
