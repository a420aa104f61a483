package balance_test

import (
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/balance"
)

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

// However much later than the agent a caller takes a call to begin.
func TestHangingHostIsSeenBeforeACallReturns(t *testing.T) {
	for _, lag := range []time.Duration{0, 60 * time.Microsecond, 3 * ms} {
		w := newTown(t, "ABCD", noCheck)
		w.lag = lag
		w.run(10*time.Second, 10*ms)
		w.forget()
		w.mute = "B"
		w.run(time.Second, 10*ms)
		w.want("AbCD", "B overload: hanging")
		if n := w.picks['B']; n > 8 {
			t.Errorf("with a lag of %v B was picked %d times", lag, n)
		}
	}
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
