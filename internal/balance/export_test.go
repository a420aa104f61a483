package balance

import (
	"fmt"

	"github.com/lars-lb/lars/internal/route"
)

// Check reports the first way in which the lists, the map and the order of
// hosts disagree.
func (b *LoadBalance) Check() error {
	onList := make(map[*host]bool)
	for _, s := range []State{Idle, Overload} {
		l := b.lists.of(s)
		var prev *host
		n := 0
		for h := l.head; h != nil; prev, h = h, h.next {
			switch n++; {
			case h.prev != prev:
				return fmt.Errorf("%v list: %v has a wrong neighbour", s, h.addr)
			case h.state != s:
				return fmt.Errorf("%v list: %v is %v", s, h.addr, h.state)
			case onList[h]:
				return fmt.Errorf("%v is on a list twice", h.addr)
			case b.hosts[key(h.addr)] != h:
				return fmt.Errorf("%v is on a list and not in the map", h.addr)
			}
			onList[h] = true
		}
		if l.tail != prev || l.len != n {
			return fmt.Errorf("%v list: wrong tail or length %d, is %d", s, l.len, n)
		}
	}
	if len(onList) != len(b.hosts) || len(b.order) != len(b.hosts) {
		return fmt.Errorf("%d on lists, %d in the map, %d in order", len(onList), len(b.hosts), len(b.order))
	}
	last := route.Host{}
	for _, h := range b.order {
		if !onList[h] || h.addr.Compare(last) <= 0 {
			return fmt.Errorf("order: %v is on no list or out of place", h.addr)
		}
		last = h.addr
	}
	for k, d := range b.ledger.departed {
		if b.hosts[k] != nil || key(d.addr) != k || !d.unsent.due(false) {
			return fmt.Errorf("departed %v is in the route, misplaced or has nothing due", d.addr)
		}
	}
	return nil
}
