package balance_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/balance"
	"github.com/lars-lb/lars/internal/route"
)

// town is a module under the policy adaptive whose hosts are named by capital
// letters, with a clock that only the test moves. Calls end at once unless the
// test says otherwise.
type town struct {
	t    *testing.T
	lb   *balance.LoadBalance
	cfg  balance.Config
	now  time.Duration
	bad  string // hosts whose calls fail
	deaf string // hosts to which no TCP connection can be made
	mute string // hosts whose picks are never reported
	cost map[byte]time.Duration
	// untold says that callers do not report what a call cost.
	untold bool

	picks  map[byte]int
	checks map[byte]int
	events []string
	none   int // picks that got no host
}

func newTown(t *testing.T, letters string, set ...func(*balance.Config)) *town {
	w := &town{t: t, cfg: balance.DefaultConfig(), now: time.Hour, cost: map[byte]time.Duration{}}
	w.cfg.Policy = balance.Adaptive
	for _, f := range set {
		f(&w.cfg)
	}
	w.lb = balance.New(route.Module{ModID: 1, CmdID: 1}, &w.cfg)
	w.lb.Update(nodes(hosts(letters)), w.now)
	w.forget()
	return w
}

func noCheck(c *balance.Config) { c.Check = false }

// forget starts counting anew.
func (w *town) forget() {
	w.picks, w.checks, w.events, w.none = map[byte]int{}, map[byte]int{}, nil, 0
}

// run makes calls for a time, one each gap.
func (w *town) run(d, gap time.Duration) {
	w.t.Helper()
	for end := w.now + d; w.now < end; w.now += gap {
		w.call()
	}
}

func (w *town) call() {
	w.t.Helper()
	h, v := w.lb.Pick(w.now)
	w.answer()
	if v != balance.Picked {
		w.none++
		if idle, _, _ := w.lb.Count(); idle > 0 {
			w.t.Fatalf("at %v: %v with %d idle hosts", w.now, v, idle)
		}
		return
	}
	letter := byte(h.IP)
	w.picks[letter]++
	if !has(w.mute, letter) {
		cost := time.Millisecond
		if c, ok := w.cost[letter]; ok {
			cost = c
		}
		told := cost
		if w.untold {
			told = 0
		}
		w.lb.Report(h, !has(w.bad, letter), told, w.now+cost)
	}
	w.answer()
	if err := w.lb.Check(); err != nil {
		w.t.Fatalf("at %v: %v", w.now, err)
	}
}

// answer does what the policy asks for.
func (w *town) answer() {
	for _, e := range w.lb.TakeEvents(nil) {
		text := fmt.Sprintf("%c %v: %v", byte(e.Host.IP), e.State, e.Reason.Cause)
		if e.Host == (route.Host{}) {
			text = fmt.Sprintf("all %v: %v", e.State, e.Reason.Cause)
		}
		w.events = append(w.events, text)
	}
	for _, h := range w.lb.TakeChecks(nil) {
		w.checks[byte(h.IP)]++
		w.lb.Checked(h, !has(w.deaf, byte(h.IP)), w.now)
	}
}

func has(letters string, letter byte) bool { return slices.Contains([]byte(letters), letter) }

func (w *town) states() string {
	f := fixture{lb: w.lb, now: w.now}
	return f.states()
}

func (w *town) want(states string, events ...string) {
	w.t.Helper()
	if got := w.states(); got != states {
		w.t.Errorf("at %v: states are %s, want %s", w.now, got, states)
	}
	if !slices.Equal(w.events, events) {
		w.t.Errorf("at %v: events are %q, want %q", w.now, w.events, events)
	}
}

const ms = time.Millisecond

func TestAdaptiveSpreadsEvenly(t *testing.T) {
	w := newTown(t, "ABCD")
	w.run(4*time.Second, 10*ms)
	w.want("ABCD")
	for letter, n := range w.picks {
		if n != 100 {
			t.Errorf("%c got %d picks of 400, want 100", letter, n)
		}
	}
}

// Agents that start together begin with different hosts, each by its seed.
func TestAdaptiveStartsAnywhere(t *testing.T) {
	first := map[byte]int{}
	for seed := range uint64(200) {
		w := newTown(t, "ABCD", func(c *balance.Config) { c.Seed = seed })
		w.call()
		for letter := range w.picks {
			first[letter]++
		}
	}
	for letter := byte('A'); letter <= 'D'; letter++ {
		if first[letter] < 25 {
			t.Errorf("of 200 agents %d begin with %c", first[letter], letter)
		}
	}
}

