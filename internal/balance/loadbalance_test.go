package balance_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/balance"
	"github.com/lars-lb/lars/internal/route"
)

func manyHosts(n int) []route.Host {
	hs := make([]route.Host, n)
	for i := range hs {
		hs[i] = route.Host{IP: 10<<24 | uint32(i/7), Port: uint16(1000 + i%7)}
	}
	return hs
}

func TestUpdateReportsWhatChanged(t *testing.T) {
	f := newFixture(nil, "")
	for _, c := range []struct {
		hosts          []route.Host
		added, removed int
		want           []route.Host
	}{
		{hosts("CA"), 2, 0, hosts("AC")},
		{hosts("CA"), 0, 0, hosts("AC")},
		{hosts("BBCB"), 1, 1, hosts("BC")},
		{[]route.Host{host('B'), {IP: 0, Port: 1}, {IP: 1, Port: 0}, {}}, 0, 1, hosts("B")},
		{nil, 0, 1, nil},
		{nil, 0, 0, nil},
		{manyHosts(route.MaxHosts + 5), route.MaxHosts, 0, manyHosts(route.MaxHosts)},
		{manyHosts(route.MaxHosts + 5)[5:], 5, 5, manyHosts(route.MaxHosts + 5)[5:]},
	} {
		given := slices.Clone(c.hosts)
		added, removed := f.lb.Update(nodes(given), 0)
		got := hostsOf(f.lb)
		if added != c.added || removed != c.removed || !slices.Equal(got, c.want) || f.lb.Len() != len(c.want) {
			t.Errorf("%d hosts: added %d, removed %d, now %d; want %d, %d, %d",
				len(c.hosts), added, removed, len(got), c.added, c.removed, len(c.want))
		}
		if !slices.Equal(given, c.hosts) {
			t.Error("Update changed its argument")
		}
	}
}

// A removed host must not survive a wrapped generation number.
func TestUpdateManyTimes(t *testing.T) {
	f := newFixture(nil, "AB")
	for i := range 1000 {
		want := hosts([]string{"A", "AB", "B", "ABC"}[i%4])
		f.lb.Update(nodes(want), 0)
		if got := hostsOf(f.lb); !slices.Equal(got, want) {
			t.Fatalf("update %d: %v, want %v", i, got, want)
		}
	}
}

// Duplicates take no place of the route.MaxHosts.
func TestUpdateCountsDistinctHosts(t *testing.T) {
	f := newFixture(nil, "")
	given := append(manyHosts(route.MaxHosts/2), manyHosts(route.MaxHosts)...)
	if added, _ := f.lb.Update(nodes(given), 0); added != route.MaxHosts {
		t.Errorf("added %d", added)
	}
	if added, removed := f.lb.Update(nodes(given), 0); added != 0 || removed != 0 {
		t.Errorf("again: added %d, removed %d", added, removed)
	}
}

func TestReportForUnknownHost(t *testing.T) {
	f := newFixture(nil, "AB")
	before := f.lb.View(nil, f.now)
	for _, h := range []route.Host{{}, host('C'), {IP: host('A').IP, Port: 81}, {IP: host('A').IP + 1, Port: 79}} {
		if f.lb.Report(h, false, 0, 0) {
			t.Errorf("a report for %v was accepted", h)
		}
	}
	if got := f.lb.View(nil, f.now); !slices.Equal(got, before) {
		t.Errorf("statistics changed: %+v", got)
	}
	if f.lb.HasCounts() {
		t.Error("it was counted")
	}
}

func TestNames(t *testing.T) {
	f := newFixture(nil, "A")
	if got := f.lb.Module(); got != (route.Module{ModID: 1, CmdID: 1}) {
		t.Errorf("Module() = %v", got)
	}
	got := fmt.Sprint(balance.Idle, balance.Overload, balance.Picked, balance.Overloaded, balance.Empty)
	if want := "idle overload picked overloaded empty"; got != want {
		t.Errorf("names are %q, want %q", got, want)
	}
}

// mixed returns a LoadBalance of n hosts with one in four overloaded.
func mixed(n int) (*balance.LoadBalance, []route.Host) {
	cfg := balance.DefaultConfig()
	lb := balance.New(route.Module{}, &cfg)
	hs := manyHosts(n)
	lb.Update(nodes(hs), 0)
	for i := 0; i < n; i += 4 {
		for range cfg.ContinErrLimit {
			lb.Report(hs[i], false, 0, 0)
		}
	}
	return lb, hs
}

func TestPickAndReportDoNotAllocate(t *testing.T) {
	lb, hs := mixed(100)
	var now time.Duration
	i := 0
	allocs := testing.AllocsPerRun(10_000, func() {
		now += 10 * time.Millisecond // windows expire on the way
		i++
		lb.Pick(now)
		lb.Report(hs[i%len(hs)], i%3 != 0, time.Millisecond, now)
		lb.Report(route.Host{IP: 1, Port: 1}, true, 0, now)
	})
	if allocs != 0 {
		t.Errorf("Pick and Report allocate %v times", allocs)
	}
}

func TestNodesAndCountsReuseMemory(t *testing.T) {
	lb, hs := mixed(100)
	dst := make([]route.Node, 0, len(hs))
	counts := make([]balance.Count, 0, len(hs))
	views := make([]balance.HostView, 0, len(hs))
	if n := testing.AllocsPerRun(100, func() {
		dst = lb.Nodes(dst[:0])
		views = lb.View(views[:0], 0)
		lb.Report(hs[3], true, 0, 0)
		counts = lb.TakeCounts(counts[:0])
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

var sizes = []int{10, 100, route.MaxHosts}

func BenchmarkPick(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprint("hosts=", n), func(b *testing.B) {
			lb, _ := mixed(n)
			b.ReportAllocs()
			for b.Loop() {
				lb.Pick(0)
			}
		})
	}
}

func BenchmarkReport(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprint("hosts=", n), func(b *testing.B) {
			lb, hs := mixed(n)
			i := 0
			b.ReportAllocs()
			for b.Loop() {
				if i++; i == len(hs) {
					i = 0
				}
				lb.Report(hs[i], true, 0, 0)
			}
		})
	}
}

func BenchmarkTakeCounts(b *testing.B) {
	for _, n := range sizes {
		b.Run(fmt.Sprint("hosts=", n), func(b *testing.B) {
			lb, hs := mixed(n)
			var counts []balance.Count
			b.ReportAllocs()
			for b.Loop() {
				lb.Report(hs[0], true, 0, 0)
				counts = lb.TakeCounts(counts[:0])
			}
		})
	}
}
