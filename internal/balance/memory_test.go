package balance_test

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/balance"
	"github.com/lars-lb/lars/internal/route"
)

// An agent may have a million hosts: what one takes, its part of the module
// included, is held to a bound. Most are never asked for, or are well.
func TestMemory(t *testing.T) {
	const modules, hosts = 2000, 10
	for _, c := range []struct {
		policy          balance.Policy
		loaded, working uint64 // bytes a host
	}{
		{balance.Classic, 76, 76},
		{balance.Adaptive, 66, 115},
	} {
		t.Run(fmt.Sprint(c.policy), func(t *testing.T) {
			cfg := balance.DefaultConfig()
			cfg.Policy = c.policy
			before := heap()
			lbs := make([]*balance.LoadBalance, modules)
			ns := nodes(manyHosts(hosts))
			for i := range lbs {
				lbs[i] = balance.New(route.Module{ModID: int32(i)}, &cfg)
				lbs[i].Update(ns, 0)
			}
			if n := (heap() - before) / modules / hosts; n > c.loaded {
				t.Errorf("a host of a route that was not used takes %d bytes, want at most %d", n, c.loaded)
			}
			now := time.Second
			var counts []balance.Count
			for range 4 * hosts {
				for _, lb := range lbs {
					now += time.Microsecond
					h, _ := lb.Pick(now)
					lb.Report(h, true, time.Millisecond, now)
					counts = lb.TakeCounts(counts[:0])
				}
			}
			if n := (heap() - before) / modules / hosts; n > c.working {
				t.Errorf("a host in use takes %d bytes, want at most %d", n, c.working)
			}
			runtime.KeepAlive(lbs)
		})
	}
}

// heap is what is in use, bytes.
func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
