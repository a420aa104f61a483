package balance_test

import (
	"slices"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/balance"
)

// A host that is out waits for its TCP check; if that comes to nothing it is
// probed by a call all the same.
func TestUncheckedHostIsProbed(t *testing.T) {
	f := newFixture(func(c *balance.Config) { c.Policy = balance.Adaptive }, "ABC")
	bad := host('B')
	call := func() {
		h, _ := f.lb.Pick(f.now)
		f.lb.Report(h, h != bad, time.Millisecond, f.now)
		f.now += time.Millisecond
	}
	for f.lb.State(bad) == balance.Idle {
		if f.now > time.Minute {
			t.Fatal("a host that fails is not ejected")
		}
		call()
	}
	view := func() balance.HostView { return f.lb.View(nil, f.now)[1] }
	if v := view(); v.Reason.Cause != balance.Failing || v.RunBad == 0 || v.RunBad > v.RunCalls || v.Suspected != balance.Failing {
		t.Errorf("ejected as %+v", v)
	}
	asked := func() bool { return slices.Contains(f.lb.TakeChecks(nil), bad) }
	asked() // when it was suspected first
	f.now = view().NextTry
	for !asked() {
		if f.now > time.Minute {
			t.Fatal("no check is asked for")
		}
		if h, _ := f.lb.Pick(f.now); h == bad {
			t.Fatal("picked before it was checked")
		}
		f.now += time.Millisecond
	}
	f.lb.Unchecked(bad, f.now)
	f.lb.Unchecked(host('X'), f.now) // is in no route
	for end := f.now + 1100*time.Millisecond; f.now < end; f.now += 10 * time.Millisecond {
		if h, _ := f.lb.Pick(f.now); h == bad {
			return
		}
		if asked() {
			break
		}
	}
	t.Error("not probed")
}

func TestHas(t *testing.T) {
	f := newFixture(nil, "AB")
	if !f.lb.Has(host('A')) || f.lb.Has(host('C')) {
		t.Error("wrong hosts")
	}
	f.lb.Unchecked(host('A'), 0) // means nothing to classic
}
