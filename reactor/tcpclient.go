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
	// before it tries that again, in the background, and goes there if it
	// answers; varied by up to a half. It doubles, up to sixteen times, while the
	// first does not answer, or not for longer than that. Default 30 s.
	HomeAfter time.Duration
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
//	   not at the first ───┘    └── the first answered: the old connection is
//	   address for long: it         closed, OnClose, then OnOpen of the new one
//	   is dialed, too
type TCPClient struct {
	loop    *Loop
	config  TCPClientConfig
	kind    *connKind // of the connections, with hooks of the client's own
	stats   tcpCounters
	backoff *backoff.ExponentialBackOff

	at        int // the address that is used, or to be tried next
	tried     int // addresses that failed in this round
	conn      *TCPConn
	connected time.Duration // when, on the loop's clock
	dialing   *dialing
	retry     *Timer

	home      *dialing // to the first address, while another is in use
	homeTimer *Timer
	homeWait  time.Duration
	moving    socket // connected to the first address, and in use when conn is closed

	closed  bool
	closing atomic.Bool // Close was called
}

// socket is a connected one.
type socket struct {
	fd     int
	remote netip.AddrPort
}

var noSocket = socket{fd: -1}

// maxHomeWait bounds how often HomeAfter doubles, as a factor.
const maxHomeWait = 16

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
	if cfg.MinBackoff < 0 || cfg.MinBackoff > cfg.MaxBackoff || cfg.ConnectTimeout < 0 || cfg.HomeAfter < 0 {
		return nil, fmt.Errorf("reactor: MinBackoff is %v, MaxBackoff %v, ConnectTimeout %v, HomeAfter %v: none may be negative, nor the first above the second",
			cfg.MinBackoff, cfg.MaxBackoff, cfg.ConnectTimeout, cfg.HomeAfter)
	}
	c := &TCPClient{
		loop:   l,
		config: cfg,
		backoff: &backoff.ExponentialBackOff{
			InitialInterval: cfg.MinBackoff, MaxInterval: cfg.MaxBackoff, Multiplier: 1.5, RandomizationFactor: 0.25,
		},
		homeWait: cfg.HomeAfter,
		moving:   noSocket,
	}
	c.backoff.Reset()
	hooks := ConnHooks{OnOpen: c.onOpen, OnClose: c.onClose, OnDrain: cfg.Hooks.OnDrain}
	c.kind = &connKind{config: cfg.Conn.withDefaults(), hooks: hooks, router: r, stats: &c.stats}
	c.retry = l.newTimer(c.dial)
	c.homeTimer = l.newTimer(c.dialHome)
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
		c.stayAway()
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
// next address: for a server that is there and does not do its work. Without a
// connection it does nothing.
func (c *TCPClient) Next(reason error) {
	if c.conn != nil {
		c.conn.Close(reason)
	}
}

// Stats returns the counters so far. Any goroutine may call it.
func (c *TCPClient) Stats() TCPStats { return c.stats.snapshot() }

func (c *TCPClient) dial() {
	if c.closed || c.conn != nil || c.dialing != nil {
		return
	}
	d := c.loop.dialTo(c.Addr(), c.config.ConnectTimeout, func(fd int, remote netip.AddrPort, err error) {
		c.dialing = nil
		if err != nil {
			c.failed(err)
		} else {
			c.opened(socket{fd, remote})
		}
	})
	if !d.ended { // as one has that failed at once
		c.dialing = d
	}
}

// opened makes a connection of a connected socket.
func (c *TCPClient) opened(s socket) {
	c.connected = c.loop.now()
	if _, err := openConn(c.loop, c.kind, s.fd, s.remote); err != nil {
		c.failed(err)
	}
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
		c.retry.Reset(time.Duration(rand.Int64N(int64(c.config.MinBackoff))))
		return
	}
	c.tried = 0
	c.retry.Reset(c.backoff.NextBackOff())
}

func (c *TCPClient) onOpen(conn *TCPConn) {
	c.conn = conn
	if c.at > 0 {
		c.homeTimer.Reset(c.homePause())
	}
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
	if c.at == 0 { // a first address that comes and goes is not gone back to so soon
		if lasted > maxHomeWait*c.config.HomeAfter {
			c.homeWait = c.config.HomeAfter
		} else {
			c.goHomeLater()
		}
	}
	move := c.moving
	c.moving = noSocket
	c.stayAway()
	if c.config.Hooks.OnClose != nil {
		c.config.Hooks.OnClose(conn, reason)
	}
	switch {
	case c.closed || errors.Is(reason, ErrClosed):
		move.close()
	case move.fd >= 0:
		c.at, c.tried = 0, 0
		c.opened(move)
	default:
		c.next()
	}
}

func (s socket) close() {
	if s.fd >= 0 {
		resetting(s.fd).reap()
	}
}

// dialHome tries the first address while another is in use.
func (c *TCPClient) dialHome() {
	if c.closed || c.conn == nil || c.home != nil || c.moving.fd >= 0 {
		return
	}
	d := c.loop.dialTo(c.config.Addrs[0], c.config.ConnectTimeout, func(fd int, remote netip.AddrPort, err error) {
		c.home = nil
		switch {
		case c.closed || c.conn == nil:
			socket{fd, remote}.close()
		case err != nil:
			c.goHomeLater()
			c.homeTimer.Reset(c.homePause())
		default:
			c.moving = socket{fd, remote}
			c.conn.Close(ErrMoved)
		}
	})
	if !d.ended {
		c.home = d
	}
}

// stayAway ends what was begun to go to the first address.
func (c *TCPClient) stayAway() {
	c.homeTimer.Stop()
	if c.home != nil {
		c.home.end(ErrMoved)
	}
	c.moving.close()
	c.moving = noSocket
}

func (c *TCPClient) goHomeLater() {
	c.homeWait = min(2*c.homeWait, maxHomeWait*c.config.HomeAfter)
}

// homePause is homeWait, give or take a half: clients that lost their first
// address together do not come back to it together.
func (c *TCPClient) homePause() time.Duration {
	return c.homeWait/2 + time.Duration(rand.Int64N(int64(c.homeWait)+1))
}
