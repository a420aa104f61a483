package balance

import (
	"fmt"

	"github.com/lars-lb/lars/internal/route"
)

// Check reports the first way in which the lists, the index and the order of
// hosts disagree.
func (b *LoadBalance) Check() error {
	onList := make(map[*host]bool)
	walk := func(name string, l *list, belongs func(*host) bool) error {
		var prev *host
		n := 0
		for h := l.head; h != nil; prev, h = h, h.next {
			switch n++; {
			case h.prev != prev:
				return fmt.Errorf("%s: %v has a wrong neighbour", name, h.addr)
			case !belongs(h):
				return fmt.Errorf("%s: %v is %v with weight %d", name, h.addr, h.state, h.weight)
			case onList[h]:
				return fmt.Errorf("%v is on a list twice", h.addr)
			case b.find(h.addr) != h:
				return fmt.Errorf("%v is on a list and is not found", h.addr)
			}
			onList[h] = true
		}
		if l.tail != prev || l.len != n {
			return fmt.Errorf("%s: wrong tail or length %d, is %d", name, l.len, n)
		}
		return nil
	}
	idle := 0
	credit := int64(0)
	for i := range b.lists.idle.classes {
		c := &b.lists.idle.classes[i]
		sum, most, atMost := int64(0), int32(0), 0
		err := walk(fmt.Sprintf("idle class %d", c.power), &c.list, func(h *host) bool {
			sum += int64(h.share)
			switch {
			case h.share > most:
				most, atMost = h.share, 1
			case h.share == most:
				atMost++
			}
			return h.state == Idle && h.weight > 0 && powerOf(h.share) == c.power && h.share <= fullShare(h.weight)
		})
		if err != nil {
			return err
		}
		if c.list.len == 0 || sum != c.sum || most != c.max || atMost != c.atMax {
			return fmt.Errorf("idle class %d: %d hosts, sum %d, largest %d x %d; it notes %d, %d x %d",
				c.power, c.list.len, sum, most, atMost, c.sum, c.max, c.atMax)
		}
		if i > 0 && b.lists.idle.classes[i-1].power >= c.power {
			return fmt.Errorf("idle class %d is out of place", c.power)
		}
		credit += c.credit
		idle += c.list.len
	}
	if idle != b.lists.idle.len || credit != 0 {
		return fmt.Errorf("idle: %d hosts, it notes %d; credits add up to %d", idle, b.lists.idle.len, credit)
	}
	if err := walk("overload", &b.lists.overload, func(h *host) bool { return h.state == Overload && h.weight > 0 }); err != nil {
		return err
	}
	if err := walk("drained", &b.lists.drained, func(h *host) bool { return h.weight == 0 }); err != nil {
		return err
	}
	if len(onList) != len(b.order) || b.index != nil && len(b.index) != len(b.order) {
		return fmt.Errorf("%d on lists, %d in the index, %d in order", len(onList), len(b.index), len(b.order))
	}
	last := route.Host{}
	for _, h := range b.order {
		if !onList[h] || h.addr.Compare(last) <= 0 {
			return fmt.Errorf("order: %v is on no list or out of place", h.addr)
		}
		last = h.addr
	}
	for k, d := range b.ledger.departed {
		if b.find(d.addr) != nil || key(d.addr) != k || !d.unsent.due(false) {
			return fmt.Errorf("departed %v is in the route, misplaced or has nothing due", d.addr)
		}
	}
	if a, ok := b.policy.(*adaptive); ok {
		return a.checkBooks(b)
	}
	return nil
}

// checkBooks reports the first way in which the policy's own books are wrong.
func (a *adaptive) checkBooks(b *LoadBalance) error {
	counted := tally{}
	for _, h := range b.order {
		s := h.known()
		out := h.state == Overload && h.weight > 0
		slot := int32(-1)
		if s.record != nil {
			slot = s.away.slot
		}
		switch {
		case out != (slot >= 0):
			return fmt.Errorf("%v is %v with weight %d, in the heap at %d", h.addr, h.state, h.weight, slot)
		case out && a.tries[slot] != h:
			return fmt.Errorf("%v is not where it should be in the heap", h.addr)
		case out && s.counted:
			return fmt.Errorf("%v is out and counts for what is normal", h.addr)
		case s.failing < 0 || s.degraded < 0 || s.hanging < 0 || s.worst() > Alarm && h.state == Idle:
			return fmt.Errorf("%v has the sums %v, %v, %v", h.addr, s.failing, s.degraded, s.hanging)
		}
		if s.counted {
			counted.bad += s.tally.bad
			counted.calls += s.tally.calls
		}
	}
	if d := float64(counted.calls) - a.normal.calls; d > 1e-3*a.normal.calls+1 || d < -1e-3*a.normal.calls-1 {
		return fmt.Errorf("%v calls count for what is normal, it notes %v", counted.calls, a.normal.calls)
	}
	if a.mode.dark && b.lists.idle.len > 0 || !a.mode.dark && b.lists.idle.len == 0 && b.lists.overload.len > 0 {
		return fmt.Errorf("dark is %v with %d idle hosts and %d out", a.mode.dark, b.lists.idle.len, b.lists.overload.len)
	}
	return nil
}
