package history

import (
	"encoding/json"
	"io"
	"slices"
	"sync"
	"time"
)

// DefaultLimit bounds the calls that a Recorder holds: about 100 MB of them.
const DefaultLimit = 1 << 20

// Recorder collects a History. Any goroutine may call its methods.
type Recorder struct {
	start time.Time
	limit int

	mu sync.Mutex
	h  History
}

// NewRecorder returns a Recorder whose time begins now. It holds limit calls at
// most, and counts those beyond as dropped; a model does not accept a history
// with such. Versions and faults are not bounded here: their rates are chosen
// by whoever makes them.
func NewRecorder(limit int) *Recorder {
	return &Recorder{start: time.Now(), limit: limit}
}

// Now is the time on the recorder's clock.
func (r *Recorder) Now() time.Duration { return time.Since(r.start) }

// At is a moment on the recorder's clock.
func (r *Recorder) At(t time.Time) time.Duration { return t.Sub(r.start) }

// Call records a call that has ended.
func (r *Recorder) Call(c Call) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.h.Calls) >= r.limit {
		r.h.Dropped++
		return
	}
	r.h.Calls = append(r.h.Calls, c)
}

// Version records a change of a route.
func (r *Recorder) Version(v Version) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.h.Versions = append(r.h.Versions, v)
}

// Begin records a fault that begins now, and returns what ends it. What f says
// of Begin and End is not used. The fault must be recorded before it is made
// and ended after it is undone, so that its true time is within the recorded.
func (r *Recorder) Begin(f Fault) (end func()) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f.Begin, f.End = r.Now(), Never
	i := len(r.h.Faults)
	r.h.Faults = append(r.h.Faults, f)
	return func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		r.h.Faults[i].End = r.Now()
	}
}

// Settling records how an agent settled.
func (r *Recorder) Settling(s Settling) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.h.Settlings = append(r.h.Settlings, s)
}

// Sums records what the database says in the end.
func (r *Recorder) Sums(sums []Sum) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.h.Sums, r.h.Summed = sums, true
}

// Snapshot is the history so far. The caller may keep it, and must not change
// what its records point to.
func (r *Recorder) Snapshot() *History {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.h.clone()
}

// Drain is Snapshot with the calls sent before a time, which the recorder then
// forgets: this keeps a run of hours within its bound.
func (r *Recorder) Drain(before time.Duration) *History {
	r.mu.Lock()
	defer r.mu.Unlock()
	calls := r.h.Calls
	var old []Call
	r.h.Calls = nil
	for _, c := range calls {
		if c.Sent < before {
			old = append(old, c)
		} else {
			r.h.Calls = append(r.h.Calls, c)
		}
	}
	drained := r.h.clone()
	drained.Calls = old
	return drained
}

func (h *History) clone() *History {
	c := *h
	c.Calls, c.Versions, c.Faults = slices.Clone(h.Calls), slices.Clone(h.Versions), slices.Clone(h.Faults)
	c.Settlings, c.Sums = slices.Clone(h.Settlings), slices.Clone(h.Sums)
	return &c
}

// Dump writes a history as lines of JSON, each with one record under the name
// of its kind, after a first line that is head.
func (h *History) Dump(w io.Writer, head any) error {
	e := json.NewEncoder(w)
	err := e.Encode(map[string]any{"head": head, "summed": h.Summed, "dropped": h.Dropped})
	for _, write := range []func() error{
		func() error { return lines(e, "fault", h.Faults) },
		func() error { return lines(e, "version", h.Versions) },
		func() error { return lines(e, "call", h.Calls) },
		func() error { return lines(e, "settling", h.Settlings) },
		func() error { return lines(e, "sum", h.Sums) },
	} {
		if err == nil {
			err = write()
		}
	}
	return err
}

func lines[T any](e *json.Encoder, kind string, records []T) error {
	for i := range records {
		if err := e.Encode(map[string]*T{kind: &records[i]}); err != nil {
			return err
		}
	}
	return nil
}
