//go:build linux

package reactor

import (
	"time"

	"golang.org/x/sys/unix"
)

// LoseReserve takes the listener's reserved descriptor away, as a thread does
// that opens one at the wrong moment.
func (s *TCPServer) LoseReserve() {
	done := make(chan struct{})
	_ = s.listener.loop.Post(func() {
		_ = unix.Close(s.listener.reserve)
		s.listener.reserve = -1
		close(done)
	})
	<-done
}

// HomeWait is the time until a client tries its first address again, before it
// is varied.
func (c *TCPClient) HomeWait() time.Duration { return c.move.homeWait }

// AlwaysReady returns what makes the loop find something in each turn, and what
// ends that; both are for the loop's goroutine, as is AlwaysReady. start makes
// no system call that Go's scheduler is told of.
func (l *Loop) AlwaysReady() (start func() error, stop func(), err error) {
	r := &alwaysReady{loop: l}
	if r.fd, err = unix.Eventfd(1, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		return nil, nil, err
	}
	return func() error { return l.modify(r.fd, unix.EPOLLIN) }, r.abandon, l.add(r.fd, 0, r)
}

type alwaysReady struct {
	loop  *Loop
	fd    int
	ended bool
}

func (*alwaysReady) handleIO(uint32) {}

func (r *alwaysReady) abandon() {
	if !r.ended {
		r.ended = true
		r.loop.remove(r.fd)
		r.loop.dead = append(r.loop.dead, r)
	}
}

func (r *alwaysReady) reap() { _ = unix.Close(r.fd) }

// WithoutChecksums has the kernel refuse trains, as it does for devices that
// cannot cut them.
func WithoutChecksums(s *UDPServer) error {
	return unix.SetsockoptInt(s.socket.fd, unix.SOL_SOCKET, unix.SO_NO_CHECK, 1)
}
