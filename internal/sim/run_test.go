package sim

import (
	"maps"
	"reflect"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/sim/peers"
)

// call is what became of one call.
type call struct {
	ok   bool
	cost time.Duration
}

// script is a Balancer that tests write: it notes what it is told.
type script struct {
	pick    func(now time.Duration) (int, bool)
	picks   []time.Duration
	reports map[time.Duration]call // by the time of the report
}

func (s *script) Pick(now time.Duration) (int, bool) {
	s.picks = append(s.picks, now)
	if s.pick == nil {
		return 0, true
	}
	return s.pick(now)
}

func (s *script) Report(_ int, ok bool, cost, now time.Duration) {
	if s.reports == nil {
		s.reports = make(map[time.Duration]call)
	}
	s.reports[now] = call{ok, cost}
}

// play runs a scenario with a balancer of the test's own.
func play(s Scenario, b peers.Balancer) Result {
	return Run(&s, Algorithm{ID: "script", New: func(Env) peers.Balancer { return b }}, 1)
}

func TestEqualSeedsGiveEqualResults(t *testing.T) {
	t.Parallel()
	s := brief(agents(2))
	for _, a := range Algorithms() {
		first, again, other := Run(&s, a, 3), Run(&s, a, 3), Run(&s, a, 4)
		if !reflect.DeepEqual(first, again) {
			t.Errorf("%s: %+v, then %+v", a.ID, first, again)
		}
		if reflect.DeepEqual(first, other) {
			t.Errorf("%s: the seed makes no difference", a.ID)
		}
	}
}

// Whatever hosts an algorithm chooses, calls come at the same times and have
// the same luck.
func TestAlgorithmsMeetEqualLuck(t *testing.T) {
	t.Parallel()
	s := brief(natural(0.3))
	s.State = well
	one, turns := &script{}, &script{}
	n := 0
	turns.pick = func(time.Duration) (int, bool) { n++; return n % 10, true }
	a, b := play(s, one), play(s, turns)
	if len(one.picks) < 1000 || !reflect.DeepEqual(one.picks, turns.picks) {
		t.Errorf("%d calls and %d at other times", len(one.picks), len(turns.picks))
	}
	if !maps.Equal(one.reports, turns.reports) || a.Failed != b.Failed || a.Failed == 0 {
		t.Errorf("%d and %d calls failed", a.Failed, b.Failed)
	}
}

func TestCallsBeforeTheFaultDoNotCount(t *testing.T) {
	t.Parallel()
	s := brief(natural(1))
	b := &script{}
	r := play(s, b)
	after := 0
	for _, at := range b.picks {
		if at >= s.Warmup {
			after++
		}
	}
	if r.Calls != after || r.Failed != after || after == len(b.picks) {
		t.Errorf("%d calls count and %d failed, of %d", r.Calls, r.Failed, len(b.picks))
	}
	all := 0
	for i := range r.Picks {
		all += r.Picks[i]
		if r.FirstPicks[i] != r.Picks[i] {
			t.Errorf("the only host called got %d of %d picks in second %d", r.FirstPicks[i], r.Picks[i], i)
		}
	}
	if all != after {
		t.Errorf("%d picks are counted by seconds, of %d", all, after)
	}
}

func TestOutcome(t *testing.T) {
	t.Parallel()
	patient := newScenario("", "", "", 1, 1, nil, timeout(3*time.Second))
	forked := newScenario("", "", "", 1, 1, nil, bimodal)
	lucky := dice{fails: 0.9, kind: 0.9}
	for _, row := range []struct {
		name  string
		s     *Scenario
		state State
		dice  dice
		queue time.Duration
		want  call
	}{
		{"a good call", &patient, State{}, lucky, 0, call{true, usual}},
		{"bad luck", &patient, State{}, dice{fails: 0.0004}, 0, call{false, usual}},
		{"failing", &patient, State{Fail: 0.91}, lucky, 0, call{false, usual}},
		{"refused at once", &patient, State{Mode: Refusing}, lucky, 0, call{false, refusal}},
		{"hanging until the time-out", &patient, State{Mode: Hanging}, lucky, 0, call{false, 3 * time.Second}},
		{"never answered", &patient, State{Mode: Frozen}, lucky, 0, call{false, 3 * time.Second}},
		{"slow", &patient, State{Slow: 7}, lucky, 0, call{true, 7 * usual}},
		{"too slow", &patient, State{Slow: 301}, lucky, 0, call{false, 3 * time.Second}},
		{"behind others", &patient, State{}, lucky, time.Second, call{true, time.Second + usual}},
		{"too far behind", &patient, State{}, lucky, 3 * time.Second, call{false, 3 * time.Second}},
		{"a cache hit", &forked, State{}, lucky, 0, call{true, usual}},
		{"a cache miss", &forked, State{}, dice{fails: 0.9, kind: 0.1}, 0, call{true, 8 * usual}},
	} {
		ok, cost := row.s.outcome(row.state, row.dice, row.queue)
		if got := (call{ok, cost}); got != row.want {
			t.Errorf("%s: %+v, want %+v", row.name, got, row.want)
		}
	}
}

