package balance_test

import (
	"slices"
	"testing"

	"github.com/lars-lb/lars/internal/balance"
	"github.com/lars-lb/lars/internal/route"
)

// counted expects TakeCounts to return exactly want.
func counted(t *testing.T, lb *balance.LoadBalance, want ...balance.Count) {
	t.Helper()
	if got := lb.HasCounts(); got != (len(want) > 0) {
		t.Errorf("HasCounts() = %v before taking %d", got, len(want))
	}
	if got := lb.TakeCounts(nil); !slices.Equal(got, want) {
		t.Errorf("\n got %v\nwant %v", got, want)
	}
}

func report(f *fixture, letter byte, succ, err int) {
	for range succ {
		f.lb.Report(host(letter), true, 0, f.now)
	}
	for range err {
		f.lb.Report(host(letter), false, 0, f.now)
	}
}

func TestTakeCounts(t *testing.T) {
	f := newFixture(nil, "BAC")
	counted(t, f.lb)
	report(f, 'C', 2, 1)
	report(f, 'A', 1, 0)
	counted(t, f.lb, balance.Count{host('A'), 1, 0, false}, balance.Count{host('C'), 2, 1, false})
	counted(t, f.lb)

	report(f, 'B', 0, 15) // overloaded by the last
	report(f, 'B', 1, 0)
	counted(t, f.lb, balance.Count{host('B'), 1, 15, true})
	counted(t, f.lb)
	f.now = window
	report(f, 'B', 1, 0) // idle again
	counted(t, f.lb, balance.Count{host('B'), 1, 0, false})
}

func TestCountsSurviveARestartedWindow(t *testing.T) {
	f := newFixture(nil, "A")
	report(f, 'A', 3, 1)
	f.now = window
	report(f, 'A', 1, 0)
	counted(t, f.lb, balance.Count{host('A'), 4, 1, false})
}

func TestCountsOfDepartedHosts(t *testing.T) {
	f := newFixture(nil, "ABC")
	report(f, 'B', 2, 0)
	report(f, 'A', 0, 3)
	f.lb.Update(nodes(hosts("C")), 0)
	report(f, 'C', 1, 0)
	counted(t, f.lb,
		balance.Count{host('C'), 1, 0, false}, // the route first
		balance.Count{host('A'), 0, 3, false},
		balance.Count{host('B'), 2, 0, false})
	counted(t, f.lb)
}

func TestCountsOfAModuleThatIsGone(t *testing.T) {
	f := newFixture(nil, "A")
	report(f, 'A', 7, 0)
	f.lb.Update(nil, 0)
	counted(t, f.lb, balance.Count{host('A'), 7, 0, false})
}

func TestCountsOfAHostThatReturns(t *testing.T) {
	f := newFixture(nil, "A")
	report(f, 'A', 7, 0)
	f.lb.Update(nil, 0)
	f.lb.Update(nodes(hosts("A")), 0)
	report(f, 'A', 1, 1)
	counted(t, f.lb, balance.Count{host('A'), 8, 1, false})
}

// Nobody shall read for ever that a host outside the route is overloaded.
func TestDepartedHostIsNotOverloaded(t *testing.T) {
	f := newFixture(nil, "AB")
	report(f, 'A', 0, 15)
	counted(t, f.lb, balance.Count{host('A'), 0, 15, true})
	f.lb.Update(nodes(hosts("B")), 0)
	counted(t, f.lb, balance.Count{host('A'), 0, 0, false})
	f.lb.Update(nodes(hosts("AB")), 0)
	counted(t, f.lb)

	report(f, 'A', 0, 15)
	f.lb.Update(nodes(hosts("B")), 0)
	counted(t, f.lb, balance.Count{host('A'), 0, 15, false})
}

func TestDepartedHostsAreBounded(t *testing.T) {
	f := newFixture(nil, "")
	const routes, each = 4, 1000
	accepted := uint64(0)
	for r := range routes {
		hs := make([]route.Host, each)
		for i := range hs {
			hs[i] = route.Host{IP: uint32(1 + r*each + i), Port: 1}
		}
		f.lb.Update(nodes(hs), 0)
		for _, h := range hs {
			if f.lb.Report(h, r%2 == 0, 0, 0) {
				accepted++
			}
		}
	}
	f.lb.Update(nil, 0)
	taken := f.lb.TakeCounts(nil)
	sum := uint64(0)
	for _, c := range taken {
		sum += uint64(c.Succ) + uint64(c.Err)
	}
	if len(taken) != route.MaxHosts || sum != route.MaxHosts {
		t.Errorf("%d hosts with %d calls, want %d", len(taken), sum, route.MaxHosts)
	}
	if lost := f.lb.LostCounts(); accepted != routes*each || sum+lost != accepted {
		t.Errorf("%d taken and %d lost of %d", sum, lost, accepted)
	}
	if !slices.IsSortedFunc(taken, func(x, y balance.Count) int { return x.Host.Compare(y.Host) }) {
		t.Error("not in the order of addresses")
	}
}