func TestFailingHostIsEjectedAfterAHandfulOfCalls(t *testing.T) {
	w := newTown(t, "ABCD", noCheck)
	w.run(10*time.Second, 10*ms)
	w.forget()
	w.bad = "B"
	w.run(500*ms, 10*ms)
	w.want("AbCD", "B overload: failing")
	if n := w.picks['B']; n != 4 {
		t.Errorf("B was picked %d times, want 4", n)
	}
}

// With a TCP check, two bad calls and a refused connection suffice; but only
// once a host that works was found to accept connections.
func TestUnreachableHostIsEjectedSooner(t *testing.T) {
	w := newTown(t, "ABCD")
	w.run(10*time.Second, 10*ms)
	w.forget()
	w.bad, w.deaf = "B", "B"
	w.run(500*ms, 10*ms)
	w.want("AbCD", "B overload: unreachable")
	if n := w.picks['B']; n > 3 {
		t.Errorf("B was picked %d times, want at most 3", n)
	}
}

// A service that does not listen on TCP is judged by its calls alone.
func TestChecksSayNothingWhereNobodyListens(t *testing.T) {
	w := newTown(t, "ABCD")
	w.deaf = "ABCD"
	w.run(10*time.Second, 10*ms)
	w.bad = "B"
	w.run(60*time.Second, 10*ms)
	if w.states() != "AbCD" {
		t.Fatalf("states are %s", w.states())
	}
	if n := w.checks['A'] + w.checks['B'] + w.checks['C'] + w.checks['D']; n == 0 || n > 2 {
		t.Errorf("%d checks, want B's and one of a host that works", n)
	}
	w.bad = ""
	w.forget()
	w.run(60*time.Second, 10*ms)
	w.want("ABCD", "B idle: recovered")
}

// A host that comes back is under closer watch.
func TestRelapseIsNoticedSooner(t *testing.T) {
	w := newTown(t, "ABCD", noCheck)
	w.run(10*time.Second, 10*ms)
	w.bad = "B"
	w.run(time.Second, 10*ms)
	w.bad = ""
	for w.states() != "ABCD" {
		w.run(10*ms, 10*ms)
	}
	w.bad = "B"
	w.forget()
	for w.states() == "ABCD" {
		w.run(10*ms, 10*ms)
	}
	if n := w.picks['B']; n != 2 {
		t.Errorf("B was picked %d times before it was out again, want 2", n)
	}
}

// A moment in which everything fails is no blackout.
func TestShortBurstOfFailuresIsNoBlackout(t *testing.T) {
	w := newTown(t, "ABCD", noCheck)
	w.run(10*time.Second, 10*ms)
	w.bad = "ABCD"
	w.run(150*ms, ms)
	w.bad = ""
	w.run(time.Second, ms)
	if w.none > 0 {
		t.Errorf("%d picks were refused", w.none)
	}
}

// A host that refuses checks for ever while its calls would succeed is tried
// by a call now and then.
func TestNoHostIsLostToItsChecks(t *testing.T) {
	w := newTown(t, "ABCD")
	w.run(10*time.Second, 10*ms)
	w.bad, w.deaf = "B", "B"
	w.run(time.Second, 10*ms)
	w.forget()
	w.bad = ""
	w.run(11*time.Minute, 20*ms)
	w.want("ABCD", "B idle: recovered")
}

func TestProbesBringAHostBackByAndBy(t *testing.T) {
	w := newTown(t, "ABCD", noCheck)
	w.run(10*time.Second, 10*ms)
	w.bad = "B"
	w.run(5*time.Second, 10*ms)
	w.bad = ""
	w.forget()
	w.run(6*time.Second, 10*ms)
	w.want("ABCD", "B idle: recovered")
	if v := w.lb.View(nil, w.now)[1]; v.BadShare > 0 || v.RecentCalls == 0 {
		t.Errorf("%v of %v calls since its return were bad", v.BadShare, v.RecentCalls)
	}
	shares := []float64{}
	for range 12 {
		w.forget()
		w.run(time.Second, time.Millisecond)
		shares = append(shares, float64(w.picks['B'])/250)
	}
	for i := 1; i < len(shares); i++ {
		if shares[i] < shares[i-1]-0.05 {
			t.Errorf("the share of B falls while it should grow: %.2f", shares)
		}
	}
	if shares[0] > 0.6 || shares[11] < 0.98 {
		t.Errorf("the share of B grew like this: %.2f", shares)
	}
}