func TestQueue(t *testing.T) {
	t.Parallel()
	s := newScenario("", "", "", 1, 1, nil, capacity(10))
	r := &run{Scenario: &s, busy: make([]time.Duration, 1)}
	for i := range 10 {
		if got, want := r.queue(0, State{}, 0), time.Duration(i)*100*time.Millisecond; got != want {
			t.Errorf("call %d waits %v, want %v", i, got, want)
		}
	}
	for range 3 { // these give up, and leave the queue as it is
		if got := r.queue(0, State{}, 0); got != time.Second {
			t.Errorf("a call that will give up waits %v", got)
		}
	}
	if got := r.queue(0, State{}, 700*time.Millisecond); got != 300*time.Millisecond {
		t.Errorf("700 ms later a call waits %v", got)
	}
	if got := r.queue(0, State{Mode: Refusing}, 0); got != 0 {
		t.Errorf("a refused call waits %v", got)
	}
	s.Capacity = 0
	if got := r.queue(0, State{}, 0); got != 0 {
		t.Errorf("without a limit a call waits %v", got)
	}
}

// What callers report, and when.
func TestReports(t *testing.T) {
	t.Parallel()
	const delay = 3 * time.Second
	all, late3s, onlyFailures, withoutCost := &script{}, &script{}, &script{}, &script{}
	for b, o := range map[*script]option{
		all: func(*Scenario) {}, late3s: late(delay), onlyFailures: failuresOnly, withoutCost: noCost,
	} {
		play(brief(o), b)
	}
	failures := 0
	for at, c := range all.reports {
		if !c.ok {
			failures++
			if onlyFailures.reports[at] != c {
				t.Errorf("the failure reported at %v is missing", at)
			}
		}
		if at+delay < 15*time.Second && late3s.reports[at+delay] != c {
			t.Errorf("the report of %v does not come at %v", at, at+delay)
		}
		if got := withoutCost.reports[at]; got != (call{c.ok, 0}) {
			t.Errorf("without costs %+v is reported as %+v", c, got)
		}
	}
	if failures == 0 || failures == len(all.reports) || len(onlyFailures.reports) != failures {
		t.Errorf("%d of %d calls failed, %d are reported", failures, len(all.reports), len(onlyFailures.reports))
	}
}

// checking is a Balancer that has host 0 checked once.
type checking struct {
	script
	asked   bool
	askedAt time.Duration
	answers []call
}

func (c *checking) Pick(now time.Duration) (int, bool) {
	if !c.asked {
		c.askedAt = now
	}
	return 1, true
}

func (c *checking) TakeChecks(dst []int) []int {
	if c.asked {
		return dst
	}
	c.asked = true
	return append(dst, 0)
}

func (c *checking) Checked(host int, ok bool, now time.Duration) {
	c.answers = append(c.answers, call{ok && host == 0, now - c.askedAt})
}

func TestChecks(t *testing.T) {
	t.Parallel()
	for _, row := range []struct {
		state State
		noTCP bool
		want  call
	}{
		{State{}, false, call{true, refusal}},
		{State{Fail: 1}, false, call{true, refusal}},
		{State{Mode: Frozen}, false, call{true, refusal}},
		{State{Mode: Refusing}, false, call{false, refusal}},
		{State{Mode: Hanging}, false, call{false, checkTimeout}},
		{State{}, true, call{false, refusal}},
	} {
		s := brief(warmup(0))
		s.NoTCP, s.State = row.noTCP, fault(1, row.state)
		b := &checking{}
		play(s, b)
		if len(b.answers) != 1 || b.answers[0] != row.want {
			t.Errorf("%+v: %+v, want %+v", row.state, b.answers, row.want)
		}
	}
}

// ejecting is a Balancer that keeps hosts out.
type ejecting struct {
	script
	out func(host int, now time.Duration) bool
	now time.Duration
}

func (e *ejecting) Pick(now time.Duration) (int, bool) {
	e.now = now
	return e.script.Pick(now)
}

func (e *ejecting) Out(host int) bool { return e.out(host, e.now) }

