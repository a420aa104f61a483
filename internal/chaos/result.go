package chaos

import (
	"fmt"
	"time"

	"github.com/lars-lb/lars/internal/chaos/fault"
	"github.com/lars-lb/lars/internal/chaos/history"
	"github.com/lars-lb/lars/internal/chaos/model"
)

// Result is what a run was like for callers.
type Result struct {
	Requests, Failed int
	Outcomes         map[history.Outcome]int // of those that failed
	Slowest          time.Duration           // of those that were answered
	Changes, Unsure  uint64                  // of routes
	Settled          time.Duration           // until the last agent had the database's routes
	Counted          bool                    // reports were compared with the database
	Violations       []model.Violation

	latencies [int(deadline/latencyStep) + 1]int // of answers, by latencyStep
}

// latencyStep is how exactly Quantile knows.
const latencyStep = 100 * time.Microsecond

// Quantile is the time within which that share of the answered requests was
// answered, rounded up.
func (r *Result) Quantile(share float64) time.Duration {
	left := int(share * float64(r.Requests-r.Failed))
	for i, n := range r.latencies {
		if left -= n; left <= 0 {
			return time.Duration(i+1) * latencyStep
		}
	}
	return r.Slowest
}

func (r *Result) String() string {
	s := fmt.Sprintf("%d requests, %d failed %v, p99 %v, slowest answer %v; %d changes of routes; settled in %v",
		r.Requests, r.Failed, r.Outcomes, r.Quantile(0.99), r.Slowest.Round(10*time.Microsecond), r.Changes, r.Settled.Round(time.Millisecond))
	if r.Counted && len(r.Violations) == 0 {
		s += "; every report counted once"
	}
	return s
}

func (r *Result) add(calls []history.Call) {
	r.Requests += len(calls)
	for i := range calls {
		c := &calls[i]
		if c.Outcome != history.Answered {
			r.Failed++
			r.Outcomes[c.Outcome]++
			continue
		}
		took := c.Ended - c.Sent
		r.Slowest = max(r.Slowest, took)
		r.latencies[min(int(took/latencyStep), len(r.latencies)-1)]++
	}
}

// drain judges calls that ended long enough ago for all to be known that
// matters to them, and lets the recorder forget them.
func (w *World) drain() {
	h := w.Recorder.Drain(w.Recorder.Now() - deadline - 2*writeTimeout)
	w.checker.Calls(h)
	w.result.add(h.Calls)
}

// judge checks what is left of the history of a run, and shows where to look if
// it is bad.
func (w *World) judge(s fault.Schedule) *Result {
	w.t.Helper()
	h := w.Recorder.Snapshot()
	w.checker.Calls(h)
	w.checker.End(h)
	r := w.result
	r.add(h.Calls)
	r.Changes, r.Unsure, r.Counted = w.editor.changes.Load(), w.editor.errors.Load(), h.Summed
	for _, x := range h.Settlings {
		r.Settled = max(r.Settled, x.At-x.Healed)
	}
	r.Violations = w.checker.Violations()
	w.show(h, s, r.Violations)
	w.t.Log(r)
	return r
}
