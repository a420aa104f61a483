package reactor

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lars-lb/lars/internal/wire"
)

const (
	frameSize = 64
	// silence is how long all connections may be without an answer.
	silence = 5 * time.Second
	// waitLimit is how often it is looked at whether to stop, at least.
	waitLimit = 50 * time.Millisecond
	maxEvents = 256
)

// load keeps frames under way on connections to a server: each answer is
// followed by another frame. It is made of epoll and nothing else, so that it
// costs little and the same whoever answers.
type load struct {
	server *server
	window int
	epoll  int
	conns  []conn // a connection's epoll events carry its index
	// pattern is what is sent, and to be answered, on each connection: the same
	// frame again and again. A slice of it that starts within the first frame
	// is the stream from anywhere on.
	pattern  []byte
	input    []byte
	stopping bool // answers are followed by nothing
	underWay int
	answers  uint64
	latency  *histogram
}

// conn is one connection.
type conn struct {
	fd       int
	partial  int             // bytes read of the frame that comes in
	sent     []time.Duration // when each frame under way was sent, round and round
	earliest int             // in sent
}

// openLoad connects to the server.
func openLoad(server *server, s scenario) (*load, error) {
	body := make([]byte, frameSize-wire.HeadSize)
	for i := range body {
		body[i] = byte(i + 1)
	}
	frame := wire.AppendFrame(nil, msgEcho, body)
	l := &load{
		server: server, window: s.window, epoll: -1,
		pattern: bytes.Repeat(frame, s.window+1), input: make([]byte, frameSize*s.window),
	}
	var err error
	if l.epoll, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
		return nil, fmt.Errorf("epoll_create1: %w", err)
	}
	for range s.conns {
		if err := l.connect(); err != nil {
			l.close()
			return nil, err
		}
	}
	return l, nil
}

func (l *load) connect() error {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return fmt.Errorf("socket: %w", err)
	}
	l.conns = append(l.conns, conn{fd: fd, sent: make([]time.Duration, l.window)})
	to := &unix.SockaddrInet4{Addr: l.server.addr.Addr().As4(), Port: int(l.server.addr.Port())}
	ev := unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(len(l.conns) - 1)}
	return errors.Join(
		unix.Connect(fd, to), // blocking still, so it is done
		unix.SetNonblock(fd, true),
		unix.SetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1),
		// Closed by a reset, a connection leaves no TIME_WAIT behind.
		unix.SetsockoptLinger(fd, unix.SOL_SOCKET, unix.SO_LINGER, &unix.Linger{Onoff: 1}),
		unix.EpollCtl(l.epoll, unix.EPOLL_CTL_ADD, fd, &ev),
	)
}

func (l *load) close() {
	for _, c := range l.conns {
		_ = unix.Close(c.fd)
	}
	_ = unix.Close(l.epoll)
}

// measure asks for length, after a tenth of that to warm up, and leaves nothing
// under way.
func (l *load) measure(ctx context.Context, length time.Duration, place cores) (s sample, err error) {
	err = place.onClients(func() error {
		s, err = l.ask(ctx, length)
		return err
	})
	return s, err
}

func (l *load) ask(ctx context.Context, length time.Duration) (sample, error) {
	start := time.Now()
	l.latency, l.answers, l.stopping = new(histogram), 0, false
	for i := range l.conns {
		l.conns[i].earliest = 0
		if err := l.send(&l.conns[i], l.window, time.Since(start)); err != nil {
			return sample{}, err
		}
	}
	warm := length / 10
	if err := l.runUntil(ctx, start, func(now time.Duration) bool { return now >= warm }); err != nil {
		return sample{}, err
	}
	*l.latency, l.answers = histogram{}, 0
	began := time.Since(start)
	before, err := l.server.cpu()
	if err != nil {
		return sample{}, err
	}
	if err := l.runUntil(ctx, start, func(now time.Duration) bool { return now-began >= length }); err != nil {
		return sample{}, err
	}
	after, err := l.server.cpu()
	if err != nil {
		return sample{}, err
	}
	took, n, latency := time.Since(start)-began, float64(l.answers), l.latency
	l.stopping, l.latency = true, new(histogram)
	if err := l.runUntil(ctx, start, func(time.Duration) bool { return l.underWay == 0 }); err != nil {
		return sample{}, err
	}
	if n == 0 {
		return sample{}, fmt.Errorf("the echo server %s did not answer within a round", l.server.kind)
	}
	return sample{rate: n / took.Seconds(), cpu: float64((after - before).Nanoseconds()) / 1e3 / n, latency: latency}, nil
}

// runUntil answers answers until done, which is told the time since start.
func (l *load) runUntil(ctx context.Context, start time.Time, done func(now time.Duration) bool) error {
	var events [maxEvents]unix.EpollEvent
	last := time.Since(start)
	for now := last; !done(now); now = time.Since(start) {
		n, err := unix.EpollWait(l.epoll, events[:], int(waitLimit/time.Millisecond))
		if err != nil && err != unix.EINTR {
			return fmt.Errorf("epoll_wait: %w", err)
		}
		for i := range max(n, 0) {
			if err := l.receive(&l.conns[events[i].Fd], start); err != nil {
				return err
			}
		}
		switch {
		case n > 0:
			last = now
		case ctx.Err() != nil:
			return ctx.Err()
		case now-last > silence:
			return fmt.Errorf("the echo server %s has fallen silent", l.server.kind)
		}
	}
	return ctx.Err()
}

// receive takes what has come on a connection and sends as many frames.
func (l *load) receive(c *conn, start time.Time) error {
	n, err := unix.Read(c.fd, l.input)
	if err == unix.EAGAIN || err == unix.EINTR {
		return nil
	}
	if err != nil {
		return fmt.Errorf("read: %w", err)
	}
	if n == 0 || !bytes.Equal(l.input[:n], l.pattern[c.partial:c.partial+n]) {
		return fmt.Errorf("the echo server %s answered %q", l.server.kind, l.input[:n])
	}
	now := time.Since(start)
	frames := (c.partial + n) / frameSize
	c.partial = (c.partial + n) % frameSize
	for i := range frames {
		l.latency.add(now - c.sent[(c.earliest+i)%l.window])
	}
	l.answers += uint64(frames)
	l.underWay -= frames
	if l.stopping {
		c.earliest = (c.earliest + frames) % l.window
		return nil
	}
	return l.send(c, frames, now)
}

// send sends frames in the place of the earliest ones.
func (l *load) send(c *conn, frames int, now time.Duration) error {
	if frames == 0 {
		return nil
	}
	for range frames {
		c.sent[c.earliest] = now
		c.earliest = (c.earliest + 1) % l.window
	}
	l.underWay += frames
	// The window is far below what the kernel's buffer takes.
	n, err := unix.Write(c.fd, l.pattern[:frames*frameSize])
	if err != nil {
		return fmt.Errorf("write: %w", err)
	}
	if n < frames*frameSize {
		return fmt.Errorf("write: the kernel took %d of %d bytes", n, frames*frameSize)
	}
	return nil
}