func TestHealthyOut(t *testing.T) {
	t.Parallel()
	s := brief() // 5 s of calm, 10 s with a fault at host 0
	b := &ejecting{out: func(host int, now time.Duration) bool {
		// Hosts 0 and 1 are always out, host 2 for two seconds after the fault.
		return host < 2 || host == 2 && now >= 7*time.Second && now < 9*time.Second
	}}
	r := play(s, b)
	about := func(got, want time.Duration) bool {
		return got >= want-300*time.Millisecond && got <= want+300*time.Millisecond
	}
	if !r.Ejects || !about(r.HealthyOut, 12*time.Second) || !about(r.HostTime/9, 10*time.Second) || r.Ejections != 1 {
		t.Errorf("out for %v of %v, ejected %d times", r.HealthyOut, r.HostTime, r.Ejections)
	}
	if r := play(s, &script{}); r.Ejects {
		t.Error("a balancer that ejects nothing counts as one that does")
	}
}

func TestAttemptsAtADeadHost(t *testing.T) {
	t.Parallel()
	s := brief()
	s.State = fault(1, State{Mode: Refusing})
	out := func(host int, _ time.Duration) bool { return host == 0 }
	var last time.Duration
	b := &ejecting{out: out}
	b.pick = func(now time.Duration) (int, bool) { // twice a second
		if now < last+500*time.Millisecond {
			return 1, true
		}
		last = now
		return 0, true
	}
	if r := play(s, b); r.MostAttempts != 2 {
		t.Errorf("%d attempts within a second, want 2", r.MostAttempts)
	}
	s.State = fault(1, State{Fail: 0.9})
	if r := play(s, b); r.MostAttempts != 0 {
		t.Errorf("a host that some calls succeed at had %d attempts", r.MostAttempts)
	}
}

func TestRefusedCountsWhileAGoodHostExists(t *testing.T) {
	t.Parallel()
	s := brief()
	refusing := &script{pick: func(time.Duration) (int, bool) { return 0, false }}
	if r := play(s, refusing); r.Refused != r.Calls || r.Lost() != r.Calls || r.Calls == 0 {
		t.Errorf("%+v", r)
	}
	s.State = fault(10, State{Mode: Hanging})
	if r := play(s, refusing); r.Refused != 0 || r.Calls == 0 {
		t.Errorf("with no good host %d of %d count as refused", r.Refused, r.Calls)
	}
}

// Callers in turn wait for one call before they make the next.
func TestWorkers(t *testing.T) {
	t.Parallel()
	s := brief(workers(2, 0), warmup(0))
	s.State = fault(10, State{Mode: Hanging})
	if r := play(s, &script{}); r.Calls != 2*10 {
		t.Errorf("two callers made %d calls of a second in ten", r.Calls)
	}
}

func TestPauses(t *testing.T) {
	t.Parallel()
	const s, ms = time.Second, time.Millisecond
	paused := brief(pauses(200*ms, 10*s))
	for _, row := range []struct{ due, want time.Duration }{
		{0, 0}, {100 * ms, 100 * ms}, {10*s - 1, 10*s - 1},
		{10 * s, 10*s + 200*ms}, {10*s + 105*ms, 10*s + 205*ms}, {10*s + 210*ms, 10*s + 210*ms}, {11 * s, 11 * s},
		{20 * s, 20*s + 200*ms},
	} {
		if got := paused.awake(row.due); got != row.want {
			t.Errorf("what is due at %v happens at %v, want %v", row.due, got, row.want)
		}
	}
	b := &script{}
	play(paused, b)
	last := time.Duration(0)
	for _, at := range b.picks {
		if at < last || at > 10*s && at < 10*s+200*ms {
			t.Errorf("a pick at %v after one at %v", at, last)
		}
		last = at
	}
	longest := time.Duration(0)
	for at, c := range b.reports {
		if at > 10*s && at < 10*s+200*ms {
			t.Errorf("a report at %v", at)
		}
		longest = max(longest, c.cost)
	}
	if longest < 200*ms {
		t.Errorf("the longest call took %v", longest)
	}
}

func TestCrowding(t *testing.T) {
	t.Parallel()
	s := brief(agents(2))
	s.Rate = 1000
	s.State = well
	if r := play(s, &script{}); r.Crowding != 10 {
		t.Errorf("one of ten gets all: %v fair shares", r.Crowding)
	}
	n := 0
	if r := play(s, &script{pick: func(time.Duration) (int, bool) { n++; return n % 10, true }}); r.Crowding < 1 || r.Crowding > 1.2 {
		t.Errorf("all in turn: %v fair shares", r.Crowding)
	}
	s.Rate = 50
	if r := play(s, &script{}); r.Crowding != 0 {
		t.Errorf("five picks in 100 ms say %v", r.Crowding)
	}
}
