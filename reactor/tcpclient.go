//go:build linux

package reactor

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// ErrMoved is the reason for closing a connection whose client goes to another
// address.
var ErrMoved = errors.New("reactor: the client goes to another address")

// TCPClientConfig configures a TCPClient. Zero fields take their defaults.
type TCPClientConfig struct {
	// Addrs to connect to, host:port, at least one, the one liked best first. A
	// host name is resolved anew for each try; of its addresses one is taken by
	// chance.
	Addrs []string
	Conn  ConnConfig
	Hooks ConnHooks
	// MinBackoff and MaxBackoff bound the time between two rounds of tries, one
	// for each address, which grows by half each time; it is varied by up to a
	// quarter, so that clients that lost a server together do not come back
	// together. Within a round an address that failed is followed by the next
	// one within MinBackoff. Default 50 ms, 800 ms.
	MinBackoff, MaxBackoff time.Duration
	// ConnectTimeout bounds one try; default 2 s.
	ConnectTimeout time.Duration
	// HomeAfter is how long a client stays with another address than the first
	// before it tries those that it likes better, in the background, and moves
	// there if one answers; varied by up to a half. It doubles, up to sixteen
	// times, while the connections that it moved to are lost within that time.
	// Default 30 s.
	HomeAfter time.Duration
	// Probe, if set, asks a server something before the client moves to it: any
	// frame that comes back says that it works, and is handed to nobody. It
	// reports false if there is nothing to ask; a server is then good enough if
	// it takes connections, as it is without Probe.
	Probe func(*TCPConn) bool
	// ProbeTimeout is how long the answer may take; default 3 s.
	ProbeTimeout time.Duration
	// OnConnectError, if set, is called on the loop for each try that failed.
	OnConnectError func(error)
}

// TCPClient keeps one connection to one of several servers: it connects in the
// background, and again for ever when the connection is lost. Its methods may
// be called on its loop's goroutine only, but for Start, Close and Stats.
//
//	          fails: the next address, after a round a pause
//	         ┌──┐
//	idle ──► dialing ──► connected ──(lost, or Next)──► dialing the next address
//	                       │    ▲
//	   not at the first ───┘    └── a second connection, to another address, was
//	   address for long,            answered: the first is closed, OnClose, and
//	   or Seek: a second            then OnOpen of the second
//	   connection is tried
//
// Hooks and handlers know of one connection at a time: the second is none of
// their business until it takes the place of the first. See tcpmove.go.
type TCPClient struct {
	loop    *Loop
	config  TCPClientConfig
	kind    *connKind // of the connections, with hooks of the client's own
	stats   tcpCounters
	backoff *backoff.ExponentialBackOff

	at        int // the address that is used, or to be tried next
	used      int // the one that was used last; -1 for none
	tried     int // addresses that failed in this round
	conn      *TCPConn
	connected time.Duration // when, on the loop's clock
	dialing   *dialing
	retry     *Timer

	move move

	closed  bool
	closing atomic.Bool // Close was called
}

// NewTCPClient returns a client on the loop; Start lets it connect.
func NewTCPClient(l *Loop, cfg TCPClientConfig, r *Router[*TCPConn]) (*TCPClient, error) {
	if len(cfg.Addrs) == 0 {
		return nil, errors.New("reactor: there is no address to connect to")
	}
	for _, addr := range cfg.Addrs {
		if _, _, err := splitAddr(addr); err != nil {
			return nil, err
		}
	}
	if cfg.MinBackoff == 0 {
		cfg.MinBackoff = 50 * time.Millisecond
	}
	if cfg.MaxBackoff == 0 {
		cfg.MaxBackoff = 800 * time.Millisecond
	}
	if cfg.ConnectTimeout == 0 {
		cfg.ConnectTimeout = 2 * time.Second
	}
	if cfg.HomeAfter == 0 {
		cfg.HomeAfter = 30 * time.Second
	}
	if cfg.ProbeTimeout == 0 {
		cfg.ProbeTimeout = 3 * time.Second
	}
	if cfg.MinBackoff < 0 || cfg.MinBackoff > cfg.MaxBackoff || cfg.ConnectTimeout < 0 || cfg.HomeAfter < 0 || cfg.ProbeTimeout < 0 {
		return nil, fmt.Errorf("reactor: MinBackoff is %v, MaxBackoff %v, ConnectTimeout %v, HomeAfter %v, ProbeTimeout %v: none may be negative, nor the first above the second",
			cfg.MinBackoff, cfg.MaxBackoff, cfg.ConnectTimeout, cfg.HomeAfter, cfg.ProbeTimeout)
	}
	c := &TCPClient{
		loop:   l,
		config: cfg,
		backoff: &backoff.ExponentialBackOff{
			InitialInterval: cfg.MinBackoff, MaxInterval: cfg.MaxBackoff, Multiplier: 1.5, RandomizationFactor: 0.25,
		},
		used: -1,
	}
	c.backoff.Reset()
	hooks := ConnHooks{OnOpen: c.onOpen, OnClose: c.onClose, OnDrain: c.onDrain}
	c.kind = &connKind{config: cfg.Conn.withDefaults(), hooks: hooks, router: r, stats: &c.stats}
	c.retry = l.newTimer(c.dial)
	c.move = move{homeWait: cfg.HomeAfter, timer: l.newTimer(c.look)}
	return c, nil
}

