package lars

import (
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lars-lb/lars/internal/route"
)

const (
	// remembered is how many answers are kept of a module. Their hosts come in
	// proportion to what the agent gave lately: weighted, and without those
	// that it had drained or ejected.
	remembered = 64

	// When the answers kept are all younger than busy, one in sampled is
	// recorded, by chance: the memory then changes hands between cores that
	// much less often.
	busy    = 100 * time.Millisecond
	sampled = 16

	// strikes is after how many failures in a row, reported while the agent is
	// away, a host is not named for shunned, as long as there is another.
	strikes = 3
	shunned = 5 * time.Second
)

// memo is what the agent answered for one module. Times are since the client
// was made.
type memo struct {
	module route.Module
	next   atomic.Pointer[memo] // in the memory's chain

	n    atomic.Uint64 // answers recorded
	last atomic.Int64  // when the newest was
	used atomic.Int64  // when the module was last asked for, roughly
	ring [remembered]recorded

	stale atomic.Bool // the module was last answered from here

	mu    sync.Mutex
	turn  uint64
	fails map[uint64]failing // at most remembered

	queued, told bool // guarded by events.mu
}

// recorded is one answer.
type recorded struct {
	host atomic.Uint64 // packed; 0 is not written yet
	at   atomic.Int64
}

// failing counts what was reported of a host while the agent is away.
type failing struct {
	inRow int
	until time.Duration // it is not named before
}

func pack(h Host) uint64 { return uint64(h.h.IP)<<16 | uint64(h.h.Port) }

func unpack(p uint64) Host { return Host{h: route.Host{IP: uint32(p >> 16), Port: uint16(p)}} }

// record keeps an answer.
func (o *memo) record(h Host, now time.Duration) {
	n := o.n.Load()
	oldest := &o.ring[n%remembered]
	if n >= remembered && now-time.Duration(oldest.at.Load()) < busy && rand.Uint32()%sampled != 0 {
		return
	}
	slot := &o.ring[(o.n.Add(1)-1)%remembered]
	slot.host.Store(pack(h))
	slot.at.Store(int64(now))
	o.last.Store(int64(now))
	o.used.Store(int64(now))
}

// pick names the next of the hosts that the agent gave, in the order in which
// it gave them. Answers that were staleFor older than the newest are left out:
// a module that is rarely asked for may have changed since.
func (o *memo) pick(now, staleFor time.Duration) Host {
	o.used.Store(int64(now))
	o.mu.Lock()
	defer o.mu.Unlock()
	var good, all [remembered]uint64
	var goods, alls uint64
	newest := o.last.Load()
	for i := range min(o.n.Load(), remembered) {
		slot := &o.ring[i]
		h := slot.host.Load()
		if h == 0 || newest-slot.at.Load() > int64(staleFor) {
			continue
		}
		all[alls] = h
		alls++
		if len(o.fails) > 0 {
			if f := o.fails[h]; f.inRow >= strikes && now < f.until {
				continue
			}
		}
		good[goods] = h
		goods++
	}
	turn := o.turn
	o.turn++
	switch {
	case goods > 0:
		return unpack(good[turn%goods])
	case alls > 0:
		return unpack(all[turn%alls])
	default:
		return Host{} // the first answer is being recorded just now
	}
}

// reported counts a call that was made while the agent is away.
func (o *memo) reported(h Host, code Code, now time.Duration) {
	o.mu.Lock()
	defer o.mu.Unlock()
	key := pack(h)
	if code == Success {
		delete(o.fails, key)
		return
	}
	f, known := o.fails[key]
	if !known && len(o.fails) >= remembered {
		return // more than were ever named
	}
	if o.fails == nil {
		o.fails = make(map[uint64]failing)
	}
	f.inRow = min(f.inRow+1, strikes)
	if f.inRow == strikes {
		f.until = now + shunned
	}
	o.fails[key] = f
}

// forgive forgets the failures of an earlier time.
func (o *memo) forgive() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.fails = nil
}
