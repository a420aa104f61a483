package sim

import (
	"time"

	"github.com/lars-lb/lars/internal/balance"
	"github.com/lars-lb/lars/internal/sim/peers"
)

// Incident is what the policy adaptive did with the first host of a module,
// from before a fault of that host to after it. Times are from the fault on.
type Incident struct {
	Name   string
	Begin  time.Duration // negative: what is shown of the time before
	End    time.Duration
	Fault  time.Duration // how long it lasted
	Shares []float64     // of its fair share of the calls, each second from Begin on
	Checks []time.Duration
	Probes []time.Duration
	Turns  []Turn
}

// Turn is a change of a host's state.
type Turn struct {
	At     time.Duration
	State  balance.State
	Reason balance.Reason
}

// watched notes what happens to host 0 of the agent's code.
type watched struct {
	*lars
	start time.Duration // the fault's
	into  *Incident
	at    time.Duration
}

func (w *watched) Pick(now time.Duration) (int, bool) {
	host, ok := w.lars.Pick(now)
	if ok && host == 0 && w.Out(0) {
		w.into.Probes = append(w.into.Probes, now-w.start)
	}
	w.at = now
	w.listen()
	return host, ok
}

func (w *watched) Report(host int, ok bool, cost, now time.Duration) {
	w.lars.Report(host, ok, cost, now)
	w.at = now
	w.listen()
}

func (w *watched) TakeChecks(dst []int) []int {
	n := len(dst)
	dst = w.lars.TakeChecks(dst)
	for _, host := range dst[n:] {
		if host == 0 {
			w.into.Checks = append(w.into.Checks, w.at-w.start)
		}
	}
	return dst
}

func (w *watched) listen() {
	for _, e := range w.lb.TakeEvents(nil) {
		if number(e.Host) == 0 {
			w.into.Turns = append(w.into.Turns, Turn{w.at - w.start, e.State, e.Reason})
		}
	}
}

// Incidents are two faults of 20 s at one host of ten, at 1000 calls a second:
// one that shows in a TCP connection, and one that does not.
func Incidents(seed uint64) []Incident {
	const warmup, before, lasts, after = 60 * time.Second, 5 * time.Second, 20 * time.Second, 20 * time.Second
	var all []Incident
	for _, f := range []struct {
		name  string
		state State
	}{{"the process is gone", State{Mode: Refusing}}, {"every call fails", State{Fail: 1}}} {
		in := Incident{Name: f.name, Begin: -before, End: lasts + after, Fault: lasts}
		// The fault begins later than what is counted, to show what was before.
		s := Scenario{Hosts: 10, Rate: 1000, Warmup: warmup, Length: before + lasts + after, Timeout: time.Second,
			State: func(host int, at time.Duration) State {
				return faultFor(1, f.state, lasts)(host, at-before)
			}}
		r := Run(&s, Algorithm{New: func(e Env) peers.Balancer {
			return &watched{lars: agent(e, balance.Adaptive, true).(*lars), start: warmup + before, into: &in}
		}}, seed)
		for i := range int(s.Length / time.Second) {
			in.Shares = append(in.Shares, float64(r.FirstPicks[i]*s.Hosts)/float64(r.Picks[i]))
		}
		all = append(all, in)
	}
	return all
}

// Evidence is how the case against one host of ten grows after its fault.
type Evidence struct {
	Name  string
	At    []time.Duration // from the fault on
	Nats  []float64
	Alarm float64 // nats at which it is ejected
}

// noting notes the evidence against host 0 after each report on it.
type noting struct {
	*lars
	start time.Duration
	into  *Evidence
}

func (n *noting) Report(host int, ok bool, cost, now time.Duration) {
	if host != 0 || now < n.start || n.Out(0) {
		n.lars.Report(host, ok, cost, now)
		return
	}
	n.lars.Report(host, ok, cost, now)
	n.into.At = append(n.into.At, now-n.start)
	n.into.Nats = append(n.into.Nats, n.lb.View(nil, now)[0].Suspicion*balance.Alarm)
}

// Evidences shows the first two seconds of faults of different weight, among
// hosts that fail 1% by nature, at 1000 calls a second.
func Evidences(seed uint64) []Evidence {
	const warmup, length = 60 * time.Second, 2 * time.Second
	var all []Evidence
	for _, f := range []struct {
		name string
		fail float64
	}{{"fails 100%", 1}, {"fails 30%", 0.3}, {"fails 10%", 0.1}, {"well (1%)", 0}} {
		ev := Evidence{Name: f.name, Alarm: balance.Alarm}
		s := Scenario{Hosts: 10, Rate: 1000, Warmup: warmup, Length: length, Timeout: time.Second,
			Natural: 0.01, State: fault(1, State{Fail: f.fail})}
		Run(&s, Algorithm{New: func(e Env) peers.Balancer {
			return &noting{lars: agent(e, balance.Adaptive, false).(*lars), start: warmup, into: &ev}
		}}, seed)
		all = append(all, ev)
	}
	return all
}
