package lbagent

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/balance"
	"github.com/lars-lb/lars/internal/route"
)

var (
	module1 = route.Module{ModID: 1, CmdID: 1}
	hostA   = route.Host{IP: 0x0a000001, Port: 80}
	hostB   = route.Host{IP: 0x0a000002, Port: 80}
)

func testLB(change func(*Config)) *RouteLB {
	cfg := DefaultConfig()
	if change != nil {
		change(&cfg)
	}
	return newRouteLB(&cfg)
}

// pick calls Pick and checks the verdict and whether a pull is asked for.
func pick(t *testing.T, r *RouteLB, id route.Module, now time.Duration, verdict balance.Verdict, pull bool) route.Host {
	t.Helper()
	h, v, p := r.Pick(id, now)
	if v != verdict || p != pull {
		t.Fatalf("at %v Pick(%v) = %v, %v, pull %v; want %v, pull %v", now, id, h, v, p, verdict, pull)
	}
	return h
}

func TestUnknownModuleIsPulledOnceASecond(t *testing.T) {
	r := testLB(nil)
	now := time.Hour
	pick(t, r, module1, now, balance.Empty, true)
	pick(t, r, module1, now+999*time.Millisecond, balance.Empty, false)
	pick(t, r, module1, now+time.Second, balance.Empty, true)
	r.Apply(module1, nil, now+time.Second) // it does not exist
	pick(t, r, module1, now+1999*time.Millisecond, balance.Empty, false)
	pick(t, r, module1, now+2*time.Second, balance.Empty, true)
	if _, _, pull := r.Route(module1, nil, now+2500*time.Millisecond); pull {
		t.Error("GetRoute pulls sooner than GetHost would")
	}
	r.Apply(module1, nodes(hostA), now+3*time.Second)
	if h := pick(t, r, module1, now+3*time.Second, balance.Picked, false); h != hostA {
		t.Errorf("picked %v", h)
	}
}

func TestKnownModuleIsPulledAgainWhenOld(t *testing.T) {
	r := testLB(nil)
	now := time.Hour
	pick(t, r, module1, now, balance.Empty, true)
	r.Apply(module1, nodes(hostA), now)
	pick(t, r, module1, now+15*time.Second-1, balance.Picked, false)
	pick(t, r, module1, now+15*time.Second, balance.Picked, true)
	pick(t, r, module1, now+30*time.Second, balance.Picked, false) // it is being pulled, and overdue sees to that
	if got := r.Overdue(nil, 10, now+30*time.Second); !slices.Equal(got, []route.Module{module1}) {
		t.Errorf("overdue: %v", got)
	}
	r.Apply(module1, nodes(hostB), now+31*time.Second)
	if h := pick(t, r, module1, now+32*time.Second, balance.Picked, false); h != hostB {
		t.Errorf("picked %v", h)
	}
	if got := r.Overdue(nil, 10, now+time.Hour); len(got) != 0 {
		t.Errorf("overdue although answered: %v", got)
	}
}

func TestUnansweredPullsAreOverdueUntilAnswered(t *testing.T) {
	r := testLB(nil)
	now := time.Hour
	const n = 10
	for i := range int32(n) {
		pick(t, r, route.Module{ModID: i * 3}, now, balance.Empty, true)
	}
	for round := range time.Duration(5) {
		at := now + (round+1)*time.Second
		if got := r.Overdue(nil, n+1, at-1); len(got) != 0 {
			t.Fatalf("overdue too early: %v", got)
		}
		first := r.Overdue(nil, 4, at)
		rest := r.Overdue(nil, n+1, at)
		if len(first) != 4 || len(rest) != n-4 {
			t.Fatalf("round %d: %d and %d overdue, want 4 and %d", round, len(first), len(rest), n-4)
		}
	}
}

func TestRemovedModuleIsNegative(t *testing.T) {
	r := testLB(nil)
	now := time.Hour
	pick(t, r, module1, now, balance.Empty, true)
	r.Apply(module1, nodes(hostA, hostB), now)
	r.Apply(module1, nil, now+time.Minute)
	pick(t, r, module1, now+time.Minute, balance.Empty, true)
	pick(t, r, module1, now+time.Minute+1, balance.Empty, false)
	if hosts, _, _ := r.Route(module1, nil, now+time.Minute+1); len(hosts) != 0 {
		t.Errorf("route = %v", hosts)
	}
	if s := r.Stats(); s.Modules != 0 || s.Unknown != 1 || s.Removed != 1 {
		t.Errorf("stats = %+v", s)
	}
}

func TestRouteNobodyAskedFor(t *testing.T) {
	r := testLB(nil)
	r.Apply(module1, nodes(hostA), 0)
	if s := r.Stats(); s.Unasked != 1 || s.Modules != 0 {
		t.Errorf("stats = %+v", s)
	}
	pick(t, r, module1, 0, balance.Empty, true)
}

