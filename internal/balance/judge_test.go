package balance_test

import (
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/balance"
)

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
