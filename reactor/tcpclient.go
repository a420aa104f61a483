//go:build linux

package reactor

import (
	"context"
	"fmt"
	"math"
	"net"
	"net/netip"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/cenkalti/backoff/v5"
)

// TCPClientConfig configures a TCPClient. Zero fields take their defaults.
type TCPClientConfig struct {
	// Addr to connect to, host:port. A host name is resolved anew for each try.
	Addr  string
	Conn  ConnConfig
	Hooks ConnHooks
	// MinBackoff and MaxBackoff bound the time between two tries, which grows
	// by half each time; it is varied by up to a quarter, so that clients that
	// lost a server together do not come back together. Default 50 ms, 800 ms.
	MinBackoff, MaxBackoff time.Duration
	// ConnectTimeout bounds one try; default 2 s.
	ConnectTimeout time.Duration
	// OnConnectError, if set, is called on the loop for each try that failed.
	OnConnectError func(error)
}

// TCPClient keeps one connection to a server: it connects in the background,
// and again for ever when the connection is lost. Its methods may be called on
// its loop's goroutine only, but for Start, Close and Stats.
type TCPClient struct {
	loop    *Loop
	config  TCPClientConfig
	kind    *connKind // of the connections, with hooks of the client's own
	stats   tcpCounters
	backoff *backoff.ExponentialBackOff

	conn      *TCPConn
	connected time.Duration // when, on the loop's clock
	dialing   *dialing
	retry     *Timer
	closed    bool
	closing   atomic.Bool // Close was called
}

// NewTCPClient returns a client on the loop; Start lets it connect.
func NewTCPClient(l *Loop, cfg TCPClientConfig, r *Router[*TCPConn]) (*TCPClient, error) {
	if host, port, err := net.SplitHostPort(cfg.Addr); err != nil {
		return nil, fmt.Errorf("reactor: address %q: %w", cfg.Addr, err)
	} else if host == "" {
		return nil, fmt.Errorf("reactor: address %q names no host", cfg.Addr)
	} else if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 {
		return nil, fmt.Errorf("reactor: address %q: port must be 1 to 65535", cfg.Addr)
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
	if cfg.MinBackoff < 0 || cfg.MinBackoff > cfg.MaxBackoff || cfg.ConnectTimeout < 0 {
		return nil, fmt.Errorf("reactor: MinBackoff is %v, MaxBackoff %v, ConnectTimeout %v: none may be negative, nor the first above the second",
			cfg.MinBackoff, cfg.MaxBackoff, cfg.ConnectTimeout)
	}
	c := &TCPClient{
		loop:   l,
		config: cfg,
		backoff: &backoff.ExponentialBackOff{
			InitialInterval: cfg.MinBackoff, MaxInterval: cfg.MaxBackoff, Multiplier: 1.5, RandomizationFactor: 0.25,
		},
	}
	c.backoff.Reset()
	hooks := ConnHooks{OnOpen: c.onOpen, OnClose: c.onClose, OnDrain: cfg.Hooks.OnDrain}
	c.kind = &connKind{config: cfg.Conn.withDefaults(), hooks: hooks, router: r, stats: &c.stats}
	c.retry = l.newTimer(c.dial)
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

// Stats returns the counters so far. Any goroutine may call it.
func (c *TCPClient) Stats() TCPStats { return c.stats.snapshot() }

func (c *TCPClient) dial() {
	if c.closed || c.conn != nil || c.dialing != nil {
		return
	}
	c.dialing = c.loop.newDialing(c.config.Addr, c.config.ConnectTimeout, func(fd int, remote netip.AddrPort, err error) {
		if err != nil {
			c.failed(err)
		} else {
			c.opened(fd, remote)
		}
	})
	if ap, err := netip.ParseAddrPort(c.config.Addr); err == nil {
		c.dialing.connect(ap)
	} else {
		c.resolve(c.dialing)
	}
}

// resolve lets d connect to the address of a host that the client's has by name.
func (c *TCPClient) resolve(d *dialing) {
	host, portText, _ := net.SplitHostPort(c.config.Addr)
	port, _ := strconv.ParseUint(portText, 10, 16)
	c.loop.Go(func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, c.config.ConnectTimeout)
		defer cancel()
		addrs, err := net.DefaultResolver.LookupNetIP(ctx, "ip", host)
		// If the loop is closed there is nobody left to tell.
		_ = c.loop.Post(func() {
			switch {
			case d.ended:
			case err != nil:
				d.end(err)
			case len(addrs) == 0:
				d.end(fmt.Errorf("reactor: %s has no address", host))
			default:
				d.connect(netip.AddrPortFrom(pickAddr(addrs), uint16(port)))
			}
		})
	})
}

// pickAddr prefers IPv4, which is what services of one network share.
func pickAddr(addrs []netip.Addr) netip.Addr {
	for _, a := range addrs {
		if a.Unmap().Is4() {
			return a
		}
	}
	return addrs[0]
}

// opened makes a connection of a connected socket.
func (c *TCPClient) opened(fd int, remote netip.AddrPort) {
	c.dialing = nil
	c.connected = c.loop.now()
	if _, err := openConn(c.loop, c.kind, fd, remote); err != nil {
		c.failed(err)
	}
}

// failed arranges for the next try.
func (c *TCPClient) failed(err error) {
	c.dialing = nil
	if c.closed {
		return
	}
	c.stats.connectFailures.Add(1)
	c.retry.Reset(c.backoff.NextBackOff())
	if c.config.OnConnectError != nil {
		c.config.OnConnectError(err)
	}
}

func (c *TCPClient) onOpen(conn *TCPConn) {
	c.conn = conn
	if c.config.Hooks.OnOpen != nil {
		c.config.Hooks.OnOpen(conn)
	}
}

// onClose arranges for a new connection. Only one that lasted ends the
// backoff: a server that accepts and closes at once is not to be hammered.
func (c *TCPClient) onClose(conn *TCPConn, reason error) {
	c.conn = nil
	if !c.closed {
		if c.loop.now()-c.connected > c.config.MaxBackoff {
			c.backoff.Reset()
		}
		c.retry.Reset(c.backoff.NextBackOff())
	}
	if c.config.Hooks.OnClose != nil {
		c.config.Hooks.OnClose(conn, reason)
	}
}