func TestUnknownModulesAreBounded(t *testing.T) {
	const bound = 100
	r := testLB(func(c *Config) { c.MaxUnknown = bound })
	now := time.Hour
	pulls := 0
	ask := func(i int32, at time.Duration) {
		if _, _, pull := r.Pick(route.Module{ModID: i}, at); pull {
			pulls++
		}
	}
	for i := range int32(1000) {
		ask(i, now)
	}
	if s := r.Stats(); pulls != bound || s.Unknown != bound || s.RefusedFull != 900 {
		t.Errorf("%d pulls, stats %+v; want %d of each", pulls, s, bound)
	}
	pulls = 0
	for i := int32(500); i < 550; i++ { // the oldest make room now
		ask(i, now+time.Second)
	}
	if s := r.Stats(); pulls != 50 || s.Unknown != bound || s.ForgotOldest != 50 {
		t.Errorf("%d pulls, stats %+v", pulls, s)
	}
	// A forgotten module's answer is not kept, a remembered one's is.
	r.Apply(route.Module{ModID: 0}, nodes(hostA), now+time.Second)
	r.Apply(route.Module{ModID: 549}, nodes(hostA), now+time.Second)
	if s := r.Stats(); s.Unasked != 1 || s.Modules != 1 || s.Unknown != bound-1 {
		t.Errorf("stats %+v", s)
	}
	if s := r.Stats(); s.Pulling != s.Unknown {
		t.Errorf("forgotten modules are still pulled: %+v", s)
	}
}

func TestKnownModulesAreBounded(t *testing.T) {
	r := testLB(func(c *Config) { c.MaxModules = 5 })
	for i := range int32(8) {
		id := route.Module{ModID: i}
		pick(t, r, id, 0, balance.Empty, true)
		r.Apply(id, nodes(hostA), 0)
	}
	if s := r.Stats(); s.Modules != 5 || s.RefusedFull != 3 {
		t.Errorf("stats %+v", s)
	}
	r.Apply(route.Module{ModID: 0}, nodes(hostB), 0) // a known one still changes
	if h := pick(t, r, route.Module{ModID: 0}, 0, balance.Picked, false); h != hostB {
		t.Errorf("picked %v", h)
	}
}

func TestReportsOfNoRouteAreCounted(t *testing.T) {
	r := testLB(nil)
	r.Report(module1, hostA, true, 0, 0)
	pick(t, r, module1, 0, balance.Empty, true)
	r.Report(module1, hostA, true, 0, 0)
	r.Apply(module1, nodes(hostA), 0)
	r.Report(module1, hostB, true, 0, 0)
	r.Report(module1, hostA, true, 0, 0)
	if s := r.Stats(); s.Reports != 1 || s.ReportsUnknown != 3 || s.Counting != 1 {
		t.Errorf("stats %+v", s)
	}
}

func TestCountsAreDueOncePerTimeout(t *testing.T) {
	r := testLB(nil)
	now := time.Hour
	pick(t, r, module1, now, balance.Empty, true)
	r.Apply(module1, nodes(hostA), now)
	for i := range 5 {
		r.Report(module1, hostA, i != 0, 0, now+time.Duration(i)*time.Second)
	}
	if _, _, ok := r.TakeDueCounts(nil, false, now+15*time.Second-1); ok {
		t.Error("taken before they were due")
	}
	id, counts, ok := r.TakeDueCounts(nil, false, now+15*time.Second)
	want := []balance.Count{{Host: hostA, Succ: 4, Err: 1}}
	if !ok || id != module1 || !slices.Equal(counts, want) {
		t.Fatalf("took %v %v %v, want %v", id, counts, ok, want)
	}
	r.Report(module1, hostA, true, 0, now+16*time.Second)
	want = []balance.Count{{Host: hostA, Succ: 1}}
	if _, counts, ok = r.TakeDueCounts(nil, false, now+31*time.Second); !ok || !slices.Equal(counts, want) {
		t.Fatalf("later took %v %v, want %v", counts, ok, want)
	}
	if _, _, ok = r.TakeDueCounts(nil, true, now+time.Hour); ok {
		t.Error("taken twice")
	}
}

func TestShorterReportTimeoutHoldsForCountsThatWait(t *testing.T) {
	module4 := route.Module{ModID: 4, CmdID: 4} // of the same RouteLB
	r := testLB(func(c *Config) { c.Settings.ReportTimeout = time.Hour })
	for _, id := range []route.Module{module1, module4} {
		pick(t, r, id, 0, balance.Empty, true)
		r.Apply(id, nodes(hostA), 0)
	}
	r.Report(module1, hostA, true, 0, 0)
	s := DefaultConfig().Settings
	s.ReportTimeout = time.Second
	r.SetSettings(&s, 0)
	r.Report(module4, hostA, true, 0, time.Second)
	for _, due := range []struct {
		id route.Module
		at time.Duration
	}{{module1, time.Second}, {module4, 2 * time.Second}} {
		if id, _, ok := r.TakeDueCounts(nil, false, due.at); !ok || id != due.id {
			t.Errorf("at %v took those of %v, %v; want %v", due.at, id, ok, due.id)
		}
	}
}

