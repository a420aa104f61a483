//go:build linux

package reactor

import (
	"container/heap"
	"time"

	"golang.org/x/sys/unix"
)

// Timer calls a function on its loop at a time to come. Its methods may be
// called on the loop's goroutine only.
type Timer struct {
	loop  *Loop
	f     func()
	due   time.Duration // on the loop's clock
	index int           // in the heap; -1 when not armed
}

// AfterFunc calls f on the loop once d has passed. It may be called on the
// loop's goroutine only, or before Run.
func (l *Loop) AfterFunc(d time.Duration, f func()) *Timer {
	t := l.newTimer(f)
	t.Reset(d)
	return t
}

// newTimer returns a timer that is not armed.
func (l *Loop) newTimer(f func()) *Timer { return &Timer{loop: l, f: f, index: -1} }

// Reset arms the timer, anew if it was armed, to call its function once d has
// passed. It does not allocate.
func (t *Timer) Reset(d time.Duration) {
	t.due = t.loop.now() + max(d, 0)
	if t.index >= 0 {
		heap.Fix(&t.loop.timers, t.index)
	} else {
		heap.Push(&t.loop.timers, t)
	}
	t.loop.setAlarm()
}

// Stop disarms the timer. A stopped timer may be Reset.
func (t *Timer) Stop() {
	if t.index >= 0 {
		heap.Remove(&t.loop.timers, t.index)
	}
}

// setAlarm makes the timerfd fire when the earliest timer is due. An alarm
// that is set too early already (its timer was stopped) is left alone: firing
// for nothing is cheaper than a system call for each Stop.
func (l *Loop) setAlarm() {
	if len(l.timers.armed) == 0 {
		return
	}
	due := l.timers.armed[0].due
	if l.timers.alarm != 0 && l.timers.alarm <= due {
		return
	}
	l.timers.alarm = due
	wait := max(due-l.now(), 1) // zero would disarm it
	spec := unix.ItimerSpec{Value: unix.NsecToTimespec(int64(wait))}
	if err := unix.TimerfdSettime(l.alarm, 0, &spec, nil); err != nil {
		panic("reactor: timerfd_settime: " + err.Error()) // only for arguments that are ours
	}
}

// runTimers calls what is due. Timers that these calls arm wait for the next
// turn, even if they are due at once.
func (l *Loop) runTimers() {
	_, _ = readNow(l.alarm, l.expirations[:])
	l.timers.alarm = 0
	now := l.now()
	// An alarm may be for a timer that was stopped; then none is late.
	if len(l.timers.armed) > 0 && l.timers.armed[0].due <= now {
		l.counters.late.add(now - l.timers.armed[0].due)
	}
	for len(l.timers.armed) > 0 && l.timers.armed[0].due <= now {
		heap.Pop(&l.timers).(*Timer).f()
	}
	l.setAlarm()
}

// timerHeap holds the armed timers, the earliest first.
type timerHeap struct {
	armed []*Timer
	alarm time.Duration // when the timerfd fires; 0 when it is not set
}

func (h *timerHeap) Len() int           { return len(h.armed) }
func (h *timerHeap) Less(i, j int) bool { return h.armed[i].due < h.armed[j].due }

func (h *timerHeap) Swap(i, j int) {
	h.armed[i], h.armed[j] = h.armed[j], h.armed[i]
	h.armed[i].index, h.armed[j].index = i, j
}

func (h *timerHeap) Push(x any) {
	t := x.(*Timer)
	t.index = len(h.armed)
	h.armed = append(h.armed, t)
}

func (h *timerHeap) Pop() any {
	n := len(h.armed) - 1
	t := h.armed[n]
	h.armed[n] = nil
	h.armed = h.armed[:n]
	t.index = -1
	return t
}
