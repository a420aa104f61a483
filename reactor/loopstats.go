//go:build linux

package reactor

import (
	"sync/atomic"
	"time"
)

// LoopStats is how a loop keeps up.
type LoopStats struct {
	// Turns are how long turns took, without the wait for something to do:
	// whatever became ready meanwhile waited as long.
	Turns Durations `json:"turns"`
	// Late is how much later than asked for timers ran, one count for each
	// time that some were due. It tells of a machine without time for the
	// loop as well as of turns that took long.
	Late Durations `json:"late"`
	// Busy is how long the turn under way has taken so far, seconds; 0 while
	// the loop waits for something to do.
	Busy     float64 `json:"busy_seconds"`
	Tasks    int     `json:"tasks"`     // posted and not begun, now
	MaxTasks int     `json:"max_tasks"` // beyond which Post returns ErrFull
}

// NamedLoopStats is LoopStats of one of several loops.
type NamedLoopStats struct {
	Name string `json:"name"`
	LoopStats
}

// loopCounters is LoopStats as the loop writes it. It costs a turn two looks at
// the clock, which are no system calls, and three additions.
type loopCounters struct {
	began atomic.Int64 // when the turn under way began, on the loop's clock; 0 between turns
	turns durationCounters
	late  durationCounters
}

// beginTurn notes that the loop has something to do.
func (l *Loop) beginTurn() { l.counters.began.Store(int64(max(l.now(), 1))) }

func (l *Loop) endTurn() {
	began := time.Duration(l.counters.began.Load())
	l.counters.began.Store(0)
	l.counters.turns.add(l.now() - began)
}

// Stats returns how the loop keeps up. Any goroutine may call it.
func (l *Loop) Stats() LoopStats {
	s := LoopStats{
		Turns: l.counters.turns.snapshot(), Late: l.counters.late.snapshot(),
		Busy: l.Busy().Seconds(), MaxTasks: maxTasks,
	}
	l.mu.Lock()
	s.Tasks = len(l.tasks)
	l.mu.Unlock()
	return s
}

// Busy is how long the turn under way has taken so far, 0 while the loop waits
// for something to do. Any goroutine may call it.
func (l *Loop) Busy() time.Duration {
	began := l.counters.began.Load()
	if began == 0 {
		return 0
	}
	return l.now() - time.Duration(began)
}
