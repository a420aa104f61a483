package store

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"sync"
	"time"
)

// server is one server of a cluster, and how it was seen to work. Its methods
// may be called from any goroutine.
type server struct {
	place     int // in the order of preference
	addr      string
	connector driver.Connector

	mu      sync.Mutex
	bad     bool
	since   time.Time // when bad was last set or cleared
	why     error     // while it is bad
	works   time.Time // since when probes find it working while it is bad; zero for not
	steady  time.Duration
	probing bool
	probeAt time.Time // no probe before
	conns   map[*serverConn]struct{}
}

// standing returns whether the server is passed over, and since when or since
// when not. One that never failed has been good for ever.
func (s *server) standing() (bad bool, since time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.bad, s.since
}

// failed has the server passed over.
func (s *server) failed(why error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.why, s.works = why, time.Time{}
	if s.bad {
		return
	}
	now := time.Now()
	if now.Sub(s.since) < relapse {
		s.steady = min(2*s.steady, maxSteady)
	} else {
		s.steady = steadyFor
	}
	s.bad, s.since = true, now
}

// inUse ends that: it works, and no other did.
func (s *server) inUse() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.bad {
		s.bad, s.since, s.why = false, time.Now(), nil
	}
}

// try connects within a fair share of the time that ctx leaves for so many
// servers.
func (s *server) try(ctx context.Context, servers int) (*serverConn, error) {
	share := connectTimeout
	if deadline, ok := ctx.Deadline(); ok {
		share = min(share, time.Until(deadline)/time.Duration(servers))
	}
	short, cancel := context.WithTimeout(ctx, share)
	defer cancel()
	conn, err := s.connect(short)
	// Neither a caller who went away nor one in a hurry is the server's fault.
	if err != nil && !errors.Is(ctx.Err(), context.Canceled) && (share >= fairTry || short.Err() == nil) {
		s.failed(err)
	}
	return conn, err
}

// socket is where dialNoting leaves the connection that it made.
type socket struct{ net.Conn }

type socketKey struct{}

func dialNoting(ctx context.Context, network, addr string) (net.Conn, error) {
	conn, err := new(net.Dialer).DialContext(ctx, network, addr)
	if s, ok := ctx.Value(socketKey{}).(*socket); ok {
		s.Conn = conn
	}
	return conn, err
}

// connect returns a connection to the server, which said that it can be used.
// If it had rather not be, unfit of the connection says why.
func (s *server) connect(ctx context.Context) (*serverConn, error) {
	var sock socket
	conn, err := s.connector.Connect(context.WithValue(ctx, socketKey{}, &sock))
	if err != nil {
		return nil, err
	}
	c := &serverConn{driverConn: conn.(driverConn), server: s, socket: sock.Conn}
	c.unfit, err = fitness(ctx, c.driverConn)
	if err == nil {
		// Locks on gaps between rows are held against what other servers have
		// committed already, which then breaks off transactions that change
		// something else. Nothing here needs them: writers of routes follow
		// one another by the row that they lock first.
		_, err = c.driverConn.ExecContext(ctx, "SET SESSION TRANSACTION ISOLATION LEVEL READ COMMITTED", nil)
	}
	if err != nil {
		return nil, errors.Join(err, conn.Close())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.conns[c] = struct{}{}
	return c, nil
}

func (s *server) forget(c *serverConn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.conns, c)
}

// wantsProbe reports whether to probe the server now, which is to be done then.
func (s *server) wantsProbe(now time.Time) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.probing || now.Before(s.probeAt) {
		return false
	}
	wanted := s.bad
	for c := range s.conns {
		wanted = wanted || c.waitsSince(now.Add(-silentAfter))
	}
	s.probing = wanted
	return wanted
}

// probe asks the server on a connection of its own whether it works.
func (s *server) probe(ctx context.Context) {
	short, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	conn, err := s.connect(short)
	if err == nil {
		err = conn.unfit
		_ = conn.Close()
	}
	if ctx.Err() != nil {
		return
	}
	if err != nil {
		s.failed(fmt.Errorf("it does not answer, or not as it should: %w", err))
		s.abandon()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := time.Now()
	s.probing = false
	s.probeAt = now.Add(connectTimeout/2 + rand.N(connectTimeout/2))
	switch {
	case err != nil || !s.bad:
	case s.works.IsZero():
		s.works = now
	case now.Sub(s.works) >= s.steady:
		s.bad, s.since, s.why = false, now, nil
	}
}

// abandon fails every statement that has waited for too long.
func (s *server) abandon() {
	s.mu.Lock()
	defer s.mu.Unlock()
	before := time.Now().Add(-silentAfter)
	for c := range s.conns {
		if c.waitsSince(before) {
			_ = c.socket.Close() // whoever waits learns of it
		}
	}
}
