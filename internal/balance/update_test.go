package balance_test

import (
	"slices"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/balance"
	"github.com/lars-lb/lars/internal/route"
)

// What is known of a host stays with it wherever others come and go: here in
// front of each, so that all change their places, with some that are out, some
// that regain their share and some drained.
func TestKnowledgeMovesAlong(t *testing.T) {
	for _, policy := range []balance.Policy{balance.Classic, balance.Adaptive} {
		t.Run(string(policy), func(t *testing.T) {
			cfg := balance.DefaultConfig()
			cfg.Policy = policy
			lb := balance.New(route.Module{ModID: 1}, &cfg)
			var old, all []route.Node
			for i := range uint32(20) {
				n := route.Node{IP: 2 * (i + 1), Port: 80, Weight: uint16(100 + i)}
				old = append(old, n)
				all = append(all, route.Node{IP: n.IP - 1, Port: 80, Weight: 100}, n)
			}
			lb.Update(old, 0)
			now := time.Duration(0)
			for i := range 4000 {
				now += time.Millisecond
				h, v := lb.Pick(now)
				if v == balance.Picked {
					bad := h.IP == 6 || h.IP == 10 && i < 2000
					lb.Report(h, !bad, time.Duration(i%3)*time.Millisecond, now)
				}
			}
			old[4].Weight, all[9].Weight = 0, 0 // of the host that was out
			lb.Update(old, now)
			before := lb.View(nil, now)
			if idle, overload, drained := lb.Count(); idle == 0 || overload == 0 || drained == 0 {
				t.Fatalf("%d idle, %d overloaded, %d drained: each is to be looked at", idle, overload, drained)
			}
			check := func(added, removed int) {
				t.Helper()
				if a, r := lb.Update(all, now); a != added || r != removed {
					t.Fatalf("%d hosts were added and %d removed, want %d and %d", a, r, added, removed)
				}
				if err := lb.Check(); err != nil {
					t.Fatal(err)
				}
				after := slices.DeleteFunc(lb.View(nil, now), func(v balance.HostView) bool { return v.Host.IP%2 == 1 })
				if !slices.Equal(after, before) {
					t.Fatalf("hosts changed from\n%+v to\n%+v", before, after)
				}
			}
			check(20, 0)
			slices.Reverse(all)
			check(0, 0)
			all = old
			check(0, 20)
		})
	}
}

// A route that comes again as it was, which is most of what lars-dns sends,
// takes no memory.
func TestSameRouteDoesNotAllocate(t *testing.T) {
	for _, policy := range []balance.Policy{balance.Classic, balance.Adaptive} {
		cfg := balance.DefaultConfig()
		cfg.Policy = policy
		lb := balance.New(route.Module{ModID: 1}, &cfg)
		ns := nodes(manyHosts(100))
		lb.Update(ns, 0)
		if n := testing.AllocsPerRun(100, func() { lb.Update(ns, time.Second) }); n != 0 {
			t.Errorf("%s: %v allocations", policy, n)
		}
	}
}
