package lbagent

import (
	"errors"
	"log/slog"
	"net/netip"
	"sync/atomic"
	"time"

	"github.com/lars-lb/lars/reactor"
)

const (
	// repeatLog is the time between two log lines about the same lasting fault.
	repeatLog = 30 * time.Second
	// quietStart is how long a link may take to come up before anybody is
	// told: daemons that start together find one another within it.
	quietStart = time.Second
	// maxChanges bounds the lines about changes in each repeatLog: a peer that
	// takes connections only to close them is not told of for ever.
	maxChanges = 6
)

// linkLog tells the operator about the connection to another daemon: when it
// comes up and is lost, and, while it cannot be made, a reminder now and then.
// It belongs to the connection's loop.
type linkLog struct {
	log        *slog.Logger
	clock      func() time.Duration
	what, addr string

	downAt   time.Duration // when the link was lost last; 0 is the start
	failedAt time.Duration // when a failure was told of last
	failed   bool          // one was, since the link was lost

	away atomic.Int64 // nanoseconds on the clock since when the link is down; isUp if it is up; any goroutine may ask

	peer atomic.Pointer[netip.AddrPort] // nil while the link is down; any goroutine may ask

	changes   int           // since changesAt
	changesAt time.Duration // when a repeatLog began
}

// isUp is the away of a link that is up.
const isUp = -1

// downFor is how long the link has been down, and whether it is. Any goroutine
// may call it.
func (l *linkLog) downFor() (d time.Duration, down bool) {
	since := l.away.Load()
	if since == isUp {
		return 0, false
	}
	return max(0, l.clock()-time.Duration(since)), true
}

// to is whom the link leads to, "" while it is down. Any goroutine may call it.
func (l *linkLog) to() string {
	if peer := l.peer.Load(); peer != nil {
		return peer.String()
	}
	return ""
}

func (l *linkLog) up(peer netip.AddrPort) {
	l.away.Store(isUp)
	l.peer.Store(&peer)
	l.failed = false
	if l.changed() {
		l.log.Info("connected", "to", l.what, "peer", peer)
	}
}

func (l *linkLog) down(reason error) {
	if errors.Is(reason, reactor.ErrClosed) || errors.Is(reason, reactor.ErrMoved) || errors.Is(reason, errSilent) {
		return // the agent stops, or has another connection already
	}
	l.peer.Store(nil)
	l.downAt = l.clock()
	l.away.Store(int64(l.downAt))
	if l.changed() {
		l.log.Warn("connection lost, reconnecting", "to", l.what, "addr", l.addr, "err", reason)
	}
}

// silent is for a link that is up and leads to nobody who answers.
func (l *linkLog) silent() {
	if l.changed() {
		l.log.Warn("no answer, looking for another connection", "to", l.what, "peer", l.to())
	}
}

// changed reports whether a change of the link is to be told of.
func (l *linkLog) changed() bool {
	if now := l.clock(); now-l.changesAt >= repeatLog {
		l.changes, l.changesAt = 0, now
	}
	l.changes++
	if l.changes == maxChanges {
		l.log.Warn("connection comes and goes; further changes are not logged for a while", "to", l.what, "addr", l.addr)
	}
	return l.changes < maxChanges
}

func (l *linkLog) cannotConnect(err error) {
	now := l.clock()
	if now-l.downAt < quietStart || l.failed && now-l.failedAt < repeatLog {
		return
	}
	l.failed, l.failedAt = true, now
	l.log.Warn("cannot connect, trying on", "to", l.what, "addr", l.addr, "err", err)
}
