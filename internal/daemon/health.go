package daemon

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"
)

// stuckAfter is how long a turn of an event loop may take before the loop
// counts as stuck. A turn takes microseconds, or some milliseconds under load.
const stuckAfter = 5 * time.Second

// Health is how a daemon answers GET /healthz and GET /readyz to those who
// accept JSON.
type Health struct {
	OK      bool     `json:"ok"`
	Reasons []string `json:"reasons"` // what there is to know, a sentence each; some may be there though OK is true
}

// health answers 200 while the process lives and its event loops turn, whether
// or not it can serve: it is what a supervisor restarts a process for.
func (a *admin) health(w http.ResponseWriter, r *http.Request) {
	answer := Health{OK: true, Reasons: []string{}}
	if service := a.service.Load(); service == nil {
		answer.Reasons = append(answer.Reasons, "starting")
	} else if looper, ok := (*service).(Looper); ok {
		for _, l := range looper.Loops() {
			if busy := l.Busy(); busy > stuckAfter {
				answer.OK = false
				answer.Reasons = append(answer.Reasons, fmt.Sprintf(
					"event loop %s is stuck: it has been at one thing for %v, and serves nothing meanwhile; GET /debug/pprof/goroutine?debug=2 shows where",
					l.Name, busy.Round(time.Second)))
			}
		}
	}
	answer.write(w, r, "not healthy")
}

// ready answers 200 when the daemon serves, 503 when it cannot yet.
func (a *admin) ready(w http.ResponseWriter, r *http.Request) {
	service := a.service.Load()
	if service == nil {
		(&Health{Reasons: []string{"starting"}}).write(w, r, "not ready")
		return
	}
	answer := Health{OK: true, Reasons: []string{}}
	if r, ok := (*service).(Readier); ok {
		answer.OK = r.Ready()
	}
	if e, ok := (*service).(Explainer); ok {
		answer.Reasons = append(answer.Reasons, e.Explain()...)
	}
	answer.write(w, r, "not ready")
}

// write answers with JSON if that is asked for, else with lines: ok or what
// bad says, then the reasons.
func (h *Health) write(w http.ResponseWriter, r *http.Request, bad string) {
	status := http.StatusOK
	if !h.OK {
		status = http.StatusServiceUnavailable
	}
	w.Header().Set("Cache-Control", "no-store")
	if strings.Contains(r.Header.Get("Accept"), "application/json") {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(h) // fails only if the client is gone
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.WriteHeader(status)
	first := "ok"
	if !h.OK {
		first = bad
	}
	fmt.Fprintln(w, strings.Join(append([]string{first}, h.Reasons...), "\n"))
}
