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

// unsent is what TakeCounts has not handed out yet about one host.
type unsent struct {
	succ, err uint64
	overload  bool // the flag in the last Count that was taken
}

func (u *unsent) count(ok bool) {
	if ok {
		u.succ++
	} else {
		u.err++
	}
}

func (u *unsent) due(overload bool) bool {
	return u.succ|u.err != 0 || u.overload != overload
}

// take moves as much out of u as a Count holds; what is beyond that stays.
func (u *unsent) take(addr route.Host, overload bool) Count {
	succ, err := min(u.succ, math.MaxUint32), min(u.err, math.MaxUint32)
	*u = unsent{succ: u.succ - succ, err: u.err - err, overload: overload}
	return Count{Host: addr, Succ: uint32(succ), Err: uint32(err), Overload: overload}
}

// ledger keeps the unsent counts of hosts that are not in the route any more.
// Those of the others are in the hosts themselves.
type ledger struct {
	departed map[uint64]departed // by key of the address; each has something due
	lost     uint64
}

type departed struct {
	addr   route.Host
	unsent unsent
}

// welcome gives a host that joins the route what it left behind earlier.
func (l *ledger) welcome(h *host) {
	k := key(h.addr)
	if d, ok := l.departed[k]; ok {
		h.unsent = d.unsent
		delete(l.departed, k)
	}
}

// farewell keeps what is unsent of a host that leaves the route. From now on
// it counts as not overloaded, so that nobody sees it so for ever.
func (l *ledger) farewell(h *host) {
	if h.unsent.due(false) {
		l.keep(h.addr, h.unsent)
	}
}

// keep stores u for a host outside the route that has no entry yet.
func (l *ledger) keep(addr route.Host, u unsent) {
	if len(l.departed) >= maxDeparted {
		l.lost += u.succ + u.err
		return
	}
	if l.departed == nil {
		l.departed = make(map[uint64]departed)
	}
	l.departed[key(addr)] = departed{addr, u}
}

// TakeCounts appends to dst a Count for each host with calls that were not
// taken yet, or whose overload flag differs from the one last taken, and
// clears them. Hosts of the route come first, then those that left it, each in
// the order of addresses. There can be more than fit into one frame.
//
// Every report that was accepted is in exactly one Count, but for LostCounts.
func (b *LoadBalance) TakeCounts(dst []Count) []Count {
	for _, h := range b.order {
		if overload := h.state == Overload; h.unsent.due(overload) {
			dst = append(dst, h.unsent.take(h.addr, overload))
		}
	}
	first := len(dst)
	for k, d := range b.ledger.departed {
		dst = append(dst, d.unsent.take(d.addr, false))
		if d.unsent.due(false) {
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
	return len(b.ledger.departed) > 0 || slices.ContainsFunc(b.order, func(h *host) bool {
		return h.unsent.due(h.state == Overload)
	})
}

// LostCounts is the number of reported calls that TakeCounts will never
// return, because too many hosts left the route before they were taken.
func (b *LoadBalance) LostCounts() uint64 { return b.ledger.lost }
