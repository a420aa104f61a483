package sim

import (
	"math/rand/v2"
	"time"

	"github.com/lars-lb/lars/internal/sim/peers"
)

// Checker is a Balancer that wants TCP connections tried.
type Checker interface {
	// TakeChecks appends the hosts to try to dst.
	TakeChecks(dst []int) []int
	// Checked tells whether a connection to host could be made.
	Checked(host int, ok bool, now time.Duration)
}

// Ejector is a Balancer that can say which hosts it keeps out of the traffic.
type Ejector interface {
	Out(host int) bool
}

// Result is what became of the callers of one run. Calls made before the fault
// do not count.
type Result struct {
	Calls   int // GetHosts
	Failed  int
	Slow    int // took longer than TooSlow, where that is the fault
	Refused int // got no host while a good one existed

	// HealthyOut is for how long hosts that were well were kept out, added up
	// over hosts, and HostTime how long hosts were well at all. -1 is unknown.
	HealthyOut, HostTime time.Duration
	// Ejections counts how often a host that was well was found newly out.
	Ejections int

	// FaultyPicks[i] is how many picks the first host got in second i after
	// the fault, and Picks[i] how many there were.
	FaultyPicks, Picks []int
	// MostAttempts is the most TCP checks and calls that a host which was
	// refusing or hanging, and was found to be, got within one second.
	MostAttempts int
}

// attempts counts how often a host that is out is tried.
type attempts struct {
	recent []time.Duration // within the last second
	most   int
}

func (a *attempts) add(now time.Duration) {
	for len(a.recent) > 0 && a.recent[0] <= now-time.Second {
		a.recent = a.recent[1:]
	}
	a.recent = append(a.recent, now)
	a.most = max(a.most, len(a.recent))
}

// Lost is the number of calls that an ideal balancer might have saved: those
// that failed, were slow or were refused.
func (r *Result) Lost() int { return r.Failed + r.Slow + r.Refused }

// sampleEvery is how often it is looked at which hosts are out.
const sampleEvery = 100 * time.Millisecond

// run is one simulation.
type run struct {
	*Scenario
	agenda   agenda
	balancer []peers.Balancer // one an agent
	arrivals *rand.Rand
	luck     *rand.Rand
	busy     []time.Duration // until when each host works, where capacity is limited
	out      []bool          // as of the last sample: agent*hosts+host
	tried    []attempts      // likewise
	checks   []int
	result   Result
}

// Run simulates an algorithm in a scenario. Equal seeds give equal results.
func Run(s *Scenario, a Algorithm, seed uint64) Result {
	r := &run{
		Scenario: s,
		arrivals: rand.New(rand.NewPCG(seed, 1)),
		luck:     rand.New(rand.NewPCG(seed, 2)),
		busy:     make([]time.Duration, s.Hosts),
		out:      make([]bool, s.agents()*s.Hosts),
		tried:    make([]attempts, s.agents()*s.Hosts),
	}
	env := Env{Hosts: s.Hosts, Good: func(host int, now time.Duration) bool { return r.stateAt(host, now).oracleGood(s) }}
	for i := range s.agents() {
		env.Seed = seed*1000 + uint64(i)
		r.balancer = append(r.balancer, a.New(env))
	}
	seconds := int(s.Length / time.Second)
	r.result.FaultyPicks, r.result.Picks = make([]int, seconds+1), make([]int, seconds+1)
	if _, ok := r.balancer[0].(Ejector); ok {
		r.agenda.add(event{at: sampleEvery, kind: sampleDue})
	} else {
		r.result.HealthyOut = -1
	}
	for i := range s.Workers {
		r.agenda.add(event{at: time.Duration(i) * time.Millisecond, kind: workerWakes, agent: int32(i % s.agents())})
	}
	r.loop()
	for i := range r.tried {
		r.result.MostAttempts = max(r.result.MostAttempts, r.tried[i].most)
	}
	return r.result
}

// stateAt is the state of a host at a time of the run, which begins before the
// fault.
func (r *run) stateAt(host int, now time.Duration) State { return r.State(host, now-r.Warmup) }

func (r *run) loop() {
	end := r.Warmup + r.Length
	arrival := end
	if r.Workers == 0 {
		arrival = r.gap(0)
	}
	for {
		at, ok := r.agenda.next()
		if arrival < end && (!ok || arrival <= at) {
			r.call(int32(r.arrivals.IntN(r.agents())), arrival)
			arrival += r.gap(arrival)
			continue
		}
		if !ok || at >= end {
			return
		}
		r.handle(r.agenda.take())
	}
}

