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
type module struct {
	lb        *balance.LoadBalance
	digest    uint64        // of its route, if it has one
	updatedAt time.Duration // when its route came last; if stale, since when it may be wrong
	pulledAt  time.Duration // when it was asked for last
	countedAt time.Duration // since when it has counts to report
	stale     bool          // it has hosts, and they are from a file
	gone      bool          // that it has none is from the database

	unknown, pulling, counting, unsure node
}

func newModule(id route.Module, cfg *balance.Config) *module {
	m := &module{lb: balance.New(id, cfg)}
	m.unknown.module, m.pulling.module, m.counting.module, m.unsure.module = m, m, m, m
	return m
}

func (m *module) id() route.Module { return m.lb.Module() }

func (m *module) known() bool { return m.lb.Len() > 0 }

// node links a module into one list.
type node struct {
	module     *module
	prev, next *node
}

func (n *node) linked() bool { return n.next != nil }

// list is a doubly linked list of modules. It does not allocate, and a module
// leaves it in constant time. The zero value is not usable; see init.
type list struct {
	root node
	len  int
}

func (l *list) init() { l.root.prev, l.root.next = &l.root, &l.root }

// first is the module at the head, nil if there is none.
func (l *list) first() *module { return l.root.next.module }

// pushBack moves n to the tail, from wherever it is in this list.
func (l *list) pushBack(n *node) {
	after := l.root.prev
	if n == after {
		return // the tail to the tail
	}
	l.remove(n)
	n.prev, n.next = after, after.next
	after.next.prev, after.next = n, n
	l.len++
}

// remove takes n off the list; nothing happens if it is on none.
func (l *list) remove(n *node) {
	if !n.linked() {
		return
	}
	n.prev.next, n.next.prev = n.next, n.prev
	n.prev, n.next = nil, nil
	l.len--
}
