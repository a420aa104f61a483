package lbagent

import (
	"errors"
	"log/slog"
	"net/netip"
	"time"

	"github.com/lars-lb/lars/reactor"
)

// repeatLog is the time between two log lines about the same lasting fault.
const repeatLog = 30 * time.Second

// linkLog tells the operator about the connection to another daemon: each
// change, and while it is down a reminder now and then. It belongs to the
// connection's loop.
type linkLog struct {
	log        *slog.Logger
	what, addr string
	said       time.Time // when a failure was logged last; zero while the link is up
}

func (l *linkLog) up(peer netip.AddrPort) {
	l.said = time.Time{}
	l.log.Info("connected", "to", l.what, "peer", peer)
}

func (l *linkLog) down(reason error) {
	if errors.Is(reason, reactor.ErrClosed) {
		return // the agent stops
	}
	l.said = time.Now()
	l.log.Warn("connection lost, reconnecting", "to", l.what, "addr", l.addr, "err", reason)
}

func (l *linkLog) failed(err error) {
	if l.said.IsZero() || time.Since(l.said) >= repeatLog {
		l.said = time.Now()
		l.log.Warn("cannot connect, trying on", "to", l.what, "addr", l.addr, "err", err)
	}
}
