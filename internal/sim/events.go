package sim

import "time"

// kind is what happens at an event.
type kind uint8

const (
	callEnds kind = iota // the caller has its answer
	reportArrives
	checkEnds
	workerWakes // of a closed loop
	sampleDue
)

// event is something to happen at a virtual time.
type event struct {
	at    time.Duration
	seq   uint64 // events at one time happen in the order in which they were planned
	kind  kind
	ok    bool
	agent int32
	host  int32
	cost  time.Duration
}

func (e *event) before(o *event) bool {
	return e.at < o.at || e.at == o.at && e.seq < o.seq
}

// agenda holds events, the next one first. It is a binary heap of values:
// container/heap would allocate for each event, of which there are millions.
type agenda struct {
	heap []event
	seq  uint64
}

func (a *agenda) add(e event) {
	a.seq++
	e.seq = a.seq
	a.heap = append(a.heap, e)
	for i := len(a.heap) - 1; i > 0; {
		up := (i - 1) / 2
		if !a.heap[i].before(&a.heap[up]) {
			break
		}
		a.heap[i], a.heap[up] = a.heap[up], a.heap[i]
		i = up
	}
}

// next is the time of the first event, false if there is none.
func (a *agenda) next() (time.Duration, bool) {
	if len(a.heap) == 0 {
		return 0, false
	}
	return a.heap[0].at, true
}

// take removes the first event.
func (a *agenda) take() event {
	first := a.heap[0]
	last := len(a.heap) - 1
	a.heap[0] = a.heap[last]
	a.heap = a.heap[:last]
	for i := 0; ; {
		down := 2*i + 1
		if down >= last {
			break
		}
		if down+1 < last && a.heap[down+1].before(&a.heap[down]) {
			down++
		}
		if !a.heap[down].before(&a.heap[i]) {
			break
		}
		a.heap[i], a.heap[down] = a.heap[down], a.heap[i]
		i = down
	}
	return first
}
