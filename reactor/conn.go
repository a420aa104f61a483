//go:build linux

package reactor

import (
	"fmt"
	"math/rand/v2"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// ConnConfig bounds one TCP connection. Zero fields take their defaults.
type ConnConfig struct {
	// MaxOutput is the most that waits to be written, bytes; default 4 MiB,
	// at least one frame (65,535).
	MaxOutput int
	// PartialTimeout is how long the rest of a half-read frame may be silent
	// before the connection is closed; default 30 s.
	PartialTimeout time.Duration
	// KeepAlive is the idle time, less up to a quarter of it by chance, after
	// which the kernel starts to ask a silent peer, each third of it, whether
	// it lives. A connection is closed when the peer has not acknowledged
	// anything, data or such questions, for twice KeepAlive. Default 15 s, at
	// least 3 s.
	KeepAlive time.Duration
}

func (c ConnConfig) withDefaults() ConnConfig {
	if c.MaxOutput == 0 {
		c.MaxOutput = 4 << 20
	}
	c.MaxOutput = max(c.MaxOutput, 65535)
	if c.PartialTimeout == 0 {
		c.PartialTimeout = 30 * time.Second
	}
	if c.KeepAlive == 0 {
		c.KeepAlive = 15 * time.Second
	}
	c.KeepAlive = max(c.KeepAlive, 3*time.Second)
	return c
}

// ConnHooks are called on the connection's loop. Any may be nil.
type ConnHooks struct {
	// OnOpen is called before the connection's first frame is read.
	OnOpen func(*TCPConn)
	// OnClose is called once for every connection that was opened, at the end
	// of the turn in which it closed, with the reason. Nothing can be sent on
	// it any more.
	OnClose func(c *TCPConn, reason error)
	// OnDrain is called when all output has been written. It may send; what
	// it sends is written in the next turn, so that a peer that reads fast
	// cannot keep the loop to itself.
	OnDrain func(*TCPConn)
}

// connKind is what connections of one server or client have in common.
type connKind struct {
	config ConnConfig
	hooks  ConnHooks
	router *Router[*TCPConn]
	stats  *tcpCounters
	// released, if set, is called after OnClose, when the descriptor is closed.
	released func()
}

// TCPConn is one TCP connection. It belongs to one loop: its methods may be
// called on that loop's goroutine only.
type TCPConn struct {
	loop   *Loop
	kind   *connKind
	fd     int
	remote netip.AddrPort
	value  any

	in        []byte        // the start of a frame whose rest has not come
	need      int           // how much of in must be there before it is looked at again
	inSince   time.Duration // when in last grew, on the loop's clock
	inTimer   *Timer        // runs, if armed, until in can have been silent too long
	out       []byte        // frames to write; out[:written] is written
	written   int
	blocked   bool // waits for epoll to report room in the kernel's buffer
	draining  bool // in OnDrain
	scheduled bool // in the loop's list of connections to flush
	closed    bool
	reason    error
}

const readEvents = unix.EPOLLIN | unix.EPOLLRDHUP

// openConn registers a connected, non-blocking socket with the loop, and owns
// it from then on, also when it fails.
func openConn(l *Loop, kind *connKind, fd int, remote netip.AddrPort) (*TCPConn, error) {
	c := &TCPConn{loop: l, kind: kind, fd: fd, remote: remote}
	if err := setConnOptions(fd, kind.config.KeepAlive); err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	if err := l.add(fd, readEvents, c); err != nil {
		_ = unix.Close(fd)
		return nil, err
	}
	kind.stats.opened.Add(1)
	kind.stats.open.Add(1)
	if kind.hooks.OnOpen != nil {
		kind.hooks.OnOpen(c)
	}
	return c, nil
}

func setConnOptions(fd int, keepAlive time.Duration) error {
	idle := spreadIdle(int(keepAlive / time.Second))
	for _, o := range []struct{ level, name, value int }{
		{unix.IPPROTO_TCP, unix.TCP_NODELAY, 1},
		{unix.SOL_SOCKET, unix.SO_KEEPALIVE, 1},
		{unix.IPPROTO_TCP, unix.TCP_KEEPIDLE, idle},
		{unix.IPPROTO_TCP, unix.TCP_KEEPINTVL, max(idle/3, 1)},
		{unix.IPPROTO_TCP, unix.TCP_KEEPCNT, 4},
		{unix.IPPROTO_TCP, unix.TCP_USER_TIMEOUT, int(2 * keepAlive / time.Millisecond)},
	} {
		if err := unix.SetsockoptInt(fd, o.level, o.name, o.value); err != nil {
			return fmt.Errorf("reactor: setsockopt: %w", err)
		}
	}
	return nil
}

// spreadIdle takes up to a quarter off the idle time, in seconds: the kernel's
// timers of that length are coarse, so thousands of connections that fall silent
// together would all be asked in the same moment, more packets at once than its
// queues hold.
func spreadIdle(idle int) int { return idle - rand.IntN(idle/4+1) }

// Loop is the loop that the connection belongs to. Unlike the other methods
// it may be called on any goroutine.
func (c *TCPConn) Loop() *Loop { return c.loop }

// RemoteAddr is the peer's address.
func (c *TCPConn) RemoteAddr() netip.AddrPort { return c.remote }

// LocalAddr is our own address on this connection; invalid when the
// connection is gone.
func (c *TCPConn) LocalAddr() netip.AddrPort {
	if c.fd < 0 {
		return netip.AddrPort{}
	}
	sa, err := unix.Getsockname(c.fd)
	if err != nil {
		return netip.AddrPort{}
	}
	return addrPort(sa)
}

// Value is what SetValue set; nil at first.
func (c *TCPConn) Value() any { return c.value }

// SetValue attaches the caller's state to the connection.
func (c *TCPConn) SetValue(v any) { c.value = v }

// Close closes the connection, giving OnClose the reason (ErrClosed if it is
// nil). What was sent is written first, as far as the kernel takes it at once.
// It may be called in any handler, more than once; the first reason stands.
func (c *TCPConn) Close(reason error) {
	if c.closed {
		return
	}
	if reason == nil {
		reason = ErrClosed
	}
	c.closed = true
	c.reason = reason
	if c.Buffered() > 0 && !c.scheduled { // it waited for room, or for the next turn
		c.scheduled = true
		c.loop.dirty = append(c.loop.dirty, c)
	}
	c.loop.remove(c.fd)
	c.loop.dead = append(c.loop.dead, c)
}

// drop closes the connection without writing what waits: the peer is gone or
// does not speak our language.
func (c *TCPConn) drop(reason error) {
	c.out, c.written = nil, 0
	c.Close(reason)
}

func (c *TCPConn) abandon() { c.Close(ErrClosed) }

// reap runs at the end of the turn in which the connection was closed.
func (c *TCPConn) reap() {
	if c.inTimer != nil {
		c.inTimer.Stop()
	}
	c.in, c.out = nil, nil
	if c.kind.hooks.OnClose != nil {
		c.kind.hooks.OnClose(c, c.reason)
	}
	_ = unix.Close(c.fd)
	c.fd = -1
	c.kind.stats.countClose(c.reason)
	c.kind.stats.open.Add(-1)
	if c.kind.released != nil {
		c.kind.released()
	}
}

func (c *TCPConn) handleIO(events uint32) {
	if events&unix.EPOLLOUT != 0 {
		c.flush()
	}
	// Errors and hang-ups are learnt by reading, after what still is to be read.
	if events&^unix.EPOLLOUT != 0 && !c.closed {
		c.receive()
	}
}
