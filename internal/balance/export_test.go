package balance

import (
	"fmt"
	"math"
	"slices"

	"github.com/lars-lb/lars/internal/route"
)

// Check reports the first way in which the lists, the index and the order of
// hosts disagree.
func (b *LoadBalance) Check() error {
	hosts := b.lists.hosts
	onList := make(map[slot]bool)
	walk := func(name string, l *list, belongs func(*host) bool) error {
		n := uint16(0)
		for i := range l.all(hosts) {
			h := &hosts[i]
			switch n++; {
			case hosts[h.next].prev != i || hosts[h.prev].next != i:
				return fmt.Errorf("%s: %v has a wrong neighbour", name, h.Host())
			case !belongs(h):
				return fmt.Errorf("%s: %v is %v with weight %d", name, h.Host(), h.state, h.Weight)
			case onList[i]:
				return fmt.Errorf("%v is on a list twice", h.Host())
			case b.find(h.Host()) != i:
				return fmt.Errorf("%v is on a list and is not found", h.Host())
			}
			onList[i] = true
			if n == l.len && h.next != l.head {
				return fmt.Errorf("%s: it does not end after %d", name, n)
			}
		}
		return nil
	}
	idle := uint16(0)
	credit := int64(0)
	for at := range b.lists.idle.classes {
		c := &b.lists.idle.classes[at]
		sum, most, atMost := uint32(0), int32(0), uint16(0)
		err := walk(fmt.Sprintf("idle class %d", c.power), &c.list, func(h *host) bool {
			sum += uint32(h.share())
			switch {
			case h.share() > most:
				most, atMost = h.share(), 1
			case h.share() == most:
				atMost++
			}
			return h.state == Idle && !h.Drained() && powerOf(h.share()) == c.power && h.part <= parts
		})
		if err != nil {
			return err
		}
		if c.list.len == 0 || sum != c.sum || most != c.max || atMost != c.atMax {
			return fmt.Errorf("idle class %d: %d hosts, sum %d, largest %d x %d; it notes %d, %d x %d",
				c.power, c.list.len, sum, most, atMost, c.sum, c.max, c.atMax)
		}
		if at > 0 && b.lists.idle.classes[at-1].power >= c.power {
			return fmt.Errorf("idle class %d is out of place", c.power)
		}
		credit += c.credit
		idle += c.list.len
	}
	if idle != b.lists.idle.len || credit != 0 {
		return fmt.Errorf("idle: %d hosts, it notes %d; credits add up to %d", idle, b.lists.idle.len, credit)
	}
	if err := walk("overload", &b.lists.overload, func(h *host) bool { return h.state == Overload && !h.Drained() }); err != nil {
		return err
	}
	if err := walk("drained", &b.lists.drained, (*host).isDrained); err != nil {
		return err
	}
	if len(onList) != len(hosts) || b.index != nil && len(b.index) != len(hosts) || cap(hosts) != len(hosts) {
		return fmt.Errorf("%d on lists, %d in the index, %d in order with room for %d", len(onList), len(b.index), len(hosts), cap(hosts))
	}
	last := route.Host{}
	for i := range hosts {
		h := &hosts[i]
		if !onList[slot(i)] || h.Host().Compare(last) <= 0 || h.named {
			return fmt.Errorf("order: %v is on no list, out of place or named", h.Host())
		}
		last = h.Host()
	}
	if err := b.checkLedger(); err != nil {
		return err
	}
	switch p := b.policy.(type) {
	case *adaptive:
		return p.checkBooks()
	case *classic:
		if len(p.stats) != len(hosts) {
			return fmt.Errorf("%d statistics of %d hosts", len(p.stats), len(hosts))
		}
	}
	return nil
}

func (h *host) isDrained() bool { return h.Drained() }

func (b *LoadBalance) checkLedger() error {
	if b.ledger == nil {
		return nil
	}
	for k, d := range b.ledger.departed {
		if b.find(d.addr) != none || key(d.addr) != k || !d.sum.any() && !d.overload {
			return fmt.Errorf("departed %v is in the route, misplaced or has nothing due", d.addr)
		}
	}
	for k, s := range b.ledger.beyond {
		addr := route.Host{IP: uint32(k >> 16), Port: uint16(k)}
		if b.find(addr) == none || !s.any() {
			return fmt.Errorf("what is beyond %v's own counts is of no host, or nothing", addr)
		}
	}
	return nil
}

// checkBooks reports the first way in which the policy's own books are wrong.
func (a *adaptive) checkBooks() error {
	hosts := a.lists.hosts
	if a.aside == nil {
		a.aside = new(aside)
	}
	for name, n := range map[string]int{"health": len(a.health), "guesses": len(a.aside.guesses)} {
		if n != 0 && n != len(hosts) {
			return fmt.Errorf("%s of %d hosts, there are %d", name, n, len(hosts))
		}
	}
	if t := a.trouble; t != nil && (len(t.sums) != len(hosts) || len(t.records) != len(hosts)) {
		return fmt.Errorf("sums of %d hosts and records of %d, there are %d", len(t.sums), len(t.records), len(hosts))
	}
	counted := tally{}
	for i := range hosts {
		if err := a.checkHost(slot(i)); err != nil {
			return fmt.Errorf("%v with weight %d: %w", hosts[i].Host(), hosts[i].Weight, err)
		}
		if a.health != nil && !a.health[i].excluded {
			counted.calls += a.health[i].calls
		}
	}
	// The hosts' sums have four bytes: what is rounded off is below a call.
	if d := math.Abs(float64(counted.calls) - a.normal.calls); d > 1e-3*a.normal.calls+a.decay.unit {
		return fmt.Errorf("%v calls count for what is normal, it notes %v, %v too much or too little in calls of now",
			counted.calls, a.normal.calls, d/a.decay.unit)
	}
	dark := a.trouble != nil && a.trouble.mode.dark
	if dark && a.lists.idle.len > 0 || !dark && a.lists.idle.len == 0 && a.lists.overload.len > 0 {
		return fmt.Errorf("dark is %v with %d idle hosts and %d out", dark, a.lists.idle.len, a.lists.overload.len)
	}
	return nil
}

func (a *adaptive) checkHost(i slot) error {
	h := &a.lists.hosts[i]
	if a.trouble == nil {
		if h.state == Overload || a.health != nil && a.health[i].excluded || h.part != parts {
			return fmt.Errorf("%v or not counted, with %d parts, and no trouble", h.state, h.part)
		}
		return nil
	}
	s, r := &a.trouble.sums[i], a.trouble.records[i]
	out := h.state == Overload && !h.Drained()
	at := int32(-1)
	if r != nil {
		at = r.away.slot
	}
	switch {
	case r != nil && r.host != i:
		return fmt.Errorf("its record is of slot %d", r.host)
	case out != (at >= 0):
		return fmt.Errorf("%v, in the heap at %d", h.state, at)
	case out && a.trouble.tries[at] != r:
		return fmt.Errorf("not where it should be in the heap")
	case out && !a.health[i].excluded:
		return fmt.Errorf("out and counts for what is normal")
	case s.failing < 0 || s.degraded < 0 || s.hanging < 0 || s.worst() > Alarm && h.state == Idle:
		return fmt.Errorf("the sums %v, %v, %v", s.failing, s.degraded, s.hanging)
	case (r != nil && r.ramping) != slices.Contains(a.trouble.ramping, i):
		return fmt.Errorf("ramping, or not, unlike the policy notes")
	}
	return nil
}
