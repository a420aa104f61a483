package lbagent

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/balance"
	"github.com/lars-lb/lars/internal/route"
)

// What a module is before something arrives, and after it: the hosts, and
// whether they are stale and the module unsure.
type state struct {
	hosts         []route.Host
	stale, unsure bool
}

// before brings module1 of an empty RouteLB into each state there is.
var before = map[string]struct {
	is    state
	reach func(r *RouteLB)
}{
	"asked for":       {state{}, func(*RouteLB) {}},
	"current":         {state{hosts: []route.Host{hostA}}, func(r *RouteLB) { r.Apply(module1, nodes(hostA), 0) }},
	"gone":            {state{}, func(r *RouteLB) { r.Apply(module1, nodes(hostA), 0); r.Apply(module1, nil, 0) }},
	"restored":        {state{[]route.Host{hostA}, true, true}, nil},
	"of lars-dns's":   {state{[]route.Host{hostA}, true, true}, func(r *RouteLB) { r.ApplyStale(module1, nodes(hostA), 0) }},
	"not in its file": {state{unsure: true}, func(r *RouteLB) { r.ApplyStale(module1, nil, 0) }},
	"current, doubted": {state{hosts: []route.Host{hostA}, unsure: true}, func(r *RouteLB) {
		r.Apply(module1, nodes(hostA), 0)
		r.ApplyStale(module1, nodes(hostB), 0)
	}},
}

func inState(t *testing.T, name string, change func(*Config)) *RouteLB {
	t.Helper()
	r := testLB(change)
	if b := before[name]; b.reach == nil {
		r.Restore(module1, nodes(hostA), 0)
	} else {
		r.Pick(module1, 0)
		b.reach(r)
	}
	if got := stateOf(r); !same(got, before[name].is) {
		t.Fatalf("%s: reached %+v", name, got)
	}
	return r
}

func stateOf(r *RouteLB) state {
	list, stale, _ := r.Route(module1, nil, 0)
	var s state
	for _, n := range list {
		s.hosts = append(s.hosts, n.Host())
	}
	s.stale = stale
	if stats := r.Stats(); stats.Stale != map[bool]int{true: 1}[stale] {
		return state{hosts: []route.Host{{IP: 0xbad}}} // the gauge says another thing than the answer
	}
	s.unsure = r.Stats().Unsure == 1
	return s
}

func same(a, b state) bool {
	return slices.Equal(a.hosts, b.hosts) && a.stale == b.stale && a.unsure == b.unsure
}

func TestWhatArrivesReplacesWhat(t *testing.T) {
	none, a, b := []route.Host(nil), []route.Host{hostA}, []route.Host{hostB}
	for _, c := range []struct {
		before  string
		stale   bool
		arrives []route.Host
		after   state
		changed bool
	}{
		{"asked for", false, a, state{a, false, false}, true},
		{"asked for", false, none, state{none, false, false}, false},
		{"asked for", true, a, state{a, true, true}, true},
		{"asked for", true, none, state{none, false, true}, false},

		{"current", false, a, state{a, false, false}, false},
		{"current", false, b, state{b, false, false}, true},
		{"current", false, none, state{none, false, false}, true},
		{"current", true, b, state{a, false, true}, false},
		{"current", true, none, state{a, false, true}, false},

		{"gone", false, b, state{b, false, false}, true},
		{"gone", true, b, state{none, false, true}, false},
		{"gone", true, none, state{none, false, true}, false},

		{"restored", false, a, state{a, false, false}, false},
		{"restored", false, b, state{b, false, false}, true},
		{"restored", false, none, state{none, false, false}, true},
		{"restored", true, a, state{a, true, true}, false},
		{"restored", true, b, state{b, true, true}, true},
		{"restored", true, none, state{a, true, true}, false},

		{"of lars-dns's", false, b, state{b, false, false}, true},
		{"of lars-dns's", true, b, state{b, true, true}, true},
		{"of lars-dns's", true, none, state{a, true, true}, false},

		{"not in its file", false, none, state{none, false, false}, false},
		{"not in its file", false, b, state{b, false, false}, true},
		{"not in its file", true, b, state{b, true, true}, true},

		{"current, doubted", false, a, state{a, false, false}, false},
		{"current, doubted", false, none, state{none, false, false}, true},
		{"current, doubted", true, b, state{a, false, true}, false},
	} {
		r := inState(t, c.before, nil)
		apply := r.Apply
		if c.stale {
			apply = r.ApplyStale
		}
		changed := apply(module1, nodes(c.arrives...), 0)
		if got := stateOf(r); !same(got, c.after) || changed != c.changed {
			t.Errorf("%s, then stale %v %v: %+v, changed %v; want %+v, %v", c.before, c.stale, c.arrives, got, changed, c.after, c.changed)
		}
	}
}

