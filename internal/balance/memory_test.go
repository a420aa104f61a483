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
		policy               balance.Policy
		loaded, working, bad uint64 // bytes a host
	}{
		{balance.Classic, 75, 75, 75},
		{balance.Adaptive, 64, 106, 178},
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
			hold := func(what string, most uint64) {
				t.Helper()
				n := (heap() - before) / modules / hosts
				if t.Logf("%s, a host takes %d bytes", what, n); n > most {
					t.Errorf("that is more than %d", most)
				}
			}
			hold("not used", c.loaded)
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
			hold("in use", c.working)
			for i, lb := range lbs {
				h, _ := lb.Pick(now)
				lb.Report(h, false, time.Duration(i%2)*time.Millisecond, now)
			}
			hold("where calls were bad and without cost", c.bad)
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
