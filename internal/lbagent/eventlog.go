package lbagent

import (
	"log/slog"
	"math"
	"sync/atomic"
	"time"

	"github.com/lars-lb/lars/internal/balance"
	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/reactor"
)

const (
	// eventQueue bounds the events on their way to the log. The next ones are
	// left out.
	eventQueue = 1024
	// maxLines bounds the log lines of a second; events beyond it are left out.
	// One line says how many that were.
	maxLines = 20
)

// notice is an event of one module.
type notice struct {
	id route.Module
	e  balance.Event
}

// eventLog tells the operator which hosts are ejected and which are back. Its
// methods are called on its loop, but for add and Stats.
type eventLog struct {
	loop  *reactor.Loop
	queue *reactor.Queue[notice]
	clock func() time.Duration
	log   *slog.Logger

	second  time.Duration  // when the current one began
	lines   int            // in it
	untold  uint64         // events that were left out, and not told of yet
	told    *reactor.Timer // when they will be
	waiting bool           // told is armed

	full            atomic.Uint64 // events that found the queue full, not yet in untold
	logged, leftOut atomic.Uint64
}

// EventStats counts what hosts and modules have undergone.
type EventStats struct {
	Logged  uint64 `json:"logged"`
	LeftOut uint64 `json:"left_out"` // of the log, because there were too many at once
}

func newEventLog(loop *reactor.Loop, clock func() time.Duration, log *slog.Logger) *eventLog {
	l := &eventLog{loop: loop, clock: clock, log: log, second: -time.Second}
	l.queue = reactor.NewQueue(loop, eventQueue, l.take)
	return l
}

// add has an event logged. Any goroutine may call it, and it does not block.
func (l *eventLog) add(id route.Module, e balance.Event) {
	if !l.queue.Push(notice{id, e}) {
		l.full.Add(1)
	}
}

func (l *eventLog) take(batch []notice) {
	l.leave(l.full.Swap(0))
	now := l.clock()
	if now-l.second >= time.Second {
		l.second, l.lines = now, 0
	}
	for i, n := range batch {
		if l.lines >= maxLines {
			l.leave(uint64(len(batch) - i))
			break
		}
		l.lines++
		l.write(n)
	}
}

// leave counts events that were left out, and sees to it that this is told.
func (l *eventLog) leave(n uint64) {
	if n == 0 {
		return
	}
	l.untold += n
	l.leftOut.Add(n)
	switch {
	case l.waiting:
	case l.told == nil:
		l.told = l.loop.AfterFunc(time.Second, l.tell)
	default:
		l.told.Reset(time.Second)
	}
	l.waiting = true
}

// tell says how many events were left out, if any were. It is also called once
// the loop has ended.
func (l *eventLog) tell() {
	l.waiting = false
	if l.untold > 0 {
		l.log.Warn("too many hosts change at once: some were left out of this log", "left_out", l.untold)
		l.untold = 0
	}
}

func (l *eventLog) write(n notice) {
	l.logged.Add(1)
	module := l.log.With("modid", n.id.ModID, "cmdid", n.id.CmdID)
	e, r := &n.e, &n.e.Reason
	if e.Host == (route.Host{}) {
		args := []any{"cause", r.Cause.String(), "bad", r.Bad, "calls", r.Calls, "out", e.Out, "hosts", e.Hosts}
		switch r.Cause {
		case balance.SharedCause:
			module.Warn("shared cause: nothing is ejected", args...)
		case balance.Blackout:
			module.Warn("module is in the dark", args...)
		default:
			module.Info("module is back", args...)
		}
		return
	}
	args := []any{
		"host", e.Host.String(), "cause", r.Cause.String(), "bad", r.Bad, "calls", r.Calls,
		"normal", round(r.Normal), "cost", r.Cost, "peer_cost", r.PeerCost, "out", e.Out, "hosts", e.Hosts,
	}
	if e.State == balance.Overload {
		module.Warn("host ejected", args...)
	} else {
		module.Info("host is back", args...)
	}
}

// round keeps four digits of a share behind the point.
func round(share float64) float64 { return math.Round(share*1e4) / 1e4 }

// Stats returns the counters so far. Any goroutine may call it.
func (l *eventLog) Stats() EventStats {
	return EventStats{Logged: l.logged.Load(), LeftOut: l.leftOut.Load() + l.full.Load()}
}