// Probes back off, at most to a minute, and never exceed a host's fair share.
func TestProbesBackOff(t *testing.T) {
	w := newTown(t, "ABCD", noCheck)
	w.run(10*time.Second, 10*ms)
	w.bad = "B"
	w.run(time.Second, 10*ms)
	var probes []time.Duration
	for range 60_000 { // ten minutes
		w.now += 10 * ms
		w.forget()
		if w.call(); w.picks['B'] > 0 {
			probes = append(probes, w.now)
		}
	}
	if len(probes) < 12 || len(probes) > 28 {
		t.Errorf("%d probes in ten minutes", len(probes))
	}
	for i := 1; i < len(probes); i++ {
		if gap := probes[i] - probes[i-1]; gap < time.Second || gap > time.Minute+ms*20 {
			t.Errorf("probe %d follows after %v", i, gap)
		}
	}
}

func TestAFewPicksAreNotSpentOnProbes(t *testing.T) {
	w := newTown(t, "ABCDEFGHIJKL", noCheck)
	w.run(10*time.Second, 10*ms)
	w.bad = "B"
	w.run(time.Second, 10*ms)
	w.forget()
	w.run(36*time.Second, time.Second) // 36 picks: B's fair share is 3
	if w.picks['B'] > 3 {
		t.Errorf("B got %d of 36 picks", w.picks['B'])
	}
}

// A host that fails soon after its return is left alone for longer each time.
func TestRelapsesBackOff(t *testing.T) {
	w := newTown(t, "ABCD", noCheck)
	w.run(10*time.Second, 10*ms)
	var out []time.Duration
	for range 4 {
		w.bad = "B"
		for w.states() == "ABCD" {
			w.run(10*ms, 10*ms)
		}
		w.bad = ""
		start := w.now
		for w.states() != "ABCD" {
			w.run(10*ms, 10*ms)
		}
		out = append(out, w.now-start)
		w.run(5*time.Second, 10*ms)
	}
	for i := 1; i < len(out); i++ {
		if out[i] < out[i-1]*3/2 {
			t.Errorf("times out were %v, want each much longer than the one before", out)
		}
	}
	w.run(5*time.Minute, 10*ms)
	w.bad = "B"
	for w.states() == "ABCD" {
		w.run(10*ms, 10*ms)
	}
	w.bad = ""
	w.forget()
	if w.run(3*time.Second, 10*ms); w.states() != "ABCD" {
		t.Error("a host that was well for long is not back after 3 s")
	}
}

func TestHangingHostIsSeenBeforeACallReturns(t *testing.T) {
	w := newTown(t, "ABCD", noCheck)
	w.run(10*time.Second, 10*ms)
	w.forget()
	w.mute = "B"
	w.run(time.Second, 10*ms)
	w.want("AbCD", "B overload: hanging")
	if n := w.picks['B']; n > 8 {
		t.Errorf("B was picked %d times", n)
	}
}

// A caller that stands still makes all hosts wait, and none is to blame.
func TestStandstillBlamesNobody(t *testing.T) {
	w := newTown(t, "ABCDEFGHIJ", noCheck)
	for range 50 {
		w.run(time.Second, 10*ms)
		w.mute = "ABCDEFGHIJ"
		w.run(300*ms, 2*ms)
		w.mute = ""
		w.now += 500 * ms
	}
	w.want("ABCDEFGHIJ")
}

func TestSlowHostIsEjected(t *testing.T) {
	w := newTown(t, "ABCD")
	w.run(10*time.Second, 10*ms)
	w.forget()
	w.cost['B'] = 50 * ms
	w.run(2*time.Second, 10*ms)
	if got := w.states(); got != "AbCD" {
		t.Errorf("states are %s", got)
	}
	v := w.lb.View(nil, w.now)[1]
	if v.Reason.PeerCost < ms/2 || v.Reason.PeerCost > 2*ms {
		t.Errorf("the reason says that the peers take %v", v.Reason.PeerCost)
	}
}