func TestAskAllCountsAsAPull(t *testing.T) {
	r := testLB(nil)
	known, unknown := module1, route.Module{ModID: 4, CmdID: 4}
	pick(t, r, known, 0, balance.Empty, true)
	r.Apply(known, nodes(hostA), 0)
	pick(t, r, unknown, 0, balance.Empty, true)
	now := 10 * time.Second
	if got := r.AskAll(nil, now); len(got) != 2 {
		t.Fatalf("asked for %v", got)
	}
	pick(t, r, unknown, now+time.Second-1, balance.Empty, false)
	if got := r.Overdue(nil, 10, now+time.Second-1); len(got) != 0 {
		t.Errorf("pulled again too soon: %v", got)
	}
	if got := r.Overdue(nil, 10, now+time.Second); len(got) != 2 {
		t.Errorf("not answered, and not pulled again: %v", got)
	}
}

func TestCountsOfARemovedModuleAreKept(t *testing.T) {
	r := testLB(func(c *Config) { c.MaxUnknown = 1 })
	now := time.Hour
	pick(t, r, module1, now, balance.Empty, true)
	r.Apply(module1, nodes(hostA), now)
	r.Report(module1, hostA, true, 0, now)
	r.Apply(module1, nil, now)
	for i := range int32(10) { // others press for room
		r.Pick(route.Module{ModID: 100 + i}, now+time.Duration(i)*time.Second)
	}
	id, counts, ok := r.TakeDueCounts(nil, true, now)
	if !ok || id != module1 || !slices.Equal(counts, []balance.Count{{Host: hostA, Succ: 1}}) {
		t.Errorf("took %v %v %v", id, counts, ok)
	}
	if s := r.Stats(); s.ReportsLost != 0 {
		t.Errorf("stats %+v", s)
	}
}

// TestRouteLBInvariants holds, over random calls, that the lists say of each
// module what is true of it.
func TestRouteLBInvariants(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	r := testLB(func(c *Config) { c.MaxUnknown, c.MaxModules = 8, 12 })
	hosts := []route.Host{hostA, hostB, {IP: 3, Port: 3}}
	var now time.Duration
	var sent, accepted uint64
	for range 50_000 {
		now += time.Duration(random.IntN(300)) * time.Millisecond
		id := route.Module{ModID: int32(random.IntN(30))}
		switch random.IntN(6) {
		case 0, 1:
			r.Pick(id, now)
		case 2:
			r.Apply(id, nodes(hosts[:random.IntN(4)]...), now)
		case 3:
			before := r.Stats().Reports
			r.Report(id, hosts[random.IntN(3)], random.IntN(3) > 0, 0, now)
			accepted += r.Stats().Reports - before
		case 4:
			r.Overdue(nil, random.IntN(5), now)
		case 5:
			if _, counts, ok := r.TakeDueCounts(nil, random.IntN(2) == 0, now); ok {
				for _, c := range counts {
					sent += uint64(c.Succ) + uint64(c.Err)
				}
			}
		}
		for k, m := range r.modules {
			counting := m.lb.HasCounts()
			if key(m.id()) != k || m.unknown() != (!m.known() && !m.counting) || counting && !m.counting {
				t.Fatalf("%v: known %v, has counts %v; on unknown %v, on counts %v",
					m.id(), m.known(), counting, m.unknown(), m.counting)
			}
		}
		if s := r.Stats(); s.Unknown > 8 || s.Modules > 12+1 || s.Pulling > len(r.modules) || s.Counting > len(r.modules) {
			t.Fatalf("beyond the bounds: %+v", s)
		}
	}
	for {
		_, counts, ok := r.TakeDueCounts(nil, true, now)
		if !ok {
			break
		}
		for _, c := range counts {
			sent += uint64(c.Succ) + uint64(c.Err)
		}
	}
	if lost := r.Stats().ReportsLost; sent+lost != accepted || accepted == 0 {
		t.Errorf("%d reports accepted, %d sent, %d lost", accepted, sent, lost)
	}
}

func TestPickAndReportDoNotAllocate(t *testing.T) {
	for _, policy := range []balance.Policy{balance.Classic, balance.Adaptive} {
		r := testLB(func(c *Config) { c.Settings.Balance.Policy = policy })
		t.Run(string(policy), func(t *testing.T) { pickAndReportDoNotAllocate(t, r) })
	}
}

func pickAndReportDoNotAllocate(t *testing.T, r *RouteLB) {
	t.Helper()
	r.helper = new(fakeHelper)
	pick(t, r, module1, 0, balance.Empty, true)
	r.Apply(module1, nodes(hostA, hostB), 0)
	if n := testing.AllocsPerRun(1000, func() {
		h, _, _ := r.Pick(module1, 0)
		r.Report(module1, h, true, 0, 0)
	}); n != 0 {
		t.Errorf("%v allocations, want none", n)
	}
	missing := route.Module{ModID: 9}
	r.Pick(missing, 0)
	if n := testing.AllocsPerRun(1000, func() { r.Pick(missing, 0) }); n != 0 {
		t.Errorf("%v allocations for a missing module, want none", n)
	}
}

// nodes gives hosts the default weight.
func nodes(hs ...route.Host) []route.Node {
	ns := make([]route.Node, len(hs))
	for i, h := range hs {
		ns[i] = route.NodeOf(h, route.DefaultWeight)
	}
	return ns
}
