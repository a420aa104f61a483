package lars

import (
	"sync"
	"time"

	"github.com/lars-lb/lars/internal/route"
)

// Answer is what Ask found.
type Answer struct {
	Host Host

	// Stale: the agent did not answer, and Host is one that it named before.
	Stale bool
	// Age is how long ago the agent last named a host of this module; 0 when
	// it did so just now.
	Age time.Duration
}

// Route is what AskRoute found.
type Route struct {
	Hosts []Host

	// Stale: the agent did not answer, and Hosts are those of its last answer.
	Stale bool
	// Age is how long ago that answer came; 0 when it came just now.
	Age time.Duration
}

// StaleEvent says that GetHost begins or ends to answer for a module without
// the agent.
type StaleEvent struct {
	ModID, CmdID int32

	// Stale: it begins. It ends when the agent answers for the module again,
	// or when the module is forgotten.
	Stale bool
}

// events tells Config.OnStale what changed: one event at a time, in order, and
// with no lock held, so that it may use the client.
type events struct {
	on func(StaleEvent) // nil when nobody listens

	mu      sync.Mutex
	queue   []*memo // each once: a module that flaps meanwhile is told of once
	telling bool
}

// changed tells of o, whose stale was set. If that is being done already, the
// goroutine which does it goes on with o.
func (e *events) changed(o *memo) {
	if e.on == nil {
		return
	}
	e.mu.Lock()
	defer e.mu.Unlock()
	if !o.queued {
		o.queued = true
		e.queue = append(e.queue, o)
	}
	if e.telling {
		return
	}
	e.telling = true
	defer func() { e.telling = false }() // also when the callback panics
	for len(e.queue) > 0 {
		o := e.queue[0]
		e.queue = e.queue[1:]
		o.queued = false
		if is := o.stale.Load(); is != o.told {
			o.told = is
			e.tell(StaleEvent{o.module.ModID, o.module.CmdID, is})
		}
	}
}

func (e *events) tell(event StaleEvent) {
	e.mu.Unlock()
	defer e.mu.Lock()
	e.on(event)
}

// remember keeps an answer of the agent.
func (c *Client) remember(p *port, o *memo, m route.Module, h Host, now time.Duration) {
	if c.staleFor < 0 {
		return
	}
	if o == nil {
		var forgotten *memo
		if o, forgotten = p.memory.add(m); forgotten != nil {
			c.ended(forgotten)
		}
	}
	o.record(h, now)
	c.ended(o)
}

// recall answers from memory.
func (c *Client) recall(p *port, o *memo, now time.Duration) (Answer, bool) {
	h := o.pick(now, c.staleFor)
	if h == (Host{}) {
		return Answer{}, false
	}
	p.stale.Add(1)
	if !o.stale.Load() && o.stale.CompareAndSwap(false, true) {
		o.forgive()
		c.events.changed(o)
	}
	return Answer{Host: h.asStale(), Stale: true, Age: max(0, now-time.Duration(o.last.Load()))}, true
}

// forget believes the agent that a module does not exist.
func (c *Client) forget(p *port, m route.Module) {
	p.routes.forget(m)
	if o := p.memory.get(m); o != nil {
		p.memory.forget(o)
		c.ended(o)
	}
}

// ended tells that o is not served from memory any more.
func (c *Client) ended(o *memo) {
	if o.stale.Load() && o.stale.CompareAndSwap(true, false) {
		c.events.changed(o)
	}
}
