//go:build linux

package reactor

import (
	"context"
	"fmt"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

const (
	// maxEvents is the number of ready descriptors taken from one epoll_wait.
	maxEvents = 256
	// maxTasks bounds what Post queues while the loop is busy.
	maxTasks = 1 << 16
	// inputSize is the size of the buffer that a loop's connections read
	// into, bytes: at least one whole frame.
	inputSize = 128 << 10
)

// source is a descriptor registered with a loop.
type source interface {
	// handleIO is called when epoll reports events for the descriptor.
	handleIO(events uint32)
	// abandon is called once when the loop ends; it must release everything.
	abandon()
}

// flusher has output to write at the end of a turn.
type flusher interface{ flush() }

// reaper has something to release at the end of a turn, after which no event
// of that turn can reach it.
type reaper interface{ reap() }

// Loop is one epoll event loop. The documented methods may be called on any
// goroutine unless they say otherwise.
type Loop struct {
	poller      *poller
	wake, alarm int // eventfd and timerfd descriptors

	// Owned by the goroutine in Run.
	sources map[int32]source
	timers  timerHeap
	dirty   []flusher
	dead    []reaper
	input   []byte
	emptied int // of this turn's descriptors, those that left nothing for another look
	start   time.Time

	counters loopCounters

	// What eventfd and timerfd read and write; here since locals would escape.
	one, counter, expirations [8]byte

	// ctx ends with the loop; helpers are what Go started.
	ctx     context.Context
	cancel  context.CancelFunc
	helpers sync.WaitGroup

	mu      sync.Mutex
	tasks   []func()
	spare   []func() // the slice that tasks takes turns with
	woken   bool     // the eventfd is set and not yet read
	running bool
	closed  bool
}

// NewLoop returns a loop that Run starts. A loop that is never run must be
// closed to release its descriptors.
func NewLoop() (*Loop, error) {
	l := &Loop{
		wake: -1, alarm: -1,
		sources: make(map[int32]source), start: time.Now(),
		one: [8]byte{1}, // the eventfd counts in the machine's order; any non-zero number will do
	}
	var err error
	if l.poller, err = newPoller(); err != nil {
		return nil, err
	}
	if l.wake, err = unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK); err != nil {
		l.closeDescriptors()
		return nil, fmt.Errorf("reactor: eventfd: %w", err)
	}
	if l.alarm, err = unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_CLOEXEC|unix.TFD_NONBLOCK); err != nil {
		l.closeDescriptors()
		return nil, fmt.Errorf("reactor: timerfd_create: %w", err)
	}
	for _, fd := range []int{l.wake, l.alarm} {
		if err := l.control(unix.EPOLL_CTL_ADD, fd, unix.EPOLLIN); err != nil {
			l.closeDescriptors()
			return nil, err
		}
	}
	l.ctx, l.cancel = context.WithCancel(context.Background())
	return l, nil
}

// Run serves the loop on the calling goroutine until Close. It then runs the
// tasks already posted, closes everything registered with the loop and
// releases it. A loop runs once; Run returns ErrClosed when it was closed
// before.
func (l *Loop) Run() error {
	l.mu.Lock()
	if l.closed || l.running {
		l.mu.Unlock()
		return ErrClosed
	}
	l.running = true
	l.mu.Unlock()

	err := l.poller.each(make([]unix.EpollEvent, maxEvents), l.turn)
	l.release()
	return err
}