func (r *run) gap(now time.Duration) time.Duration {
	return time.Duration(r.arrivals.ExpFloat64() / r.Rate * float64(time.Second))
}

func (r *run) handle(e event) {
	b := r.balancer[e.agent]
	switch e.kind {
	case callEnds:
		r.report(e)
	case reportArrives:
		b.Report(int(e.host), e.ok, e.cost, e.at)
		r.startChecks(e.agent, e.at)
	case checkEnds:
		b.(Checker).Checked(int(e.host), e.ok, e.at)
		r.startChecks(e.agent, e.at)
	case workerWakes:
		cost := r.call(e.agent, e.at)
		think := time.Duration(r.arrivals.ExpFloat64() * float64(r.Think))
		r.agenda.add(event{at: e.at + cost + think, kind: workerWakes, agent: e.agent})
	case sampleDue:
		r.sample(e.at)
		r.agenda.add(event{at: e.at + sampleEvery, kind: sampleDue})
	}
}

// report delivers what the caller reports, when it does.
func (r *run) report(e event) {
	if r.FailuresOnly && e.ok {
		return
	}
	if r.NoCost {
		e.cost = 0
	}
	e.kind = reportArrives
	if r.ReportDelay > 0 {
		e.at += r.ReportDelay
		r.agenda.add(e)
		return
	}
	r.handle(e)
}

// call makes one call and returns how long the caller is busy with it.
func (r *run) call(agent int32, now time.Duration) time.Duration {
	d := roll(r.luck)
	counts := now >= r.Warmup
	second := int((now - r.Warmup) / time.Second)
	host, picked := r.balancer[agent].Pick(now)
	r.startChecks(agent, now)
	if counts {
		r.result.Calls++
		r.result.Picks[second]++
	}
	if !picked {
		if counts && r.anyGood(now) {
			r.result.Refused++
		}
		return 0
	}
	st := r.stateAt(host, now)
	if e, ok := r.balancer[agent].(Ejector); ok && !st.good() && e.Out(host) {
		r.tried[int(agent)*r.Hosts+host].add(now)
	}
	ok, cost := r.outcome(st, d, r.queue(host, st, now))
	if counts {
		if host == 0 {
			r.result.FaultyPicks[second]++
		}
		switch {
		case !ok:
			r.result.Failed++
		case r.SlowLost && cost > TooSlow:
			r.result.Slow++
		}
	}
	r.agenda.add(event{at: now + cost, kind: callEnds, agent: agent, host: int32(host), ok: ok, cost: cost})
	return cost
}

// queue is how long a call waits at a host of limited capacity.
func (r *run) queue(host int, st State, now time.Duration) time.Duration {
	if r.Capacity == 0 || st.Mode != Up {
		return 0
	}
	wait := max(0, r.busy[host]-now)
	if wait < r.Timeout { // callers that gave up do not add to the queue
		r.busy[host] = now + wait + time.Duration(float64(time.Second)/r.Capacity)
	}
	return wait
}

func (r *run) anyGood(now time.Duration) bool {
	for h := range r.Hosts {
		if r.stateAt(h, now).good() {
			return true
		}
	}
	return false
}

// startChecks begins the TCP checks that an agent asks for.
func (r *run) startChecks(agent int32, now time.Duration) {
	c, ok := r.balancer[agent].(Checker)
	if !ok {
		return
	}
	r.checks = c.TakeChecks(r.checks[:0])
	for _, host := range r.checks {
		e := event{at: now + refusal, kind: checkEnds, agent: agent, host: int32(host)}
		if !r.stateAt(host, now).good() {
			r.tried[int(agent)*r.Hosts+host].add(now)
		}
		switch r.stateAt(host, now).Mode {
		case Up, Frozen:
			e.ok = !r.NoTCP
		case Hanging:
			e.at = now + checkTimeout
		}
		r.agenda.add(e)
	}
}

// sample adds up for how long healthy hosts are out.
func (r *run) sample(now time.Duration) {
	for a, b := range r.balancer {
		b := b.(Ejector)
		for h := range r.Hosts {
			out := b.Out(h)
			was := &r.out[a*r.Hosts+h]
			if now >= r.Warmup && r.stateAt(h, now).well() {
				r.result.HostTime += sampleEvery
				if out {
					r.result.HealthyOut += sampleEvery
					if !*was {
						r.result.Ejections++
					}
				}
			}
			*was = out
		}
	}
}
