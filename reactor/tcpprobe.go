//go:build linux

package reactor

import (
	"net/netip"
	"time"

	"golang.org/x/sys/unix"
)

// ProbeTCP tries whether a TCP connection to addr can be made within timeout.
// The connection is reset at once, so it leaves no TIME_WAIT behind; nothing is
// sent on it. It may be called on the loop's goroutine only. done is called
// once, on the loop and perhaps before ProbeTCP returns: with nil if the
// connection was made, else with an error that wraps what the kernel said, or
// context.DeadlineExceeded, or that is ErrClosed when the loop ends. The last
// must not be answered with another ProbeTCP.
func (l *Loop) ProbeTCP(addr netip.AddrPort, timeout time.Duration, done func(error)) {
	l.newDialing(addr.String(), timeout, func(fd int, _ netip.AddrPort, err error) {
		if err == nil {
			l.dead = append(l.dead, resetting(fd))
		}
		done(err)
	}).connect(addr)
}

// resetting is a connection that is closed at the end of the turn.
type resetting int

func (fd resetting) reap() {
	// With no time to linger the kernel sends RST in place of FIN. Should that
	// fail, the connection is closed in the usual way.
	_ = unix.SetsockoptLinger(int(fd), unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1})
	_ = unix.Close(int(fd))
}
