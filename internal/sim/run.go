package sim

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/lars-lb/lars/internal/sim/peers"
)

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
	crowd    crowd
	result   Result
}

// Run simulates an algorithm in a scenario.
func Run(s *Scenario, a Algorithm, seed uint64) Result {
	result, _ := RunContext(context.Background(), s, a, seed)
	return result
}

// RunContext is Run, except that it ends soon after ctx does, with its error.
func RunContext(ctx context.Context, s *Scenario, a Algorithm, seed uint64) (Result, error) {
	agents := s.agents()
	r := &run{
		Scenario: s,
		arrivals: rand.New(rand.NewPCG(seed, 1)),
		luck:     rand.New(rand.NewPCG(seed, 2)),
		busy:     make([]time.Duration, s.Hosts),
		out:      make([]bool, agents*s.Hosts),
		tried:    make([]attempts, agents*s.Hosts),
		crowd:    crowd{picks: make([]int, s.Hosts)},
	}
	for i := range agents {
		env := Env{Hosts: s.Hosts, Seed: seed*1000 + uint64(i), Well: r.wellAt}
		r.balancer = append(r.balancer, a.New(env))
	}
	seconds := int(s.Length/time.Second) + 1
	r.result.FirstPicks, r.result.Picks = make([]int, seconds), make([]int, seconds)
	if _, ok := r.balancer[0].(Ejector); ok {
		r.result.Ejects = true
		r.agenda.add(event{at: sampleEvery, kind: sampleDue})
	}
	for i := range s.Workers {
		r.agenda.add(event{at: time.Duration(i) * time.Millisecond, kind: workerWakes, agent: int32(i % agents)})
	}
	err := r.loop(ctx)
	for i := range r.tried {
		r.result.MostAttempts = max(r.result.MostAttempts, r.tried[i].most)
	}
	r.result.Crowding = r.crowd.worst
	return r.result, err
}

// stateAt is the state of a host at a time of the run, which begins before the
// fault.
func (r *run) stateAt(host int, now time.Duration) State { return r.State(host, now-r.Warmup) }

func (r *run) wellAt(host int, now time.Duration) bool {
	return r.Blameless || r.stateAt(host, now).well()
}

// turnsPerLook is how many events and calls may pass before the context is
// looked at again: some milliseconds.
const turnsPerLook = 1 << 14

func (r *run) loop(ctx context.Context) error {
	end := r.Warmup + r.Length
	arrival := end
	if r.Workers == 0 {
		arrival = r.gap()
	}
	for turn := 0; ; turn++ {
		if turn%turnsPerLook == 0 && ctx.Err() != nil {
			return ctx.Err()
		}
		at, ok := r.agenda.next()
		if due := r.awake(arrival); due < end && (!ok || due <= at) {
			r.call(int32(r.arrivals.IntN(r.agents())), due)
			arrival += r.gap()
			continue
		}
		if !ok || at >= end {
			return nil
		}
		r.handle(r.agenda.take())
	}
}

// gap is the time to the next call.
func (r *run) gap() time.Duration {
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
	}
	if !picked {
		if counts && r.anyGood(now) {
			r.result.Refused++
		}
		return 0
	}
	if r.Agents > 1 {
		r.crowd.pick(host, now, r.wellAt)
	}
	st := r.stateAt(host, now)
	if e, ok := r.balancer[agent].(Ejector); ok && !st.Good() && e.Out(host) {
		r.tried[int(agent)*r.Hosts+host].add(now)
	}
	ok, cost := r.outcome(st, d, r.queue(host, st, now))
	cost = r.awake(now+cost) - now
	if counts {
		r.result.Picks[second]++
		if host == 0 {
			r.result.FirstPicks[second]++
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
		if r.stateAt(h, now).Good() {
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
		st := r.stateAt(host, now)
		if !st.Good() {
			r.tried[int(agent)*r.Hosts+host].add(now)
		}
		switch st.Mode {
		case Up, Frozen:
			e.ok = !r.NoTCP
		case Hanging:
			e.at = now + checkTimeout
		}
		e.at = r.awake(e.at)
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
			if now >= r.Warmup && r.wellAt(h, now) {
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
