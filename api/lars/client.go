package lars

import (
	"context"
	"sync/atomic"
	"time"

	"github.com/lars-lb/lars/internal/route"
)

// Client asks one agent. All methods may be called from any goroutine.
type Client struct {
	timeout  time.Duration
	staleFor time.Duration // negative is never
	start    time.Time
	ports    [route.Shards]*port
	seq      atomic.Uint32
	missing  missing
	events   events
	closed   chan struct{}
	closing  atomic.Bool
}

// NewClient returns a client for the agent that cfg names. It opens no socket
// and does not ask whether the agent is there.
func NewClient(cfg Config) (*Client, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	cfg = cfg.withDefaults()
	addrs, err := parseAgent(cfg.Agent)
	if err != nil {
		return nil, err
	}
	c := &Client{timeout: cfg.Timeout, staleFor: cfg.StaleFor, start: time.Now(), closed: make(chan struct{})}
	c.events.on = cfg.OnStale
	for i, addr := range addrs {
		c.ports[i] = newPort(addr, cfg.Agent, cfg.MaxSockets, c.start)
	}
	return c, nil
}

// Close ends the calls under way with ErrClosed and closes every socket. Reports
// that wait are sent before if the agent is there, and else are lost: Close asks
// it, for 100 ms at most. It always returns nil, also the second time.
func (c *Client) Close() error {
	if c.closing.CompareAndSwap(false, true) {
		close(c.closed)
		end := time.Now().Add(farewell)
		for _, p := range c.ports {
			p.sendAllKept(end)
			p.close()
			p.kept.drop()
		}
	}
	return nil
}

// port returns the agent's port that owns m.
func (c *Client) port(m route.Module) *port { return c.ports[m.Shard()] }

// deadline is when a call that starts now must be over.
func (c *Client) deadline(ctx context.Context) time.Time {
	end := time.Now().Add(c.timeout)
	if d, ok := ctx.Deadline(); ok {
		return earlier(d, end)
	}
	return end
}

// pause waits for d before a question is repeated, or reports false at once
// when the deadline leaves no time for that. It ends early when ctx or the
// client does; the question then fails with the reason.
func (c *Client) pause(ctx context.Context, deadline time.Time, d time.Duration) bool {
	if time.Until(deadline) <= d {
		return false
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
	case <-ctx.Done():
	case <-c.closed:
	}
	return true
}
