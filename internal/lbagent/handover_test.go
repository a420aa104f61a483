package lbagent

import (
	"slices"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/balance"
	"github.com/lars-lb/lars/internal/route"
)

// fakeHelper notes what a RouteLB hands over.
type fakeHelper struct {
	events []balance.Event
	checks []route.Host
	drop   bool
}

func (f *fakeHelper) tell(_ route.Module, e balance.Event) { f.events = append(f.events, e) }

func (f *fakeHelper) check(_ route.Module, h route.Host) bool {
	f.checks = append(f.checks, h)
	return !f.drop
}

func (f *fakeHelper) asked(h route.Host) bool {
	found := slices.Contains(f.checks, h)
	f.checks = nil
	return found
}

var hostC = route.Host{IP: 0x0a000003, Port: 80}

// adaptiveLB holds module1 with three hosts.
func adaptiveLB(t testing.TB, change func(*Config)) (*RouteLB, *fakeHelper) {
	t.Helper()
	r := testLB(func(c *Config) {
		c.Settings.Balance.Policy = balance.Adaptive
		if change != nil {
			change(c)
		}
	})
	helper := new(fakeHelper)
	r.helper = helper
	r.Pick(module1, 0)
	r.Apply(module1, nodes(hostA, hostB, hostC), 0)
	return r, helper
}

// call makes calls, of which those to bad fail, each a millisecond after the
// other, until done or for a minute.
func call(t *testing.T, r *RouteLB, now *time.Duration, bad route.Host, what string, done func(picked route.Host) bool) {
	t.Helper()
	for end := *now + time.Minute; *now < end; *now += time.Millisecond {
		h, v, _ := r.Pick(module1, *now)
		if v == balance.Picked {
			r.Report(module1, h, h != bad, time.Millisecond, *now)
		}
		if done(h) {
			return
		}
	}
	t.Fatalf("in a minute of calls it does not come to this: %s", what)
}

func TestEventsAndChecksAreHandedOver(t *testing.T) {
	r, helper := adaptiveLB(t, nil)
	var now time.Duration
	call(t, r, &now, hostB, "a host that fails is ejected", func(route.Host) bool { return len(helper.events) > 0 })
	if e := helper.events[0]; e.Host != hostB || e.State != balance.Overload || e.Out != 1 || e.Hosts != 3 {
		t.Errorf("event %+v", e)
	}
	helper.asked(hostB)
	noPick := func(picked route.Host) {
		if picked == hostB {
			t.Fatalf("at %v a host is picked that refuses TCP", now)
		}
	}
	checks := 0
	call(t, r, &now, hostB, "it is checked again and again", func(picked route.Host) bool {
		noPick(picked)
		for _, h := range slices.Clone(helper.checks) {
			r.Checked(module1, h, map[bool]checkResult{true: checkedBad, false: checkedGood}[h == hostB], now)
			if h == hostB {
				checks++
			}
		}
		helper.checks = nil
		return checks >= 5
	})
	if n := len(helper.events); n != 1 {
		t.Errorf("%d events, want that it was ejected: %+v", n, helper.events)
	}
	call(t, r, &now, route.Host{}, "it is checked, good, and picked", func(picked route.Host) bool {
		for _, h := range slices.Clone(helper.checks) {
			r.Checked(module1, h, checkedGood, now)
		}
		helper.checks = nil
		return picked == hostB
	})
	call(t, r, &now, route.Host{}, "it comes back", func(route.Host) bool { return len(helper.events) > 1 })
	if e := helper.events[1]; e.Host != hostB || e.State != balance.Idle || e.Reason.Cause != balance.Recovered {
		t.Errorf("event %+v", e)
	}
}

// Checks that are dropped, or come to nothing, leave no host stuck.
func TestHostIsProbedWithoutAnAnswerToItsCheck(t *testing.T) {
	for _, dropped := range []bool{true, false} {
		r, helper := adaptiveLB(t, nil)
		helper.drop = dropped
		var now time.Duration
		call(t, r, &now, hostB, "a host that fails is ejected", func(route.Host) bool { return len(helper.events) > 0 })
		call(t, r, &now, hostB, "it is probed", func(picked route.Host) bool {
			if !dropped && helper.asked(hostB) {
				r.Checked(module1, hostB, checkedUnknown, now)
			}
			return picked == hostB
		})
		if now > 5*time.Second {
			t.Errorf("dropped %v: probed only at %v", dropped, now)
		}
	}
	r, _ := adaptiveLB(t, nil)
	r.Checked(route.Module{ModID: 9}, hostA, checkedBad, 0) // forgotten meanwhile
}

func TestModulesThatAreNotChecked(t *testing.T) {
	checksOf := func(change func(*Settings)) bool {
		r, helper := adaptiveLB(t, func(c *Config) { change(&c.Settings) })
		var now time.Duration
		call(t, r, &now, hostB, "a host that fails is ejected", func(route.Host) bool { return len(helper.events) > 0 })
		call(t, r, &now, hostB, "it is probed or checked", func(picked route.Host) bool { return picked == hostB || len(helper.checks) > 0 })
		if want := len(helper.checks) > 0; r.WantsCheck(module1, hostB) != want {
			t.Errorf("WantsCheck is not %v", want)
		}
		return len(helper.checks) > 0
	}
	other := route.Module{ModID: 2}
	for _, c := range []struct {
		all    bool
		except map[route.Module]bool
		want   bool
	}{
		{true, nil, true},
		{false, nil, false},
		{true, map[route.Module]bool{module1: false, other: true}, false},
		{false, map[route.Module]bool{module1: true, other: false}, true},
		{true, map[route.Module]bool{other: false}, true},
	} {
		if got := checksOf(func(s *Settings) { s.Balance.Check, s.Checks = c.all, c.except }); got != c.want {
			t.Errorf("check %v except %v: checked %v", c.all, c.except, got)
		}
	}
}

// Another policy, and other modules to check, hold from a reload on.
func TestSettingsChangeWhileRunning(t *testing.T) {
	r, helper := adaptiveLB(t, nil)
	var now time.Duration
	call(t, r, &now, hostB, "a host that fails is ejected", func(route.Host) bool { return len(helper.events) > 0 })
	if !r.WantsCheck(module1, hostB) || r.WantsCheck(module1, route.Host{IP: 1, Port: 1}) || r.WantsCheck(route.Module{ModID: 5}, hostB) {
		t.Error("WantsCheck is wrong")
	}
	s := r.settings.Settings
	s.Checks = map[route.Module]bool{module1: false}
	r.SetSettings(&s, now)
	if r.WantsCheck(module1, hostB) {
		t.Error("the module is still checked")
	}
	if m, hosts, _ := r.Hosts(module1, nil, now); m.Overload != 1 || hosts[1].State != balance.Overload {
		t.Errorf("the host is forgiven: %+v", m)
	}
	s.Balance.Policy = balance.Classic
	r.SetSettings(&s, now)
	if m, ok := r.View(module1, now); !ok || m.Policy != "classic" || m.Idle != 3 {
		t.Errorf("after a change of policy: %+v", m)
	}
}
