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

// lists are the two lists of a module. A host's state names the one it is on.
type lists struct {
	idle, overload list
}

func (ls *lists) of(s State) *list {
	if s == Overload {
		return &ls.overload
	}
	return &ls.idle
}

// add puts a host that is on no list at the tail of the one its state names.
func (ls *lists) add(h *host) { ls.of(h.state).pushBack(h) }

func (ls *lists) remove(h *host) { ls.of(h.state).remove(h) }

// rotate puts h at the tail of its own list.
func (ls *lists) rotate(h *host) {
	l := ls.of(h.state)
	if l.tail != h {
		l.remove(h)
		l.pushBack(h)
	}
}

// move takes h to the tail of the other list.
func (ls *lists) move(h *host, to State) {
	ls.of(h.state).remove(h)
	h.state = to
	ls.of(to).pushBack(h)
}
