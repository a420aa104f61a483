package lars

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/lars-lb/lars/internal/route"
)

const (
	// maxModules bounds the modules remembered of each of the agent's ports.
	// Beyond it the one that was asked for the longest ago is forgotten.
	maxModules = 1024

	// buckets is a power of two: the chains of a full memory have four modules
	// on average.
	buckets = 256
)

// memory is what one port of the agent answered. Finding a module takes no
// lock and no allocation. The zero value is ready.
type memory struct {
	table [buckets]atomic.Pointer[memo]
	mu    sync.Mutex // held to change a chain
	all   []*memo    // in no order
}

func bucket(m route.Module) uint64 {
	key := uint64(uint32(m.ModID))<<32 | uint64(uint32(m.CmdID))
	return key * 0x9e3779b97f4a7c15 >> (64 - 8) // Fibonacci hashing to 8 bits
}

// get returns what is remembered of m, or nil.
func (y *memory) get(m route.Module) *memo {
	o := y.table[bucket(m)].Load()
	for o != nil && o.module != m {
		o = o.next.Load()
	}
	return o
}

// add returns the memo of m, a new one if there is none. It also returns the
// one that was forgotten for it, if any.
func (y *memory) add(m route.Module) (added, forgotten *memo) {
	y.mu.Lock()
	defer y.mu.Unlock()
	if o := y.get(m); o != nil {
		return o, nil
	}
	if len(y.all) >= maxModules {
		oldest := 0
		for i, o := range y.all {
			if o.used.Load() < y.all[oldest].used.Load() {
				oldest = i
			}
		}
		forgotten = y.remove(oldest)
	}
	o := &memo{module: m}
	head := &y.table[bucket(m)]
	o.next.Store(head.Load())
	head.Store(o)
	y.all = append(y.all, o)
	return o, forgotten
}

// forget removes o, unless that has been done.
func (y *memory) forget(o *memo) {
	y.mu.Lock()
	defer y.mu.Unlock()
	for i := range y.all {
		if y.all[i] == o {
			y.remove(i)
			return
		}
	}
}

// remove takes a memo out. Whoever walks its chain meanwhile walks on.
func (y *memory) remove(i int) *memo {
	o := y.all[i]
	last := len(y.all) - 1
	y.all[i], y.all[last] = y.all[last], nil
	y.all = y.all[:last]
	link := &y.table[bucket(o.module)]
	for link.Load() != o {
		link = &link.Load().next
	}
	link.Store(o.next.Load())
	return o
}

func (y *memory) len() int {
	y.mu.Lock()
	defer y.mu.Unlock()
	return len(y.all)
}

// usable reports whether o can be answered from: the agent named a host at
// most staleFor ago.
func (o *memo) usable(now, staleFor time.Duration) bool {
	return o != nil && o.n.Load() > 0 && now-time.Duration(o.last.Load()) <= staleFor
}