// Start lets the client connect. Any goroutine may call it.
func (c *TCPClient) Start() error { return c.loop.Post(c.dial) }

// Close closes the connection and ends the tries, as the loop's end would.
// Any goroutine may call it, more than once.
func (c *TCPClient) Close() {
	if c.closing.Swap(true) {
		return
	}
	// One task a client needs no other bound. A closed loop has closed the
	// client with it.
	_ = c.loop.post(func() {
		c.closed = true
		c.retry.Stop()
		c.dropSecond()
		if c.dialing != nil {
			c.dialing.end(ErrClosed)
		}
		if c.conn != nil {
			c.conn.Close(ErrClosed)
		}
	}, math.MaxInt)
}

// Conn is the connection, nil while there is none.
func (c *TCPClient) Conn() *TCPConn { return c.conn }

// Addr is the address that is used or, without a connection, tried next, as
// the configuration has it.
func (c *TCPClient) Addr() string { return c.config.Addrs[c.at] }

// Next closes the connection, giving OnClose the reason, and goes on with the
// next address. Without a connection it does nothing. See Seek, which gives
// nothing up.
func (c *TCPClient) Next(reason error) {
	if c.conn != nil {
		c.conn.Close(reason)
	}
}

// Stats returns the counters so far. Any goroutine may call it.
func (c *TCPClient) Stats() TCPStats {
	stats := c.stats.snapshot()
	stats.MaxOpen = 1
	return stats
}

func (c *TCPClient) dial() {
	if c.closed || c.conn != nil || c.dialing != nil {
		return
	}
	c.dialing = c.loop.newDialing(c.Addr(), c.config.ConnectTimeout, func(fd int, remote netip.AddrPort, err error) {
		c.dialing = nil
		if err == nil {
			c.connected = c.loop.now()
			_, err = openConn(c.loop, c.kind, fd, remote)
		}
		if err != nil {
			c.failed(err)
		}
	})
	c.dialing.start()
}

// failed arranges for the next try.
func (c *TCPClient) failed(err error) {
	if c.closed {
		return
	}
	c.stats.connectFailures.Add(1)
	c.next()
	if c.config.OnConnectError != nil {
		c.config.OnConnectError(err)
	}
}

// next has the next address tried: soon, or after a pause if all were.
func (c *TCPClient) next() {
	c.at = (c.at + 1) % len(c.config.Addrs)
	if c.tried++; c.tried < len(c.config.Addrs) {
		c.retry.Reset(c.soon())
		return
	}
	c.tried = 0
	c.retry.Reset(c.backoff.NextBackOff())
}

// soon is the time between two addresses of a round.
func (c *TCPClient) soon() time.Duration {
	return time.Duration(rand.Int64N(int64(c.config.MinBackoff)))
}

func (c *TCPClient) onOpen(conn *TCPConn) {
	c.conn = conn
	if c.used >= 0 && c.used != c.at {
		c.stats.switched.Add(1)
	}
	c.used = c.at
	c.goHomeLater()
	if c.config.Hooks.OnOpen != nil {
		c.config.Hooks.OnOpen(conn)
	}
}

// onClose arranges for a new connection. Only one that lasted begins a new
// round and ends the backoff: a server that accepts and closes at once is not
// to be hammered.
func (c *TCPClient) onClose(conn *TCPConn, reason error) {
	c.conn = nil
	lasted := c.loop.now() - c.connected
	if lasted > c.config.MaxBackoff {
		c.tried = 0
		c.backoff.Reset()
	}
	to := c.move.to
	c.move.to = nil
	c.dropSecond()
	c.move.judge(lasted, c.config.HomeAfter)
	if c.config.Hooks.OnClose != nil {
		c.config.Hooks.OnClose(conn, reason)
	}
	switch {
	case c.closed || errors.Is(reason, ErrClosed):
		if to != nil {
			to.conn.Close(ErrClosed)
		}
	case to != nil:
		c.adopt(to)
	default:
		c.next()
	}
}

func (c *TCPClient) onDrain(conn *TCPConn) {
	if s := c.move.second; s != nil && s.ready {
		c.moveTo(s)
	} else if c.config.Hooks.OnDrain != nil {
		c.config.Hooks.OnDrain(conn)
	}
}
