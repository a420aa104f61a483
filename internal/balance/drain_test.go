package balance_test

import (
	"slices"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/balance"
)

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