func TestOnlyDifferencesAreChanges(t *testing.T) {
	r := inState(t, "current", nil)
	ab := []route.Node{route.NodeOf(hostA, 100), route.NodeOf(hostB, 50)}
	ba := []route.Node{ab[1], ab[0], ab[1]}
	for i, c := range []struct {
		nodes []route.Node
		want  bool
	}{
		{ab, true}, {ab, false}, {ba, false}, // in another order, one twice
		{[]route.Node{ab[0], route.NodeOf(hostB, 51)}, true},
		{ab[:1], true}, {nil, true}, {nil, false},
	} {
		if got := r.Apply(module1, c.nodes, 0); got != c.want {
			t.Errorf("step %d: changed %v, want %v", i, got, c.want)
		}
	}
	if r.Apply(route.Module{ModID: 99}, ab, 0) {
		t.Error("a route that nobody asked for is to be saved")
	}
}

// Counts and states of hosts that stay outlive the change from stale to
// current.
func TestStaleRouteThatStaysKeepsItsStatistics(t *testing.T) {
	r := inState(t, "restored", nil)
	r.Report(module1, hostA, false, 0, 0)
	r.Apply(module1, nodes(hostB, hostA), 0)
	_, counts, ok := r.TakeDueCounts(nil, true, 0)
	if want := []balance.Count{{Host: hostA, Err: 1}}; !ok || !slices.Equal(counts, want) {
		t.Errorf("counts %v, want %v", counts, want)
	}
	if _, hosts, _ := r.Hosts(module1, nil, 0); len(hosts) != 2 || hosts[0].Host != hostA || hosts[0].RErr != 1 {
		t.Errorf("hosts %+v", hosts)
	}
}

func TestStaleServedIsCounted(t *testing.T) {
	r := inState(t, "restored", nil)
	pick(t, r, module1, time.Hour, balance.Picked, false) // its pull is noted
	r.Apply(module1, nodes(hostA), time.Hour)
	pick(t, r, module1, time.Hour, balance.Picked, false)
	if s := r.Stats(); s.StaleServed != 1 || s.Picked != 2 {
		t.Errorf("stats %+v", s)
	}
}

// Whatever is unsure is pulled, callers or not: at once after a start, and then
// each UpdateTimeout, until something current comes.
func TestUnsureModulesArePulledUntilTheyAreSure(t *testing.T) {
	for name, b := range before {
		if !b.is.unsure {
			continue
		}
		r := inState(t, name, nil)
		one := []route.Module{module1}
		if name == "restored" {
			if got := r.Overdue(nil, 10, time.Second); !slices.Equal(got, one) {
				t.Errorf("%s: not pulled at first: %v", name, got)
			}
			r.ApplyStale(module1, nodes(hostA), time.Second)
		}
		start := time.Second
		for range 3 {
			if got := r.Overdue(nil, 10, start+12*time.Second); len(got) != 0 {
				t.Errorf("%s: pulled too soon: %v", name, got)
			}
			if got := r.Overdue(nil, 10, start+15*time.Second); !slices.Equal(got, one) {
				t.Errorf("%s: not pulled again: %v", name, got)
			}
			start += 15 * time.Second
			r.ApplyStale(module1, nodes(hostA), start)
			if b.is.hosts != nil { // callers do not make it more often
				pick(t, r, module1, start, balance.Picked, false)
			}
		}
		r.Apply(module1, nodes(hostA), start)
		if got := r.Overdue(nil, 10, start+time.Hour); len(got) != 0 {
			t.Errorf("%s: pulled although sure: %v", name, got)
		}
	}
}

func TestStaleRouteAgesFromItsFile(t *testing.T) {
	r := inState(t, "restored", nil)
	r.RestoredAt(-time.Hour)
	age := func(now time.Duration) int64 {
		v, _ := r.View(module1, now)
		return v.RouteAgeMS
	}
	if v, _ := r.View(module1, 0); !v.Stale || v.RouteAgeMS != time.Hour.Milliseconds() {
		t.Errorf("view %+v", v)
	}
	r.ApplyStale(module1, nodes(hostB), time.Minute)
	if got := age(time.Minute); got != (61 * time.Minute).Milliseconds() {
		t.Errorf("lars-dns's file made it %d ms old", got)
	}
	r.Apply(module1, nodes(hostB), time.Minute)
	if v, _ := r.View(module1, time.Minute); v.Stale || v.RouteAgeMS != 0 {
		t.Errorf("view %+v", v)
	}
}

