package peers

import (
	"testing"
	"time"
)

// everyone makes one of each balancer. The oracle takes all hosts for good.
func everyone(n int, seed uint64) map[string]Balancer {
	return map[string]Balancer{
		"oracle":      NewOracle(n, func(int, time.Duration) bool { return true }),
		"round robin": NewRoundRobin(n),
		"elb":         NewELB(n),
		"envoy":       NewEnvoy(n, seed),
		"linkerd":     NewLinkerd(n, seed),
		"polaris":     NewPolaris(n),
		"p2c":         NewP2C(n, seed),
	}
}

func TestHealthyHostsShareEvenly(t *testing.T) {
	const n, rounds = 10, 400
	for name, b := range everyone(n, 1) {
		var count [n]int
		now := time.Duration(0)
		for range n * rounds {
			now += time.Millisecond
			h, ok := b.Pick(now)
			if !ok {
				t.Fatalf("%s refuses among healthy hosts", name)
			}
			b.Report(h, true, time.Millisecond, now)
			count[h]++
		}
		for h, c := range count {
			if c < rounds*8/10 || c > rounds*12/10 {
				t.Errorf("%s picks host %d %d times out of %d", name, h, c, n*rounds)
			}
		}
	}
}

func TestOneHostIsAlwaysUsedWhenWell(t *testing.T) {
	for name, b := range everyone(1, 1) {
		for i := range 10 {
			h, ok := b.Pick(time.Duration(i))
			if h != 0 || !ok {
				t.Errorf("%s: pick %d is %d, %v", name, i, h, ok)
			}
			b.Report(h, true, time.Millisecond, time.Duration(i))
		}
	}
}

func TestWithoutHostsEveryPickIsRefused(t *testing.T) {
	for name, b := range everyone(0, 1) {
		if h, ok := b.Pick(0); ok {
			t.Errorf("%s names host %d of none", name, h)
		}
	}
}

// Hosts come and go, sweeps and probes become due, and nothing allocates.
func TestPickAndReportDoNotAllocate(t *testing.T) {
	for name, b := range everyone(20, 1) {
		now, i := time.Duration(0), 0
		got := testing.AllocsPerRun(20_000, func() {
			now += 5 * time.Millisecond
			i++
			if h, ok := b.Pick(now); ok {
				b.Report(h, h > 3 && i%50 != 0, time.Duration(h)*time.Millisecond, now)
			}
		})
		if got != 0 {
			t.Errorf("%s allocates %v times a call", name, got)
		}
	}
}

func BenchmarkPickReport(b *testing.B) {
	for name, lb := range everyone(10, 1) {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			now := time.Duration(0)
			for b.Loop() {
				now += time.Millisecond
				if h, ok := lb.Pick(now); ok {
					lb.Report(h, h > 0, 10*time.Millisecond, now)
				}
			}
		})
	}
}
