package balance

import (
	"math"
	"slices"

	"github.com/lars-lb/lars/internal/route"
)

// Count is what lars-reporter has yet to hear about one host.
type Count struct {
	Host      route.Host
	Succ, Err uint32 // calls reported since the last time
	Overload  bool   // the host is overloaded now
}

// maxDeparted bounds the hosts whose counts are kept after they left the
// route: as many as a route that was replaced as a whole leaves behind. At the
// bound the counts of the next host to leave are dropped and added to
// LostCounts.
const maxDeparted = route.MaxHosts

// unsent are the calls to a host that TakeCounts has not handed out yet. They
// are as many as a Count holds; what is beyond that is in the ledger.
type unsent struct{ succ, err uint32 }

func (u unsent) any() bool { return u.succ|u.err != 0 }

// sum are unsent calls in any number.
type sum struct{ succ, err uint64 }

func (s sum) any() bool { return s.succ|s.err != 0 }

func (s *sum) add(u unsent) {
	s.succ += uint64(u.succ)
	s.err += uint64(u.err)
}

// take moves as much out of s as a Count holds.
func (s *sum) take() unsent {
	u := unsent{uint32(min(s.succ, math.MaxUint32)), uint32(min(s.err, math.MaxUint32))}
	s.succ -= uint64(u.succ)
	s.err -= uint64(u.err)
	return u
}

// ledger keeps the unsent counts that are not in the hosts of the route. Most
// modules never need one.
type ledger struct {
	departed map[uint64]departed // of hosts that left the route, by key; each has something due
	beyond   map[uint64]sum      // of hosts in it: what a host cannot hold, by key
	lost     uint64
}

type departed struct {
	addr     route.Host
	sum      sum
	overload bool // as host.toldOver
}

// books returns the ledger, to be written to.
func (b *LoadBalance) books() *ledger {
	if b.ledger == nil {
		b.ledger = &ledger{departed: make(map[uint64]departed), beyond: make(map[uint64]sum)}
	}
	return b.ledger
}

// count notes a call to h for lars-reporter.
func (b *LoadBalance) count(h *host, ok bool) {
	n := &h.unsent.err
	if ok {
		n = &h.unsent.succ
	}
	if *n == math.MaxUint32 {
		l, k := b.books(), key(h.Host())
		s := l.beyond[k]
		s.add(h.unsent)
		l.beyond[k], h.unsent = s, unsent{}
	}
	*n++
}

// uncounted is what is unsent of h. It takes that away from the ledger, but
// not from h.
func (b *LoadBalance) uncounted(h *host) sum {
	var s sum
	if l := b.ledger; l != nil {
		k := key(h.Host())
		s = l.beyond[k]
		delete(l.beyond, k)
	}
	s.add(h.unsent)
	return s
}

// recount makes s what is unsent of h, of which nothing is in the ledger.
func (b *LoadBalance) recount(h *host, s sum) {
	h.unsent = s.take()
	if s.any() {
		b.books().beyond[key(h.Host())] = s
	}
}

// reinstate gives a host that joins the route what it left behind earlier.
func (b *LoadBalance) reinstate(h *host) {
	if b.ledger == nil {
		return
	}
	k := key(h.Host())
	if d, ok := b.ledger.departed[k]; ok {
		delete(b.ledger.departed, k)
		h.toldOver = d.overload
		b.recount(h, d.sum)
	}
}

// dismiss keeps what is unsent of a host that leaves the route. From now on
// it counts as not overloaded, so that nobody sees it so for ever.
func (b *LoadBalance) dismiss(h *host) {
	d := departed{addr: h.Host(), sum: b.uncounted(h), overload: h.toldOver}
	if !d.sum.any() && !d.overload {
		return
	}
	l := b.books()
	if len(l.departed) >= maxDeparted {
		l.lost += d.sum.succ + d.sum.err
		return
	}
	l.departed[key(d.addr)] = d
}

// TakeCounts appends to dst a Count for each host with calls that were not
// taken yet, or whose overload flag differs from the one last taken, and
// clears them. Hosts of the route come first, then those that left it, each in
// the order of addresses. There can be more than fit into one frame.
//
// Every report that was accepted is in exactly one Count, but for LostCounts.
func (b *LoadBalance) TakeCounts(dst []Count) []Count {
	for i := range b.lists.hosts {
		h := &b.lists.hosts[i]
		overload := h.state == Overload
		s := b.uncounted(h)
		if !s.any() && h.toldOver == overload {
			continue
		}
		u := s.take()
		dst = append(dst, Count{Host: h.Host(), Succ: u.succ, Err: u.err, Overload: overload})
		h.toldOver = overload
		b.recount(h, s)
	}
	if b.ledger == nil {
		return dst
	}
	first := len(dst)
	for k, d := range b.ledger.departed {
		u := d.sum.take()
		dst = append(dst, Count{Host: d.addr, Succ: u.succ, Err: u.err})
		if d.overload = false; d.sum.any() {
			b.ledger.departed[k] = d
		} else {
			delete(b.ledger.departed, k)
		}
	}
	slices.SortFunc(dst[first:], func(x, y Count) int { return x.Host.Compare(y.Host) })
	return dst
}

// HasCounts reports whether TakeCounts would return anything. It looks at
// every host.
func (b *LoadBalance) HasCounts() bool {
	if l := b.ledger; l != nil && len(l.departed)+len(l.beyond) > 0 {
		return true
	}
	for i := range b.lists.hosts {
		if h := &b.lists.hosts[i]; h.unsent.any() || h.toldOver != (h.state == Overload) {
			return true
		}
	}
	return false
}

// LostCounts is the number of reported calls that TakeCounts will never
// return, because too many hosts left the route before they were taken.
func (b *LoadBalance) LostCounts() uint64 {
	if b.ledger == nil {
		return 0
	}
	return b.ledger.lost
}
