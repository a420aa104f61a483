//go:build linux

package reactor

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// dialing is one try to make a TCP connection. It belongs to its loop's
// goroutine.
type dialing struct {
	loop    *Loop
	addr    string
	within  time.Duration
	fd      int
	remote  netip.AddrPort
	timeout *Timer
	ended   bool
	done    func(fd int, remote netip.AddrPort, err error)
}

// newDialing begins a try, which start or connect carries on. It fails after
// timeout; the error then names addr. done is called once: with a connected descriptor,
// which is its own from then on, or with an error.
func (l *Loop) newDialing(addr string, timeout time.Duration, done func(fd int, remote netip.AddrPort, err error)) *dialing {
	d := &dialing{loop: l, addr: addr, within: timeout, fd: -1, done: done}
	d.timeout = l.AfterFunc(timeout, func() {
		d.end(fmt.Errorf("reactor: connect to %s: %w", addr, context.DeadlineExceeded))
	})
	return d
}

func (d *dialing) connect(ap netip.AddrPort) {
	d.remote = ap
	sa, family := sockaddr(ap)
	fd, err := unix.Socket(family, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		d.end(fmt.Errorf("reactor: socket: %w", err))
		return
	}
	d.fd = fd
	if err := unix.Connect(fd, sa); err != nil && !errors.Is(err, unix.EINPROGRESS) {
		d.end(fmt.Errorf("reactor: connect to %v: %w", ap, err))
		return
	}
	if err := d.loop.add(fd, unix.EPOLLOUT, d); err != nil {
		d.end(err)
	}
}

func (d *dialing) handleIO(uint32) {
	errno, err := unix.GetsockoptInt(d.fd, unix.SOL_SOCKET, unix.SO_ERROR)
	switch {
	case err != nil:
		d.end(err)
	case errno != 0:
		d.end(fmt.Errorf("reactor: connect to %v: %w", d.remote, unix.Errno(errno)))
	case d.toItself():
		d.end(fmt.Errorf("reactor: connect to %v: connected to itself", d.remote))
	default:
		d.ended = true
		d.timeout.Stop()
		d.loop.remove(d.fd)
		d.done(d.fd, d.remote, nil)
	}
}

// toItself detects TCP's simultaneous open with itself, which happens when
// nobody listens on a local port and the kernel picks that very port as the
// client's own.
func (d *dialing) toItself() bool {
	sa, err := unix.Getsockname(d.fd)
	return err == nil && addrPort(sa) == d.remote
}

func (d *dialing) abandon() { d.end(ErrClosed) }

// end gives the try up.
func (d *dialing) end(err error) {
	if d.ended {
		return
	}
	d.ended = true
	d.timeout.Stop()
	if d.fd >= 0 {
		d.loop.remove(d.fd)
		d.loop.dead = append(d.loop.dead, d)
	}
	d.done(-1, d.remote, err)
}

func (d *dialing) reap() { resetting(d.fd).reap() }