// Callers need not say how long a call took: the time until they report tells.
func TestSlowHostIsSeenWithoutCosts(t *testing.T) {
	w := newTown(t, "ABCD", noCheck)
	w.untold = true
	w.run(20*time.Second, 50*ms)
	w.forget()
	w.cost['B'] = 60 * ms // and reported before its next turn
	w.run(5*time.Second, 50*ms)
	w.want("AbCD", "B overload: hanging")
}

// When all get slow or fail alike, nobody is out.
func TestSharedCauseEjectsNobody(t *testing.T) {
	t.Run("slow", func(t *testing.T) {
		w := newTown(t, "ABCDEF")
		w.run(10*time.Second, 10*ms)
		for letter := byte('A'); letter <= 'F'; letter++ {
			w.cost[letter] = 40 * ms
		}
		w.run(time.Minute, 10*ms)
		if got := w.states(); got != "ABCDEF" || w.none > 0 {
			t.Errorf("states are %s, %d refused", got, w.none)
		}
	})
	t.Run("half fail", func(t *testing.T) {
		w := newTown(t, "ABCDEF")
		w.run(10*time.Second, 10*ms)
		for i := range 6000 {
			w.bad = []string{"ABCDEF", "ABCDEF", "", ""}[(i*7+i/6)%4]
			w.run(10*ms, 10*ms)
		}
		if got := w.states(); got != "ABCDEF" || w.none > 0 {
			t.Errorf("states are %s, %d refused", got, w.none)
		}
	})
}

// Even most hosts may go if the rest are well.
func TestMostHostsMayBeOut(t *testing.T) {
	for _, bad := range []string{"AB", "CDE", "ABCDE", "BCDEF"} {
		w := newTown(t, "ABCDEF", noCheck)
		w.run(10*time.Second, 10*ms)
		w.bad = bad
		w.run(30*time.Second, 10*ms)
		for i := range len(bad) {
			f := w.lb.State(host(bad[i]))
			if f != balance.Overload {
				t.Errorf("%s are bad: %s", bad, w.states())
				break
			}
		}
		w.forget()
		w.run(10*time.Second, 10*ms)
		lost := w.none
		for i := range len(bad) {
			lost += w.picks[bad[i]]
		}
		if lost > 30 {
			t.Errorf("%s are bad: %d of 1000 calls still lost", bad, lost)
		}
	}
}

func TestBlackoutLetsATrickleThrough(t *testing.T) {
	for _, letters := range []string{"A", "AB", "ABCDEFGHIJ"} {
		w := newTown(t, letters)
		w.run(10*time.Second, ms)
		w.bad, w.deaf = letters, letters
		w.run(5*time.Second, ms)
		w.forget()
		w.run(10*time.Second, ms)
		given := 0
		for letter, n := range w.picks {
			given += n
			if n > 10 {
				t.Errorf("%s: %c was given %d times in 10 s", letters, letter, n)
			}
		}
		if given == 0 || given > 210 {
			t.Errorf("%s: %d of 10000 picks in the dark were given out", letters, given)
		}
		if m := w.lb.Mood(w.now); m.Cause != balance.Blackout {
			t.Errorf("%s: mood is %v", letters, m.Cause)
		}
		w.bad, w.deaf = "", ""
		w.forget()
		w.run(2*time.Second, ms)
		w.want(letters, "all idle: recovered")
		w.forget()
		w.run(time.Second, ms)
		if w.none > 0 {
			t.Errorf("%s: %d refused after the recovery", letters, w.none)
		}
	}
}

func TestDrainedHostIsNotPicked(t *testing.T) {
	for _, policy := range []balance.Policy{balance.Classic, balance.Adaptive} {
		w := newTown(t, "ABC", func(c *balance.Config) { c.Policy = policy })
		ns := nodes(hosts("ABC"))
		ns[1].Weight = 0
		w.lb.Update(ns, w.now)
		w.run(time.Second, 10*ms)
		if w.picks['B'] > 0 || w.none > 0 || w.picks['A'] != 50 {
			t.Errorf("%s: picks are %v, %d refused", policy, w.picks, w.none)
		}
		if got := w.lb.Nodes(nil); !slices.Equal(got, ns) {
			t.Errorf("%s: route is %v", policy, got)
		}
		ns[0].Weight, ns[2].Weight = 0, 0
		w.lb.Update(ns, w.now)
		if h, v := w.lb.Pick(w.now); v != balance.Overloaded {
			t.Errorf("%s: with all drained the pick is %v, %v", policy, h, v)
		}
		ns[1].Weight = 300
		ns[0].Weight = 100
		w.lb.Update(ns, w.now)
		w.forget()
		w.run(4*time.Second, 10*ms)
		if w.picks['A'] != 100 || w.picks['B'] != 300 {
			t.Errorf("%s: picks by weight are %v", policy, w.picks)
		}
	}
}

