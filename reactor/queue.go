//go:build linux

package reactor

import (
	"math"
	"sync"
)

// Queue hands values from any goroutine to one loop, which takes them in
// batches and in order.
type Queue[T any] struct {
	loop     *Loop
	capacity int
	drain    func(batch []T)
	task     func() // q.take, bound once

	mu      sync.Mutex
	values  []T
	spare   []T // the slice that values takes turns with
	waiting bool
}

// NewQueue returns a queue of at most capacity values. drain is called on the
// loop with all values that wait; the batch is valid during the call only.
func NewQueue[T any](l *Loop, capacity int, drain func(batch []T)) *Queue[T] {
	q := &Queue[T]{loop: l, capacity: capacity, drain: drain}
	q.task = q.take
	return q
}

// Push queues v and wakes the loop. It reports false, and v is not queued,
// when the queue is full or the loop closed. Any goroutine may call it; it
// does not block and, once the queue has grown, does not allocate.
func (q *Queue[T]) Push(v T) bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	if len(q.values) >= q.capacity {
		return false
	}
	if !q.waiting {
		// A queue has one task under way at most, so tasks of queues need no
		// other bound than the number of queues.
		if q.loop.post(q.task, math.MaxInt) != nil {
			return false
		}
		q.waiting = true
	}
	q.values = append(q.values, v)
	return true
}

// Len is the number of values that wait. Any goroutine may call it.
func (q *Queue[T]) Len() int {
	q.mu.Lock()
	defer q.mu.Unlock()
	return len(q.values)
}

// QueueStats is how full a queue is.
type QueueStats struct {
	Len int `json:"len"` // values that wait, now
	Max int `json:"max"` // beyond which Push refuses
}

// Stats returns how full the queue is. Any goroutine may call it.
func (q *Queue[T]) Stats() QueueStats { return QueueStats{q.Len(), q.capacity} }

func (q *Queue[T]) take() {
	q.mu.Lock()
	batch := q.values
	q.values, q.spare = q.spare[:0], nil
	q.waiting = false
	q.mu.Unlock()
	q.drain(batch)
	clear(batch)
	q.mu.Lock()
	q.spare = batch[:0]
	q.mu.Unlock()
}