func TestRestoredModulesAreBounded(t *testing.T) {
	r := testLB(func(c *Config) { c.MaxModules = 2 })
	for i := range int32(3) {
		if got := r.Restore(route.Module{ModID: i}, nodes(hostA), 0); got != (i < 2) {
			t.Errorf("module %d: %v", i, got)
		}
	}
	third := route.Module{ModID: 2}
	pick(t, r, third, 0, balance.Empty, true)
	r.ApplyStale(third, nodes(hostA), 0)
	if s := r.Stats(); s.Modules != 2 || s.Stale != 2 || s.RefusedFull != 1 {
		t.Errorf("stats %+v", s)
	}
}

// A module without hosts may be forgotten; then it is on no list.
func TestForgottenModuleIsNotUnsure(t *testing.T) {
	r := inState(t, "not in its file", func(c *Config) { c.MaxUnknown = 1 })
	pick(t, r, route.Module{ModID: 4}, time.Minute, balance.Empty, true)
	if s := r.Stats(); s.Unsure != 0 || s.ForgotOldest != 1 {
		t.Errorf("stats %+v", s)
	}
	if got := r.Overdue(nil, 10, time.Hour); len(got) != 1 {
		t.Errorf("pulled %v", got)
	}
}

func TestPickOfAStaleModuleDoesNotAllocate(t *testing.T) {
	for _, policy := range []balance.Policy{balance.Classic, balance.Adaptive} {
		r := inState(t, "restored", func(c *Config) { c.Settings.Balance.Policy = policy })
		if n := testing.AllocsPerRun(1000, func() {
			h, _, _ := r.Pick(module1, time.Hour)
			r.Report(module1, h, true, 0, time.Hour)
		}); n != 0 {
			t.Errorf("%s: %v allocations, want none", policy, n)
		}
	}
}

// Routes change, and callers ask, while all are collected: what is collected of
// a module is one of the routes that it had.
func TestCollectWhileRoutesChange(t *testing.T) {
	const modules = 3000
	shards := testShards()
	id := func(i int) route.Module { return route.Module{ModID: int32(i)} }
	for i := range modules {
		shards[id(i).Shard()].Restore(id(i), nodes(hostA), 0)
	}
	k := &keeper{shards: shards}
	var others sync.WaitGroup
	stop := make(chan struct{})
	for worker := range 3 {
		others.Go(func() {
			for n := worker; ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				m := id(n * 7 % modules)
				r := shards[m.Shard()]
				r.Pick(m, 0)
				switch n % 3 {
				case 0:
					r.Apply(m, nodes(hostA, hostB), 0)
				case 1:
					r.ApplyStale(m, nodes(hostB), 0)
				case 2:
					r.Apply(m, nil, 0)
				}
			}
		})
	}
	allowed := [][]route.Node{nodes(hostA), nodes(hostB), nodes(hostA, hostB), nil}
	for range 20 {
		seen := make(map[route.Module]bool)
		_, routes := k.collect()
		for m, list := range routes {
			if seen[m] || !slices.ContainsFunc(allowed, func(a []route.Node) bool { return slices.Equal(a, list) }) {
				t.Fatalf("%v, seen before %v: %v", m, seen[m], list)
			}
			seen[m] = true
		}
	}
	close(stop)
	others.Wait()
}

func TestCollectGivesEveryModuleOnce(t *testing.T) {
	shards := testShards()
	want := make(map[route.Module][]route.Node)
	for i := range int32(2000) {
		m := route.Module{ModID: i, CmdID: -i / 2}
		n := 1 + int(i)%5
		if i == 1234 {
			n = route.MaxHosts
		}
		for h := range uint32(n) {
			want[m] = append(want[m], route.NodeOf(route.Host{IP: 1 + h, Port: 80}, uint16(h)))
		}
		shards[m.Shard()].Restore(m, want[m], 0)
	}
	k := &keeper{shards: shards}
	got := 0
	_, routes := k.collect()
	for m, list := range routes {
		if !slices.Equal(list, want[m]) {
			t.Fatalf("%v: %d hosts, want %d", m, len(list), len(want[m]))
		}
		got++
	}
	if got != len(want) {
		t.Errorf("%d modules of %d", got, len(want))
	}
	for range routes { // a reader that gives up
		break
	}
}
