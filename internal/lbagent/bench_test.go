package lbagent

import (
	"fmt"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/balance"
	"github.com/lars-lb/lars/internal/route"
)

// BenchmarkPick is what a GetHost costs beside the network, and
// BenchmarkPickAndReport a GetHost and a Report: of one module, and of one of a
// hundred thousand at random, whose hosts are in none of the caches.
func BenchmarkPick(b *testing.B) { benchmark(b, false) }

func BenchmarkPickAndReport(b *testing.B) { benchmark(b, true) }

func benchmark(b *testing.B, report bool) {
	for _, policy := range []balance.Policy{balance.Classic, balance.Adaptive} {
		for _, modules := range []int{1, 100_000} {
			b.Run(fmt.Sprintf("policy=%s/modules=%d", policy, modules), func(b *testing.B) {
				r := manyModules(policy, modules)
				now := time.Second
				for i := range 3 * modules { // what is allocated on the first
					id := route.Module{ModID: int32(i % modules)}
					h, _, _ := r.Pick(id, now)
					r.Report(id, h, true, time.Millisecond, now+time.Millisecond)
				}
				b.ReportAllocs()
				n := uint32(1)
				for b.Loop() {
					n = n*1664525 + 1013904223 // Numerical Recipes' generator
					id := route.Module{ModID: int32(uint64(n) * uint64(modules) >> 32)}
					now += 10 * time.Microsecond
					h, _, _ := r.Pick(id, now)
					if report {
						r.Report(id, h, true, time.Millisecond, now+time.Millisecond)
					}
				}
			})
		}
	}
}
