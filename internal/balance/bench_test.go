package balance_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/balance"
	"github.com/lars-lb/lars/internal/route"
)

// BenchmarkPickAndReport is what the agent does for one call, for each policy
// and number of hosts. One host in ten is bad, and hosts have equal or very
// unequal weights.
func BenchmarkPickAndReport(b *testing.B) {
	for _, policy := range []balance.Policy{balance.Classic, balance.Adaptive} {
		for _, weighted := range []bool{false, true} {
			for _, n := range []int{1, 10, 100, 1000, 3000} {
				b.Run(fmt.Sprintf("policy=%s/weighted=%v/hosts=%d", policy, weighted, n), func(b *testing.B) {
					cfg := balance.DefaultConfig()
					cfg.Policy = policy
					lb := balance.New(route.Module{ModID: 1}, &cfg)
					ns := nodes(manyHosts(n))
					if weighted {
						for i := range ns {
							ns[i].Weight = uint16(1 + i*i*7919%route.MaxWeight)
						}
					}
					lb.Update(ns, 0)
					bad := ns[0].Host()
					b.ReportAllocs()
					now := time.Duration(0)
					for b.Loop() {
						now += 10 * time.Microsecond
						if h, v := lb.Pick(now); v == balance.Picked {
							lb.Report(h, n < 10 || h != bad, time.Millisecond, now+time.Microsecond)
						}
					}
				})
			}
		}
	}
}
