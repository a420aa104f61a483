package balance

// list is a doubly linked list threaded through the hosts themselves, so that
// moving a host takes constant time and no memory.
type list struct {
	head, tail *host
	len        int
}

func (l *list) pushBack(h *host) {
	h.prev, h.next = l.tail, nil
	if l.tail == nil {
		l.head = h
	} else {
		l.tail.next = h
	}
	l.tail = h
	l.len++
}

// remove takes h off the list, which must be its own.
func (l *list) remove(h *host) {
	if h.prev == nil {
		l.head = h.next
	} else {
		h.prev.next = h.next
	}
	if h.next == nil {
		l.tail = h.prev
	} else {
		h.next.prev = h.prev
	}
	h.prev, h.next = nil, nil
	l.len--
}

// lists are where the hosts of a module stand. A host with a weight is on the
// one of idle and overload that its state names; one without is on drained,
// whatever its state.
type lists struct {
	idle     turns
	overload list
	drained  list
}

// open is the number of hosts that may get calls: all but the drained ones.
func (ls *lists) open() int { return ls.idle.len + ls.overload.len }

// add puts a host that is on no list where its weight and state say.
func (ls *lists) add(h *host) {
	switch {
	case h.weight == 0:
		ls.drained.pushBack(h)
	case h.state == Overload:
		ls.overload.pushBack(h)
	default:
		ls.idle.add(h)
	}
}

func (ls *lists) remove(h *host) {
	switch {
	case h.weight == 0:
		ls.drained.remove(h)
	case h.state == Overload:
		ls.overload.remove(h)
	default:
		ls.idle.remove(h)
	}
}

// rotate puts an overloaded host at the tail of its list.
func (ls *lists) rotate(h *host) {
	if ls.overload.tail != h {
		ls.overload.remove(h)
		ls.overload.pushBack(h)
	}
}

// move gives h another state, and the place that goes with it.
func (ls *lists) move(h *host, to State) {
	ls.remove(h)
	h.state = to
	h.turn = 0
	ls.add(h)
}

// setWeight gives h another weight. A host keeps its place as long as it can.
func (ls *lists) setWeight(h *host, weight uint16) {
	if weight == h.weight {
		return
	}
	if weight == 0 || h.weight == 0 {
		ls.remove(h)
		h.weight, h.share, h.turn = weight, fullShare(weight), 0
		ls.add(h)
		return
	}
	h.weight = weight
	ls.setShare(h, fullShare(weight))
}

// setShare gives a host that is not drained another share.
func (ls *lists) setShare(h *host, share int32) {
	if h.state == Idle {
		ls.idle.reshare(h, share)
	} else {
		h.share = share
	}
}

// all calls f for every host. f must not change the lists.
func (ls *lists) all(f func(*host)) {
	ls.idle.all(f)
	for h := ls.overload.head; h != nil; h = h.next {
		f(h)
	}
	for h := ls.drained.head; h != nil; h = h.next {
		f(h)
	}
}

// fullShare is the share of a host that gets all that its weight says.
func fullShare(weight uint16) int32 { return int32(weight) * shareUnit }