// A host that was drained while it was out goes on being tried afterwards; one
// whose last idle peer leaves is given the benefit of the doubt.
func TestRouteChangesWhileHostsAreOut(t *testing.T) {
	w := newTown(t, "ABC", noCheck)
	w.run(10*time.Second, 10*ms)
	w.bad = "B"
	w.run(time.Second, 10*ms)
	ns := nodes(hosts("ABC"))
	ns[1].Weight = 0
	w.lb.Update(ns, w.now)
	w.bad = ""
	w.forget()
	w.run(time.Minute, 10*ms)
	if w.picks['B'] > 0 {
		t.Errorf("a drained host was probed %d times", w.picks['B'])
	}
	ns[1].Weight = 100
	w.lb.Update(ns, w.now)
	w.run(20*time.Second, 10*ms)
	w.want("ABC", "B idle: recovered")

	w.bad = "B"
	w.run(time.Second, 10*ms)
	w.lb.Update(nodes(hosts("B")), w.now)
	if got := w.states(); got != "B" {
		t.Errorf("the only host left is %s", got)
	}
}

// Callers that report only failures: silence is success, and a host that fails
// is noticed all the same.
func TestCallersThatReportOnlyFailures(t *testing.T) {
	w := newTown(t, "ABCD", noCheck)
	w.mute = "ABCD"
	w.run(20*time.Second, 10*ms)
	w.want("ABCD")
	w.bad, w.mute = "B", "ACD"
	w.run(2*time.Second, 10*ms)
	w.want("AbCD", "B overload: failing")
	w.mute, w.bad = "ABCD", ""
	w.forget()
	w.run(time.Minute, 10*ms)
	w.want("ABCD", "B idle: recovered")
}

// Only failures are reported, and there are many: that is no reason to refuse.
func TestManyFailuresAreNoBlackoutWhereSuccessIsSilent(t *testing.T) {
	w := newTown(t, "ABCD", noCheck)
	w.mute = "ABCD"
	w.run(20*time.Second, 10*ms)
	for i := range 3000 {
		w.mute, w.bad = "ABCD", "ABCD"
		if (i*7+i/5)%5 < 2 {
			w.mute = ""
		}
		w.run(10*ms, 10*ms)
	}
	if w.none > 0 {
		t.Errorf("%d of 3000 picks were refused", w.none)
	}
}

// Reports that come after the probe's time is up count as well.
func TestLateReportOnAProbeCounts(t *testing.T) {
	w := newTown(t, "AB", noCheck)
	type report struct {
		at time.Duration
		h  route.Host
	}
	var late []report
	step := func() {
		w.now += 10 * ms
		if h, v := w.lb.Pick(w.now); v == balance.Picked {
			late = append(late, report{w.now + 8*time.Second, h})
		}
		for len(late) > 0 && late[0].at <= w.now {
			w.lb.Report(late[0].h, !has(w.bad, byte(late[0].h.IP)), 0, w.now)
			late = late[1:]
		}
		w.answer()
	}
	for range 3000 {
		step()
	}
	w.bad = "B"
	for range 2000 {
		step()
	}
	if got := w.states(); got != "Ab" {
		t.Fatalf("states are %s", got)
	}
	w.bad = ""
	for range 12_000 {
		step()
	}
	if got := w.states(); got != "AB" {
		t.Errorf("two minutes later the states are %s", got)
	}
}

func TestPolicyChangesAtRunTime(t *testing.T) {
	w := newTown(t, "ABC", noCheck)
	w.run(10*time.Second, 10*ms)
	w.bad = "B"
	w.run(time.Second, 10*ms)
	classic, adaptive := w.cfg, w.cfg
	classic.Policy = balance.Classic
	w.lb.SetConfig(&classic, w.now)
	w.want("ABC", "B overload: failing")
	w.forget()
	w.run(time.Second, 10*ms)
	w.lb.SetConfig(&adaptive, w.now)
	w.forget()
	w.run(time.Second, 10*ms)
	w.want("AbC", "B overload: failing")
	if w.lb.Policy() != balance.Adaptive {
		t.Errorf("policy is %v", w.lb.Policy())
	}
}
