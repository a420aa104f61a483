//go:build linux

package reactor

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// TCPServerConfig configures a TCPServer. Zero fields take their defaults.
type TCPServerConfig struct {
	// Addr to listen on; port 0 takes a free one.
	Addr netip.AddrPort
	// MaxConn is the most connections served at a time; default 1,024. A
	// connection beyond it is closed as soon as it is accepted.
	MaxConn int
	// Workers is the number of loops that connections are spread over, in
	// turn; default 1.
	Workers int
	Conn    ConnConfig
	Hooks   ConnHooks
}

// TCPServer accepts connections on one loop and serves them on others. Its
// methods may be called on any goroutine.
type TCPServer struct {
	listener *listener
	workers  []*Loop
	stats    tcpCounters
	close    sync.Once
}

// ListenTCP binds the address and starts to listen: connections are queued by
// the kernel until Serve accepts them. The caller must call Serve or Close.
func ListenTCP(cfg TCPServerConfig, r *Router[*TCPConn]) (*TCPServer, error) {
	if cfg.MaxConn == 0 {
		cfg.MaxConn = 1024
	}
	if cfg.Workers == 0 {
		cfg.Workers = 1
	}
	if cfg.MaxConn < 1 || cfg.Workers < 1 {
		return nil, fmt.Errorf("reactor: MaxConn is %d and Workers %d, at least 1 of each is needed", cfg.MaxConn, cfg.Workers)
	}
	s := &TCPServer{}
	for range cfg.Workers {
		l, err := NewLoop()
		if err != nil {
			s.Close()
			return nil, err
		}
		s.workers = append(s.workers, l)
	}
	kind := &connKind{config: cfg.Conn.withDefaults(), hooks: cfg.Hooks, router: r, stats: &s.stats}
	var err error
	if s.listener, err = listen(cfg.Addr, cfg.MaxConn, kind, s.workers); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// Serve runs the server until ctx is done or Close, then closes every
// connection, calling OnClose, and returns nil. It returns an error only if a
// loop failed. It may be called once.
func (s *TCPServer) Serve(ctx context.Context) error {
	defer context.AfterFunc(ctx, s.Close)()
	loops := append([]*Loop{s.listener.loop}, s.workers...)
	errs := make([]error, len(loops))
	var running sync.WaitGroup
	for i, l := range loops {
		running.Go(func() {
			defer s.Close() // one loop down, all down
			if err := l.Run(); !errors.Is(err, ErrClosed) {
				errs[i] = err
			}
		})
	}
	running.Wait()
	return errors.Join(errs...)
}

// Close ends Serve; it does not wait for it. It may be called more than once.
func (s *TCPServer) Close() {
	s.close.Do(func() {
		// The listener goes first, so that it hands nothing to a closed worker.
		if s.listener != nil {
			s.listener.loop.Close()
		}
		for _, l := range s.workers {
			l.Close()
		}
	})
}

// Addr is the address that the server listens on.
func (s *TCPServer) Addr() netip.AddrPort { return s.listener.addr }

// Loops are the worker loops. The slice must not be changed.
func (s *TCPServer) Loops() []*Loop { return s.workers }

// PostAll posts one task to each worker loop. Where it returns an error, some
// loops may have it and others not.
func (s *TCPServer) PostAll(task func(*Loop)) error {
	var errs []error
	for _, l := range s.workers {
		errs = append(errs, l.Post(func() { task(l) }))
	}
	return errors.Join(errs...)
}

// Stats returns the counters so far.
func (s *TCPServer) Stats() TCPStats {
	stats := s.stats.snapshot()
	stats.MaxOpen = s.listener.maxConn
	return stats
}

// EachLoop calls f with the accepting loop, named accept, and the worker loops,
// named worker0 and so on.
func (s *TCPServer) EachLoop(f func(name string, l *Loop)) {
	f("accept", s.listener.loop)
	for i, l := range s.workers {
		f("worker"+strconv.Itoa(i), l)
	}
}

const (
	// acceptBatch bounds the connections accepted before other events of the
	// turn.
	acceptBatch = 64
	// acceptPause is how long a listener rests when accepting fails.
	acceptPause = 50 * time.Millisecond
)

// listener accepts connections on its own loop and hands them to the workers.
type listener struct {
	loop    *Loop
	fd      int
	reserve int // a descriptor kept to accept, and close, one more when there are none
	addr    netip.AddrPort
	kind    *connKind
	maxConn int64
	held    atomic.Int64 // connections accepted and not yet released
	workers []*Loop
	next    int
}

func listen(addr netip.AddrPort, maxConn int, kind *connKind, workers []*Loop) (*listener, error) {
	// SO_REUSEADDR lets a restarted server bind while connections of its
	// predecessor are still in TIME_WAIT.
	fd, bound, err := bindSocket(addr, unix.SOCK_STREAM, sockopt{unix.SOL_SOCKET, unix.SO_REUSEADDR, 1})
	if err != nil {
		return nil, err
	}
	ln := &listener{fd: fd, reserve: -1, addr: bound, kind: kind, maxConn: int64(maxConn), workers: workers}
	kind.released = func() { ln.held.Add(-1) }
	if ln.reserve, err = openReserve(); err != nil {
		ln.closeDescriptors()
		return nil, err
	}
	// All that may be served may queue before Serve, as far as the kernel's
	// net.core.somaxconn lets them.
	if err := unix.Listen(fd, max(unix.SOMAXCONN, maxConn)); err != nil {
		ln.closeDescriptors()
		return nil, fmt.Errorf("reactor: listen on %v: %w", addr, err)
	}
	if ln.loop, err = NewLoop(); err != nil {
		ln.closeDescriptors()
		return nil, err
	}
	if err := ln.loop.add(fd, unix.EPOLLIN, ln); err != nil {
		ln.closeDescriptors()
		ln.loop.Close()
		return nil, err
	}
	return ln, nil
}

func openReserve() (int, error) {
	fd, err := unix.Open("/dev/null", unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return -1, fmt.Errorf("reactor: open /dev/null: %w", err)
	}
	return fd, nil
}

func (ln *listener) handleIO(uint32) {
	for range acceptBatch {
		fd, sa, err := unix.Accept4(ln.fd, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
		switch err {
		case nil:
			ln.assign(fd, addrPort(sa))
		case unix.EAGAIN:
			return
		case unix.EMFILE, unix.ENFILE:
			switch err := ln.refuseOne(); {
			case err == unix.EAGAIN:
				return
			case ln.reserve < 0:
				ln.pause()
				return
			}
		case unix.EINTR, unix.ECONNABORTED:
		default: // the kernel is short of memory, or the like
			ln.kind.stats.rejectedError.Add(1)
			ln.pause()
			return
		}
	}
}

// refuseOne takes one connection off the queue and closes it. Without
// descriptors it could not be accepted, the listener would stay readable, and
// the loop would spin; so the reserved descriptor is given up for a moment. It
// returns EAGAIN when the queue was empty: without descriptors the kernel
// complains even then.
func (ln *listener) refuseOne() error {
	if ln.reserve >= 0 {
		_ = unix.Close(ln.reserve)
		ln.reserve = -1
	}
	fd, _, err := unix.Accept4(ln.fd, unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC)
	if err == nil {
		ln.kind.stats.rejectedNoFD.Add(1)
		_ = unix.Close(fd)
	}
	// Another thread may have taken the number meanwhile: then this fails, and
	// the listener pauses.
	ln.reserve, _ = openReserve()
	return err
}

// pause stops accepting for a moment, since epoll would report the listener as
// ready again and again while nothing can be done about it.
func (ln *listener) pause() {
	ln.kind.stats.acceptPauses.Add(1)
	if ln.loop.modify(ln.fd, 0) != nil {
		return
	}
	ln.loop.AfterFunc(acceptPause, func() {
		if ln.reserve < 0 {
			ln.reserve, _ = openReserve()
		}
		_ = ln.loop.modify(ln.fd, unix.EPOLLIN)
	})
}

// assign gives a connection to the next worker.
func (ln *listener) assign(fd int, remote netip.AddrPort) {
	if ln.held.Add(1) > ln.maxConn {
		ln.kind.stats.rejectedMaxConn.Add(1)
		ln.reject(fd)
		return
	}
	l := ln.workers[ln.next]
	ln.next = (ln.next + 1) % len(ln.workers)
	err := l.Post(func() {
		if _, err := openConn(l, ln.kind, fd, remote); err != nil {
			ln.kind.stats.rejectedError.Add(1)
			ln.held.Add(-1)
		}
	})
	if err != nil {
		ln.kind.stats.rejectedError.Add(1)
		ln.reject(fd)
	}
}

func (ln *listener) reject(fd int) {
	ln.held.Add(-1)
	_ = unix.Close(fd)
}

func (ln *listener) abandon() {
	ln.loop.remove(ln.fd)
	ln.closeDescriptors()
}

func (ln *listener) closeDescriptors() {
	_ = unix.Close(ln.fd)
	if ln.reserve >= 0 {
		_ = unix.Close(ln.reserve)
	}
}
