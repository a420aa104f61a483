package dns

import (
	"errors"
	"fmt"
	"slices"
	"sync/atomic"

	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/proto/larspb"
	"github.com/lars-lb/lars/reactor"
)

// pushBatch is how many changed modules a worker looks at before its loop
// serves others again.
const pushBatch = 1024

// worker answers and pushes to the connections of one event loop, on that
// loop's goroutine only.
type worker struct {
	loop     *reactor.Loop
	config   *Config
	routes   *atomic.Pointer[routes]
	counters *counters
	slow     *faultLog

	subscribers map[route.Module][]*client // in no order; no empty slices
	request     larspb.GetRouteRequest
	encoder     encoder
}

// answer serves one GetRouteRequest.
func (w *worker) answer(c *client, body []byte) error {
	w.request.Reset()
	if err := w.request.UnmarshalVT(body); err != nil {
		return fmt.Errorf("GetRouteRequest: %w", err)
	}
	m := route.Module{ModID: w.request.Modid, CmdID: w.request.Cmdid}
	// Before the table is read: a change that this answer does not show is
	// then sure to be pushed.
	w.subscribe(c, m)
	if !c.ready() {
		c.putOff(m)
	} else if body, ok := w.encode(m); ok {
		c.send(m, body)
	}
	w.counters.answers.Add(1) // last: whoever sees it sees what was put off, too
	return nil
}

// encode returns the body that tells the current route of m, valid until the
// next call. It is false if there is none to tell: the file of the last routes
// does not know m, and the database was not asked yet. "No hosts" would make
// agents drop those they know; freshen tells when it is known. Nor is there one
// of a route of more than route.MaxHosts, which does not happen.
func (w *worker) encode(m route.Module) (body []byte, ok bool) {
	r := w.routes.Load()
	nodes := r.table.Lookup(m)
	if r.stale && len(nodes) == 0 {
		w.counters.unanswered.Add(1)
		return nil, false
	}
	body, err := w.encoder.encode(m, nodes, r.stale)
	return body, err == nil
}

func (w *worker) subscribe(c *client, m route.Module) {
	if _, ok := c.places[m]; ok {
		return
	}
	if len(c.places) >= w.config.MaxSubscriptions && !w.makeRoom(c) {
		w.counters.unsubscribed.Add(1)
		return
	}
	c.places[m] = len(w.subscribers[m])
	w.subscribers[m] = append(w.subscribers[m], c)
	w.counters.subscriptions.Add(1)
}

// makeRoom ends a subscription of c to a module that has no hosts, for another
// one: a program that asks for very many wrong modules must not keep its agent
// from hearing about the right ones. It looks at a few only, in no order; a
// connection at its bound with more right ones than that gets no more.
func (w *worker) makeRoom(c *client) bool {
	const few = 64
	looked := 0
	for m := range c.places {
		if len(w.routes.Load().table.Lookup(m)) == 0 {
			w.unsubscribe(c, m)
			return true
		}
		if looked++; looked == few {
			return false
		}
	}
	return false
}

// unsubscribe takes constant time: the last subscriber of the module moves to
// the place of c.
func (w *worker) unsubscribe(c *client, m route.Module) {
	place := c.places[m]
	delete(c.places, m)
	w.counters.subscriptions.Add(-1)
	subs := w.subscribers[m]
	last := len(subs) - 1
	if last == 0 {
		delete(w.subscribers, m)
		return
	}
	if moved := subs[last]; moved != c {
		subs[place] = moved
		moved.places[m] = place
	}
	subs[last] = nil
	w.subscribers[m] = subs[:last]
}

// forget ends all subscriptions of c.
func (w *worker) forget(c *client) {
	for m := range c.places {
		w.unsubscribe(c, m)
	}
	c.places = nil
}

// freshen is push for the first routes that came from the database, after those
// of a file. Also told are modules that neither has, as encode told nobody.
func (w *worker) freshen(before, after *Table, changed []route.Module) {
	changed = slices.Clone(changed) // it is every worker's
	for m := range w.subscribers {
		if len(before.Lookup(m)) == 0 && len(after.Lookup(m)) == 0 {
			changed = append(changed, m)
		}
	}
	w.push(changed)
}

// push tells the subscribers of changed modules their current routes.
func (w *worker) push(changed []route.Module) {
	for len(changed) > 0 {
		n := min(len(changed), pushBatch)
		for _, m := range changed[:n] {
			w.pushModule(m)
		}
		if changed = changed[n:]; len(changed) == 0 {
			return
		}
		if err := w.loop.Post(func() { w.push(changed) }); !errors.Is(err, reactor.ErrFull) {
			return
		}
		// Too many tasks wait already; going on is better than losing a push.
	}
}

func (w *worker) pushModule(m route.Module) {
	subs := w.subscribers[m]
	var body []byte // the same for all of them
	for _, c := range subs {
		if !c.ready() {
			c.putOff(m)
			continue
		}
		if body == nil {
			var ok bool
			if body, ok = w.encode(m); !ok {
				return
			}
		}
		c.send(m, body)
	}
	w.counters.pushes.Add(uint64(len(subs)))
}
