package agent

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lars-lb/lars/internal/route"
)

// silence is when a client without answers takes all that it asked for lost.
const silence = 200 * time.Millisecond

// load is how a target is asked: with so many requests under way on each
// socket, an answer being followed by another request.
type load struct {
	sockets int // each asks another of the target's ports
	window  int
	modules []route.Module
	reports bool         // of each answer
	times   bool         // to be kept
	on      *unix.CPUSet // where whoever asks stays; nil for anywhere
}

// sample is the result of a round, or of one turn in it.
type sample struct {
	took    time.Duration
	used    time.Duration // processor time of the target
	answers uint64
	lost    uint64    // requests that were not answered
	times   []float64 // from request to answer, µs
}

// rate is how many answers there were a second.
func (s *sample) rate() float64 { return float64(s.answers) / s.took.Seconds() }

// cpu is what each answer cost the target, µs.
func (s *sample) cpu() float64 { return float64(s.used.Nanoseconds()) / 1e3 / float64(s.answers) }

// measure asks the target for length, after a tenth of that to warm up.
func measure(ctx context.Context, t *target, l load, length time.Duration) (s sample, err error) {
	clients, err := l.dial(t)
	if err != nil {
		return s, err
	}
	defer func() {
		for _, c := range clients {
			c.close()
		}
	}()
	// A thread of its own, as the target's are: Go's scheduler stays out of it.
	leave, err := stayOn(l.on)
	if err != nil {
		return s, err
	}
	defer leave()
	for _, c := range clients {
		c.refill(l.window)
	}
	if err := keepAsking(ctx, clients, l.window, length/10); err != nil {
		return s, err
	}
	if l.times {
		for _, c := range clients {
			c.times = make([]float64, 0, timesMax)
		}
	}
	before, err := cpuOf(t.pid)
	if err != nil {
		return s, err
	}
	first, start := answersOf(clients), time.Now()
	if err := keepAsking(ctx, clients, l.window, length); err != nil {
		return s, err
	}
	took, n := time.Since(start), answersOf(clients)-first
	after, err := cpuOf(t.pid)
	if err != nil {
		return s, err
	}
	if n == 0 {
		return s, fmt.Errorf("%s does not answer", t.name)
	}
	s = sample{took: took, used: after - before, answers: n}
	for _, c := range clients {
		c.drain()
		s.lost += c.sent - c.answers
		s.times = append(s.times, c.times...)
	}
	return s, nil
}

// timesMax is the most times that are kept of a client in a round.
const timesMax = 1 << 20

func (l *load) dial(t *target) (clients []*client, err error) {
	start := time.Now()
	for i := range l.sockets {
		c, err := dial(t.addrs[i], l.modules, l.reports)
		if err != nil {
			return clients, err
		}
		c.start = start
		clients = append(clients, c)
		if err := c.patience(silence); err != nil {
			return clients, err
		}
	}
	return clients, nil
}

func answersOf(clients []*client) (n uint64) {
	for _, c := range clients {
		n += c.answers
	}
	return n
}

// refill sends n requests.
func (c *client) refill(n int) {
	c.look()
	for range n {
		c.ask()
	}
	c.flush()
}

// drain waits for what is still to be answered.
func (c *client) drain() {
	for c.answers < c.sent && c.receive(unix.MSG_WAITFORONE) > 0 {
		c.flush() // the reports
	}
}

// keepAsking follows each answer by a request for a while.
func keepAsking(ctx context.Context, clients []*client, window int, length time.Duration) error {
	now := time.Since(clients[0].start)
	end := now + length
	var fds []unix.PollFd
	flags := unix.MSG_WAITFORONE // a single client waits in its receive
	if len(clients) > 1 {
		flags = unix.MSG_DONTWAIT
		for _, c := range clients {
			fds = append(fds, unix.PollFd{Fd: int32(c.fd), Events: unix.POLLIN})
		}
	}
	for now < end {
		if err := ctx.Err(); err != nil {
			return err
		}
		if fds != nil {
			_, _ = unix.Poll(fds, int(silence.Milliseconds())) // fails with EINTR only; the clocks tell
		}
		heard := false
		for i, c := range clients {
			if fds != nil && fds[i].Revents == 0 {
				continue
			}
			if n := c.receive(flags); n > 0 {
				heard = true
				now = c.now
				for range n {
					c.ask()
				}
			}
			c.flush()
		}
		if !heard {
			now = time.Since(clients[0].start)
		}
		for _, c := range clients {
			if now-c.now >= silence {
				c.refill(window)
			}
		}
	}
	return nil
}
