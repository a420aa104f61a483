package dns

import (
	"errors"
	"time"

	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/proto/larspb"
	"github.com/lars-lb/lars/reactor"
)

// errSlow is the reason for closing a connection that does not read.
var errSlow = errors.New("dns: the peer does not read what it is sent")

// client is one connection: what it subscribed to, and what it has yet to be
// told. It belongs to its worker's loop.
type client struct {
	conn   *reactor.TCPConn
	worker *worker
	// places says where in worker.subscribers[m] the client is.
	places   map[route.Module]int
	deferred moduleQueue
	timeout  *reactor.Timer // armed while something is deferred
}

// ready reports whether a route may be sent now rather than put off. While
// something is deferred the output is not empty, so the connection will report
// when it is.
func (c *client) ready() bool {
	return c.deferred.len() == 0 && c.conn.Buffered() <= c.worker.config.MaxBuffered
}

// send sends the route of m, which is body, to a client that is ready. It
// reports false on a closed connection.
func (c *client) send(m route.Module, body []byte) bool {
	err := c.conn.Send(int32(larspb.MessageId_ID_GetRouteResponse), body)
	if errors.Is(err, reactor.ErrBacklog) {
		c.putOff(m)
		return true
	}
	return err == nil
}

// putOff makes sure that the route of m, as it is then, is sent later.
func (c *client) putOff(m route.Module) {
	if c.deferred.len() == 0 {
		c.await(c.worker.config.PushTimeout)
	}
	if !c.deferred.add(m) {
		return
	}
	c.worker.counters.deferred.Add(1)
	c.worker.counters.waiting.Add(1)
	if c.deferred.len() > c.worker.config.MaxSubscriptions {
		c.conn.Close(errSlow) // it asks for more and more, and reads nothing
	}
}

// drained goes on with what was deferred, now that all output is written.
func (c *client) drained() {
	if c.deferred.len() == 0 {
		return
	}
	for c.deferred.len() > 0 && c.conn.Buffered() <= c.worker.config.MaxBuffered {
		m := c.deferred.take()
		c.worker.counters.waiting.Add(-1)
		if body, ok := c.worker.encode(m); ok && !c.send(m, body) {
			return
		}
	}
	if c.deferred.len() > 0 {
		c.await(c.worker.config.PushTimeout)
	} else {
		c.timeout.Stop()
	}
}

func (c *client) await(d time.Duration) {
	if c.timeout == nil {
		c.timeout = c.conn.Loop().AfterFunc(d, func() { c.conn.Close(errSlow) })
	} else {
		c.timeout.Reset(d)
	}
}

func (c *client) closed(reason error) {
	if c.timeout != nil {
		c.timeout.Stop()
	}
	c.worker.forget(c)
	c.worker.counters.waiting.Add(-int64(c.deferred.len()))
	if errors.Is(reason, errSlow) {
		c.worker.counters.slowClosed.Add(1)
		c.worker.slow.warn("connection closed: it does not read what it is sent",
			"peer", c.conn.RemoteAddr(), "deferred", c.deferred.len())
	}
}

// moduleQueue is a queue in which each module is at most once. The zero value
// is empty.
type moduleQueue struct {
	order []route.Module
	has   map[route.Module]struct{}
}

func (q *moduleQueue) len() int { return len(q.order) }

// add reports false for a module that is in the queue already.
func (q *moduleQueue) add(m route.Module) bool {
	if _, ok := q.has[m]; ok {
		return false
	}
	if q.has == nil {
		q.has = make(map[route.Module]struct{})
	}
	q.has[m] = struct{}{}
	q.order = append(q.order, m)
	return true
}

// take removes the oldest module of a queue that is not empty.
func (q *moduleQueue) take() route.Module {
	m := q.order[0]
	q.order = q.order[1:]
	if len(q.order) == 0 {
		*q = moduleQueue{} // its memory is needed rarely
	} else {
		delete(q.has, m)
	}
	return m
}