// turn handles one batch of events. This is the order, in every turn:
//
//  1. Before the turn: wait, without a time-out, until a descriptor is ready.
//     The goroutine is parked, unless one is already.
//  2. Readiness, in the kernel's order: connections read what is there and
//     hand whole frames to handlers, listeners accept, UDP sockets receive and
//     answer a batch. Nothing that a handler closes is released yet, so no
//     event of this batch can meet a descriptor's next owner.
//  3. Timers that are due, earliest first.
//  4. Tasks posted by other goroutines, in their order. What these tasks post
//     waits for the next turn, so that tasks cannot starve descriptors.
//  5. Output: each connection that was sent something in 2 to 4 writes it
//     with one call, however many frames there are.
//  6. Closed connections: OnClose is called and the descriptor released. The
//     hooks may send and close, so 5 and 6 repeat until neither has work.
//
// It returns end when the loop was closed; 2 to 6 were done once more then, so
// what was posted before Close has run.
func (l *Loop) turn(ready []unix.EpollEvent) next {
	l.beginTurn()
	alarmed := false
	l.emptied = 0
	for i := range ready {
		switch fd := ready[i].Fd; fd {
		case int32(l.wake):
			l.clearWake()
		case int32(l.alarm):
			alarmed = true
		default:
			if s, ok := l.sources[fd]; ok {
				s.handleIO(ready[i].Events)
			}
		}
	}
	if alarmed {
		l.runTimers()
	}
	open := l.runTasks()
	l.settle()
	l.endTurn()
	switch {
	case !open:
		return end
	case l.emptied == len(ready) && len(ready) < maxEvents:
		return park
	default:
		return lookAgain
	}
}

// settle writes pending output and releases what was closed, until neither is
// left.
func (l *Loop) settle() {
	for len(l.dirty) > 0 || len(l.dead) > 0 {
		for i := 0; i < len(l.dirty); i++ {
			l.dirty[i].flush()
		}
		clear(l.dirty)
		l.dirty = l.dirty[:0]
		for i := 0; i < len(l.dead); i++ {
			l.dead[i].reap()
		}
		clear(l.dead)
		l.dead = l.dead[:0]
	}
}

// Post queues a task to run on the loop's goroutine. It returns ErrFull when
// 65,536 tasks wait already and ErrClosed after Close.
func (l *Loop) Post(task func()) error { return l.post(task, maxTasks) }

func (l *Loop) post(task func(), bound int) error {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return ErrClosed
	}
	if len(l.tasks) >= bound {
		l.mu.Unlock()
		return ErrFull
	}
	l.tasks = append(l.tasks, task)
	signal := !l.woken
	l.woken = true
	if signal {
		l.signal() // under the lock: release must not close the eventfd meanwhile
	}
	l.mu.Unlock()
	return nil
}

// Go runs f on a goroutine that the loop waits for when it ends; ctx is done
// then. It is for work that must not block the loop, such as resolving a name;
// f hands its result back with Post.
func (l *Loop) Go(f func(ctx context.Context)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.closed {
		l.helpers.Go(func() { f(l.ctx) })
	}
}

// Close ends the loop: Run finishes its turn, runs the tasks already posted,
// closes everything and returns. Close does not wait for that; but for a loop
// that never ran it does all of it itself. It may be called more than once.
func (l *Loop) Close() {
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return
	}
	l.closed = true
	if l.running {
		l.signal()
		l.mu.Unlock()
		return
	}
	l.mu.Unlock()
	l.release() // Run refuses a closed loop, so nobody else is in it
}

func (l *Loop) runTasks() (open bool) {
	l.mu.Lock()
	open = !l.closed
	if len(l.tasks) == 0 {
		l.mu.Unlock()
		return open
	}
	tasks := l.tasks
	l.tasks, l.spare = l.spare[:0], nil
	l.mu.Unlock()
	for i, task := range tasks {
		tasks[i] = nil
		task()
	}
	l.mu.Lock()
	l.spare = tasks[:0]
	l.mu.Unlock()
	return open
}

// release ends a closed loop, or one that failed: nothing can be posted any more.
func (l *Loop) release() {
	l.mu.Lock()
	l.closed = true
	l.mu.Unlock()
	l.runTasks()
	l.abandonSources()
	l.settle()
	l.cancel()
	l.helpers.Wait()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.closeDescriptors()
}

func (l *Loop) abandonSources() {
	for _, s := range l.sources {
		s.abandon()
	}
}

// now is the time since the loop was made, from the monotonic clock.
func (l *Loop) now() time.Duration { return time.Since(l.start) }

// inputBuffer is what connections read into. It is made by the first of them,
// since a loop may serve none.
func (l *Loop) inputBuffer() []byte {
	if l.input == nil {
		l.input = make([]byte, inputSize)
	}
	return l.input
}
