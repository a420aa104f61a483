package balance_test

import (
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/balance"
	"github.com/lars-lb/lars/internal/route"
)

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
