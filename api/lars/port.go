package lars

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"
)

// port is one of the agent's UDP servers, and the sockets connected to it.
//
// A call takes a socket, has it to itself, and gives it back. As many sockets
// are open as calls were ever under way at once, up to the bound; then a call
// waits for one.
type port struct {
	addr  netip.AddrPort
	agent string // Config.Agent, which errors name
	idle  chan *socket
	slots chan struct{} // one entry for every socket, idle or in use
	done  chan struct{} // closed by close

	start  time.Time // when the client was made
	health health
	memory memory
	routes routes
	kept   kept
	stale  atomic.Uint64          // calls answered from memory
	probe  atomic.Pointer[socket] // that of the last probe, which has no slot

	leaving atomic.Bool // the client is being closed: now or never for what waits

	mu      sync.Mutex
	open    map[*socket]struct{} // nil after close
	retired Stats                // counted by sockets that are closed
}

func newPort(addr netip.AddrPort, agent string, sockets int, start time.Time) *port {
	return &port{
		addr:  addr,
		agent: agent,
		start: start,
		idle:  make(chan *socket, sockets),
		slots: make(chan struct{}, sockets),
		done:  make(chan struct{}),
		open:  make(map[*socket]struct{}),
	}
}

// take returns a socket for one call, to be given back with put. It waits for
// one until ctx or the deadline ends.
func (p *port) take(ctx context.Context, deadline time.Time) (*socket, error) {
	select {
	case <-p.done:
		return nil, ErrClosed
	case s := <-p.idle:
		return s, nil
	default:
	}
	select {
	case p.slots <- struct{}{}:
		return p.newSocket()
	default:
	}
	timer := time.NewTimer(time.Until(deadline))
	defer timer.Stop()
	select {
	case s := <-p.idle:
		return s, nil
	case p.slots <- struct{}{}:
		return p.newSocket()
	case <-p.done:
		return nil, ErrClosed
	case <-ctx.Done():
		return nil, ctx.Err()
	case <-timer.C:
		return nil, context.DeadlineExceeded
	}
}

// newSocket opens a socket for a slot that the caller has filled.
func (p *port) newSocket() (*socket, error) {
	s := newSocket()
	if err := p.dial(s); err != nil {
		<-p.slots
		return nil, err
	}
	return s, nil
}

// put gives back what take returned.
func (p *port) put(s *socket) {
	if !s.spent {
		s.stale = true
		p.idle <- s // never blocks: idle has room for every slot
		return
	}
	p.discard(s)
	<-p.slots
}

// discard closes s.
func (p *port) discard(s *socket) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if _, open := p.open[s]; open {
		s.counts.addTo(&p.retired)
		delete(p.open, s)
	}
	s.conn.Close()
}

// now is the time since the client was made.
func (p *port) now() time.Duration { return time.Since(p.start) }

// dial gives s a connection that no call has used.
func (p *port) dial(s *socket) error {
	conn, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(p.addr))
	if err != nil {
		return &dialError{err}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open == nil {
		conn.Close()
		return ErrClosed
	}
	if s.conn != nil {
		s.conn.Close()
	}
	p.open[s] = struct{}{}
	s.conn, s.stale, s.spent, s.unsure = conn, false, false, false
	return nil
}

// ask is roundTrip, tried once more when the first failed for an earlier call:
// the system tells of a refused datagram when the socket is next used. How it
// ends says whether the agent is there.
func (p *port) ask(ctx context.Context, deadline time.Time, s *socket, frame, buf []byte, accept func([]byte) bool) error {
	start := p.now()
	s.heard = false
	err := s.roundTrip(ctx, deadline, frame, buf, accept)
	if s.stale && failed(err) {
		p.keepRefused(s, err)
		if err := p.dial(s); err != nil {
			return err
		}
		err = s.roundTrip(ctx, deadline, frame, buf, accept)
	}
	if now := p.now(); err == nil || s.heard {
		p.health.answered(now)
	} else {
		p.health.failed(err, start, now)
	}
	return err
}

// tell sends a report, with the same second try.
func (p *port) tell(deadline time.Time, s *socket, r report) error {
	err := p.sendReport(s, deadline, r)
	if s.stale && failed(err) {
		if err := p.dial(s); err != nil {
			return err
		}
		err = p.sendReport(s, deadline, r)
	}
	return err
}

// close closes every socket, which ends the calls that wait at one.
func (p *port) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.open == nil {
		return
	}
	close(p.done)
	for s := range p.open {
		s.counts.addTo(&p.retired)
		s.conn.Close()
	}
	p.open = nil
}

// failed reports whether err is the socket's, rather than the caller's
// impatience, a close, or this process's lack of a socket.
func failed(err error) bool {
	return err != nil && !errors.As(err, new(*dialError)) && !errors.Is(err, context.Canceled) &&
		!errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, net.ErrClosed)
}
