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
