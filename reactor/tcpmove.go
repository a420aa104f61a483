//go:build linux

package reactor

import (
	"math/rand/v2"
	"net/netip"
	"time"
)

// maxHomeWait bounds how often HomeAfter doubles, as a factor.
const maxHomeWait = 16

// move is what a client knows of the connection that it may move to.
type move struct {
	second *second // the one that is tried; nil for none
	to     *second // the one that takes the place of the connection when that is closed
	timer  *Timer  // until one is tried
	failed int     // how many were in this round
	reason error   // Seek's; nil when the client only goes home

	wentHome bool          // the connection in use was moved to
	homeWait time.Duration // see TCPClientConfig.HomeAfter
}

// second is a connection beside the one in use.
type second struct {
	at      int      // the address
	dialing *dialing // until it is connected
	conn    *TCPConn // from then on
	silent  *Timer   // runs until ProbeTimeout
	ready   bool     // it waits for the output of the connection in use
}

// Seek has the client move: because the server that it is connected to is
// silent, say. Nothing is given up for that: the other addresses, and at last
// the same one again, are tried on a second connection, round after round,
// until one answers. The connection in use is closed then, giving OnClose the
// reason. Seek does nothing without a connection, or when it was called
// already.
func (c *TCPClient) Seek(reason error) {
	if c.conn == nil || c.move.to != nil || c.move.reason != nil {
		return
	}
	c.dropSecond()
	c.move.reason = reason
	c.look()
}

// Stay ends what Seek began: the server works after all.
func (c *TCPClient) Stay() {
	if c.move.reason != nil && c.move.to == nil {
		c.dropSecond()
		c.goHomeLater()
	}
}

// goHomeLater has addresses tried in a while that are liked better.
func (c *TCPClient) goHomeLater() {
	if c.at > 0 {
		c.move.timer.Reset(vary(c.move.homeWait))
	}
}

// look tries the next address that the client may move to.
func (c *TCPClient) look() {
	if c.closed || c.conn == nil || c.move.second != nil || c.move.to != nil {
		return
	}
	s := &second{at: c.move.failed} // home: the first ones, as far as the one in use
	if c.move.reason != nil {
		s.at = (c.at + 1 + c.move.failed) % len(c.config.Addrs)
	}
	c.move.second = s
	s.dialing = c.loop.newDialing(c.config.Addrs[s.at], c.config.ConnectTimeout, func(fd int, remote netip.AddrPort, err error) {
		s.dialing = nil
		if err == nil {
			err = c.probe(s, fd, remote)
		}
		if err != nil {
			c.refused(s)
		}
	})
	s.dialing.start()
}

// probe asks the server of a second connection whether it works.
func (c *TCPClient) probe(s *second, fd int, remote netip.AddrPort) (err error) {
	answers := NewRouter[*TCPConn]()
	for id := range c.kind.router.handlers {
		answers.Handle(id, func(*TCPConn, []byte) error { c.answered(s); return nil })
	}
	s.conn, err = openConn(c.loop, &connKind{
		config: c.kind.config,
		hooks:  ConnHooks{OnClose: func(*TCPConn, error) { c.refused(s) }},
		router: answers,
		stats:  new(tcpCounters), // it is not counted unless it is used
	}, fd, remote)
	if err != nil {
		return err
	}
	if c.config.Probe == nil || !c.config.Probe(s.conn) {
		c.answered(s)
		return nil
	}
	s.silent = c.loop.AfterFunc(c.config.ProbeTimeout, func() { s.conn.Close(ErrMoved) })
	return nil
}

// refused goes on with the next address, or has a pause after a round. Nobody
// has to be told: there is a connection.
func (c *TCPClient) refused(s *second) {
	if c.move.second != s {
		return // it is not tried any more
	}
	s.stop()
	c.move.second = nil
	round := c.at
	pause := c.move.homeWait
	if c.move.reason != nil {
		round = len(c.config.Addrs)
		pause = c.config.ProbeTimeout
	}
	if c.move.failed++; c.move.failed < round {
		c.move.timer.Reset(c.soon())
		return
	}
	c.move.failed = 0
	c.move.timer.Reset(vary(pause))
}

// answered lets the client move. What waits to be written goes out first, but
// to a server that is left because it does not work.
func (c *TCPClient) answered(s *second) {
	switch {
	case c.move.second != s:
	case c.move.reason == nil && c.conn.Buffered() > 0 && !c.conn.closed:
		s.stop()
		s.ready = true // see onDrain
	default:
		c.moveTo(s)
	}
}

// moveTo closes the connection in use, which has s adopted.
func (c *TCPClient) moveTo(s *second) {
	s.stop()
	c.move.second, c.move.to = nil, s
	reason := c.move.reason
	if reason == nil {
		reason = ErrMoved
	}
	c.conn.Close(reason)
}

// adopt makes a second connection the one in use. It may be closed already, and
// is then lost like any other.
func (c *TCPClient) adopt(s *second) {
	c.move.wentHome = s.at < c.at
	c.at, c.tried, c.connected = s.at, 0, c.loop.now()
	s.conn.kind = c.kind
	c.stats.opened.Add(1)
	c.stats.open.Add(1)
	c.onOpen(s.conn)
}

// dropSecond ends what was begun to move, but for what is done already but for
// onClose.
func (c *TCPClient) dropSecond() {
	s := c.move.second
	c.move.second, c.move.reason, c.move.failed = nil, nil, 0
	c.move.timer.Stop()
	if s == nil {
		return
	}
	s.stop()
	if s.dialing != nil {
		s.dialing.end(ErrMoved)
	}
	if s.conn != nil {
		s.conn.Close(ErrMoved)
	}
}

// judge learns how long a connection lasted. A server that the client goes home
// to only to lose it again is gone back to less and less often.
func (m *move) judge(lasted, homeAfter time.Duration) {
	switch {
	case lasted > maxHomeWait*homeAfter:
		m.homeWait = homeAfter
	case m.wentHome:
		m.homeWait = min(2*m.homeWait, maxHomeWait*homeAfter)
	}
	m.wentHome = false
}

func (s *second) stop() {
	if s.silent != nil {
		s.silent.Stop()
	}
}

// vary is d, give or take a half: clients that lost a server together do not
// come back to it together.
func vary(d time.Duration) time.Duration {
	return d/2 + time.Duration(rand.Int64N(int64(d)+1))
}
