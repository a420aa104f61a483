package balance

import (
	"iter"
	"math"
)

// slot is the place of a host in its module's slice of hosts: a quarter of a
// pointer. It holds until the hosts of the module change; see relocate.
type slot uint16

// none is the slot of no host. There are at most 2 x route.MaxHosts of them,
// while a route is replaced.
const none slot = math.MaxUint16

// list is a ring of hosts, linked by slots in the hosts themselves, so that
// moving a host takes constant time and no memory. The one behind the tail is
// the head: to put that at the tail changes no host.
type list struct {
	head slot // if there is a host
	len  uint16
}

func (l *list) pushBack(hosts []host, i slot) {
	h := &hosts[i]
	if l.len == 0 {
		l.head, h.prev, h.next = i, i, i
	} else {
		head := &hosts[l.head]
		h.prev, h.next = head.prev, l.head
		hosts[head.prev].next = i
		head.prev = i
	}
	l.len++
}

// remove takes a host off the list, which must be its own.
func (l *list) remove(hosts []host, i slot) {
	h := &hosts[i]
	hosts[h.prev].next, hosts[h.next].prev = h.next, h.prev
	if l.head == i {
		l.head = h.next
	}
	l.len--
}

// rotate puts the head at the tail and returns it.
func (l *list) rotate(hosts []host) slot {
	i := l.head
	l.head = hosts[i].next
	return i
}

// all are the hosts from head to tail. The list must not change meanwhile.
func (l *list) all(hosts []host) iter.Seq[slot] {
	return func(yield func(slot) bool) {
		for n, i := l.len, l.head; n > 0 && yield(i); n-- {
			i = hosts[i].next
		}
	}
}

// lists are the hosts of a module and where they stand. A host with a weight is
// on the one of idle and overload that its state names; one without is on
// drained, whatever its state.
type lists struct {
	hosts    []host // by address, each once
	idle     turns
	overload list
	drained  list
}

// open is the number of hosts that may get calls: all but the drained ones.
func (ls *lists) open() int { return int(ls.idle.len) + int(ls.overload.len) }

// add puts a host that is on no list where its weight and state say.
func (ls *lists) add(i slot) {
	switch h := &ls.hosts[i]; {
	case h.Drained():
		ls.drained.pushBack(ls.hosts, i)
	case h.state == Overload:
		ls.overload.pushBack(ls.hosts, i)
	default:
		ls.idle.add(ls.hosts, i)
	}
}

func (ls *lists) remove(i slot) {
	switch h := &ls.hosts[i]; {
	case h.Drained():
		ls.drained.remove(ls.hosts, i)
	case h.state == Overload:
		ls.overload.remove(ls.hosts, i)
	default:
		ls.idle.remove(ls.hosts, i)
	}
}

// next returns the idle host whose turn it is; none if there is none.
func (ls *lists) next() slot { return ls.idle.next(ls.hosts) }

// putBack puts an overloaded host at the tail of its list.
func (ls *lists) putBack(i slot) {
	if ls.overload.head == i {
		ls.overload.rotate(ls.hosts)
		return
	}
	ls.overload.remove(ls.hosts, i)
	ls.overload.pushBack(ls.hosts, i)
}

// move gives a host another state, and the place that goes with it.
func (ls *lists) move(i slot, to State) {
	ls.remove(i)
	ls.hosts[i].state = to
	ls.hosts[i].turn = 0
	ls.add(i)
}

// setWeight gives a host another weight. It keeps its place as long as it can.
func (ls *lists) setWeight(i slot, weight uint16) {
	h := &ls.hosts[i]
	if weight == h.Weight {
		return
	}
	if weight == 0 || h.Drained() {
		ls.remove(i)
		h.Weight, h.part, h.turn = weight, parts, 0
		ls.add(i)
		return
	}
	ls.reshare(i, weight, parts)
}

// setPart lets a host that is not drained have part of what its weight says.
func (ls *lists) setPart(i slot, part uint8) { ls.reshare(i, ls.hosts[i].Weight, part) }

func (ls *lists) reshare(i slot, weight uint16, part uint8) {
	if h := &ls.hosts[i]; h.state == Idle {
		ls.idle.reshare(ls.hosts, i, weight, part)
	} else {
		h.Weight, h.part = weight, part
	}
}

// all calls f for every host. f must not change the lists.
func (ls *lists) all(f func(slot)) {
	ls.idle.all(ls.hosts, f)
	for i := range ls.overload.all(ls.hosts) {
		f(i)
	}
	for i := range ls.drained.all(ls.hosts) {
		f(i)
	}
}

// relocate makes hosts the slice of hosts. It must have those of the old one
// that are on a list, each at the slot that to has for its old one.
func (ls *lists) relocate(hosts []host, to []slot) {
	ls.hosts = hosts
	moved := func(l *list) {
		if l.len > 0 {
			l.head = to[l.head]
		}
	}
	for i := range ls.idle.classes {
		moved(&ls.idle.classes[i].list)
	}
	moved(&ls.overload)
	moved(&ls.drained)
	for _, i := range to {
		if i != none {
			h := &hosts[i]
			h.prev, h.next = to[h.prev], to[h.next]
		}
	}
}

// relocated is a slice with an element for each of n hosts, those of old at the
// slots that to has for them.
func relocated[T any](old []T, to []slot, n int) []T {
	s := make([]T, n)
	for i := range old {
		if to[i] != none {
			s[to[i]] = old[i]
		}
	}
	return s
}
