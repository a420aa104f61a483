package lbagent

import (
	"fmt"
	"runtime"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/balance"
	"github.com/lars-lb/lars/internal/route"
)

// manyModules fills a RouteLB with so many modules of ten hosts.
func manyModules(policy balance.Policy, n int) *RouteLB {
	cfg := DefaultConfig()
	cfg.Settings.Balance.Policy = policy
	r := newRouteLB(&cfg)
	nodes := make([]route.Node, 10)
	for i := range n {
		for j := range nodes {
			nodes[j] = route.Node{IP: 10<<24 + uint32(i), Port: uint16(1000 + j), Weight: route.DefaultWeight}
		}
		id := route.Module{ModID: int32(i)}
		r.Pick(id, 0)
		r.Apply(id, nodes, 0)
	}
	return r
}

// An agent may know a hundred thousand modules. What a host takes in it, its
// part of the module included, is held to a bound.
func TestMemory(t *testing.T) {
	const modules, hosts = 7000, 10
	for _, c := range []struct {
		policy                 balance.Policy
		loaded, picked, called uint64 // bytes a host
	}{
		{balance.Classic, 87, 87, 87},
		{balance.Adaptive, 76, 118, 118},
	} {
		t.Run(fmt.Sprint(c.policy), func(t *testing.T) {
			before := heap()
			r := manyModules(c.policy, modules)
			hold := func(what string, most uint64) {
				t.Helper()
				n := (heap() - before) / modules / hosts
				if t.Logf("%s, a host takes %d bytes", what, n); n > most {
					t.Errorf("that is more than %d", most)
				}
			}
			hold("loaded", c.loaded)
			now := time.Second
			each := func(f func(id route.Module)) {
				for range 2 * hosts {
					for i := range modules {
						now += time.Microsecond
						f(route.Module{ModID: int32(i)})
					}
				}
			}
			each(func(id route.Module) { r.Pick(id, now) })
			hold("picked", c.picked)
			each(func(id route.Module) {
				h, _, _ := r.Pick(id, now)
				r.Report(id, h, true, time.Millisecond, now+time.Millisecond)
			})
			hold("called", c.called)
			runtime.KeepAlive(r)
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
