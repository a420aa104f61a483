package reporter

import (
	"sync"
	"sync/atomic"

	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/store"
)

// key is what a result is about: one row of the table.
type key struct {
	module route.Module
	host   route.Host
	caller uint32
}

func keyOf(s store.Status) key { return key{s.Module, s.Host, s.Caller} }

// room bounds what all workers together keep.
type room struct {
	max  int64
	used atomic.Int64
}

func (r *room) take(n int64) bool {
	if r.used.Add(n) > r.max {
		r.used.Add(-n)
		return false
	}
	return true
}

// outcome is what became of a result that was put into pending.
type outcome int

const (
	added    outcome = iota // the first one of its key
	replaced                // took the place of an older one
	stale                   // a newer one is waiting
	full                    // no room for another key
)

// shrinkAbove is the number of keys above which the memory of an emptied map
// is given back: a map does not shrink by itself.
const shrinkAbove = 4096

// pending holds the newest result of each key of one worker until it is saved.
// Any goroutine may put; one at a time may take batches.
type pending struct {
	room *room

	mu     sync.Mutex
	newest map[key]store.Status
	order  []key // the keys of newest, each once, in the order they came
	peak   int   // the most keys since newest was made
}

func newPending(r *room) *pending {
	return &pending{room: r, newest: make(map[key]store.Status)}
}

// put keeps s unless a newer result of its key is there. It returns the number
// of keys after that.
func (p *pending) put(s store.Status) (outcome, int) {
	k := keyOf(s)
	p.mu.Lock()
	defer p.mu.Unlock()
	if have, ok := p.newest[k]; ok {
		if s.TS < have.TS {
			return stale, len(p.order)
		}
		p.newest[k] = s
		return replaced, len(p.order)
	}
	if !p.room.take(1) {
		return full, len(p.order)
	}
	p.newest[k] = s
	p.order = append(p.order, k)
	p.peak = max(p.peak, len(p.order))
	return added, len(p.order)
}

// len is the number of keys.
func (p *pending) len() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return len(p.order)
}

// batch appends the first n results to dst. They stay in p: until saved is
// called with them, newer ones may take their place.
func (p *pending) batch(dst []store.Status, n int) []store.Status {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, k := range p.order[:min(n, len(p.order))] {
		dst = append(dst, p.newest[k])
	}
	return dst
}

// saved removes a batch from p, except for the keys that have another result
// by now: those go to the end.
func (p *pending) saved(batch []store.Status) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.order = p.order[len(batch):]
	for _, s := range batch {
		k := keyOf(s)
		if p.newest[k] != s {
			p.order = append(p.order, k)
			continue
		}
		delete(p.newest, k)
		p.room.used.Add(-1)
	}
	if len(p.order) == 0 {
		p.order = nil
		if p.peak > shrinkAbove {
			p.newest = make(map[key]store.Status)
		}
		p.peak = 0
	}
}
