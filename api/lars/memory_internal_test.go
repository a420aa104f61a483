package lars

import (
	"sync"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/route"
)

func someHost(n int) Host { return Host{h: route.Host{IP: uint32(n) + 1, Port: 80}} }

// TestMemoryBound adds more modules than there is room for: those that were
// used last are kept, and no chain loses a module that is not forgotten.
func TestMemoryBound(t *testing.T) {
	var y memory
	const more = 300
	forgotten := map[route.Module]bool{}
	for i := range maxModules + more {
		m := route.Module{ModID: int32(i), CmdID: int32(-i)}
		o, gone := y.add(m)
		o.record(someHost(i), time.Duration(i))
		if gone != nil {
			forgotten[gone.module] = true
		}
		if again, _ := y.add(m); again != o {
			t.Fatalf("%v was added twice", m)
		}
		if o := y.get(route.Module{}); o == nil { // in use all the time
			t.Fatal("the module in use was forgotten")
		} else {
			o.pick(time.Duration(i), time.Hour)
		}
	}
	if y.len() != maxModules || len(forgotten) != more {
		t.Errorf("%d remembered, %d forgotten", y.len(), len(forgotten))
	}
	for i := range maxModules + more {
		m := route.Module{ModID: int32(i), CmdID: int32(-i)}
		if known := y.get(m) != nil; known == forgotten[m] || known != (i == 0 || i > more) {
			t.Errorf("module %d: known %v, forgotten %v", i, known, forgotten[m])
		}
	}
}

// TestMemoryRace reads chains while modules come and go.
func TestMemoryRace(t *testing.T) {
	var y memory
	kept, _ := y.add(route.Module{ModID: -1})
	kept.used.Store(1 << 62)
	var wg sync.WaitGroup
	for g := range 3 {
		wg.Go(func() {
			for i := range maxModules {
				o, _ := y.add(route.Module{ModID: int32(i), CmdID: int32(g)})
				o.record(someHost(i), time.Duration(i+1))
				if i%3 == 0 {
					y.forget(o)
				}
				if y.get(kept.module) != kept {
					t.Error("a module in use was not found")
					return
				}
			}
		})
	}
	wg.Wait()
	if y.len() > maxModules {
		t.Errorf("%d modules", y.len())
	}
}

// BenchmarkMemoryFull is a program that asks for more modules than there is
// room for, one after the other.
func BenchmarkMemoryFull(b *testing.B) {
	var y memory
	i := 0
	b.ReportAllocs()
	for b.Loop() {
		i++
		o, _ := y.add(route.Module{ModID: int32(i)})
		o.record(someHost(i), time.Duration(i))
	}
}

func TestMemoryAge(t *testing.T) {
	var y memory
	o, _ := y.add(route.Module{})
	if o.usable(0, time.Minute) || (*memo)(nil).usable(0, time.Minute) {
		t.Error("nothing is known, and usable")
	}
	o.record(someHost(1), 1)
	o.record(someHost(2), time.Hour)
	if !o.usable(time.Hour+time.Minute, time.Minute) || o.usable(time.Hour+time.Minute+1, time.Minute) || o.usable(time.Hour, -1) {
		t.Error("usable for another time than it should be")
	}
	for range 4 {
		if h := o.pick(time.Hour, time.Minute); h != someHost(2) {
			t.Errorf("named %v, which is an hour older than the newest", h)
		}
	}
}

// TestShunned lets a host that failed back in after a while, for one call.
func TestShunned(t *testing.T) {
	o := &memo{}
	o.record(someHost(1), 1)
	o.record(someHost(2), 1)
	fail := func(now time.Duration, n int) {
		for range n {
			o.reported(someHost(1), Failure, now)
		}
	}
	named := func(now time.Duration) (n int) {
		for range 10 {
			if o.pick(now, time.Hour) == someHost(1) {
				n++
			}
		}
		return n
	}
	fail(0, strikes)
	if n := named(shunned - 1); n != 0 {
		t.Errorf("named %d times while shunned", n)
	}
	if n := named(shunned); n != 5 {
		t.Errorf("named %d times afterwards, want 5 of 10", n)
	}
	fail(shunned, 1)
	if n := named(2*shunned - 1); n != 0 {
		t.Errorf("named %d times after it failed again", n)
	}
	o.reported(someHost(1), Success, shunned)
	if n := named(shunned); n != 5 {
		t.Errorf("named %d times after a success", n)
	}
	for i := range 10 * remembered {
		o.reported(someHost(i), Failure, 0)
	}
	if len(o.fails) > remembered {
		t.Errorf("%d hosts are watched", len(o.fails))
	}
}

// TestRoutesBound holds the routes remembered to their bounds.
func TestRoutesBound(t *testing.T) {
	var r routes
	for i := range 2 * maxRoutes {
		r.put(route.Module{ModID: int32(i)}, []Host{someHost(i)}, time.Duration(i))
		if _, ok := r.get(route.Module{}, time.Duration(i), time.Hour); !ok {
			t.Fatal("the route in use was forgotten")
		}
	}
	if len(r.last) != maxRoutes || r.hosts != maxRoutes {
		t.Errorf("%d routes of %d hosts", len(r.last), r.hosts)
	}
	for i := range 100 {
		r.put(route.Module{ModID: int32(i), CmdID: 1}, make([]Host, route.MaxHosts), time.Hour)
	}
	if r.hosts > maxRouteHosts || len(r.last) != maxRouteHosts/route.MaxHosts {
		t.Errorf("%d routes of %d hosts", len(r.last), r.hosts)
	}
	last := route.Module{ModID: 99, CmdID: 1}
	if _, ok := r.get(last, time.Hour+time.Minute+1, time.Minute); ok {
		t.Error("a route that is too old is usable")
	}
	r.forget(last)
	if _, ok := r.get(last, time.Hour, time.Minute); ok {
		t.Error("a forgotten route is known")
	}
}
