package balance

import (
	"math"
	"testing"

	"github.com/lars-lb/lars/internal/route"
)

// More calls than one Count holds are handed out in several, whether their host
// stays, or leaves and comes back.
func TestCountsBeyondUint32(t *testing.T) {
	const most = math.MaxUint32
	cfg := DefaultConfig()
	addr := route.Host{IP: 1, Port: 1}
	in := []route.Node{route.NodeOf(addr, route.DefaultWeight)}
	take := func(lb *LoadBalance, want ...Count) {
		t.Helper()
		for _, w := range want {
			if err := lb.Check(); err != nil {
				t.Error(err)
			}
			if got := lb.TakeCounts(nil); len(got) != 1 || got[0] != w {
				t.Errorf("took %+v, want %+v", got, w)
			}
		}
		if lb.HasCounts() || len(lb.TakeCounts(nil)) > 0 {
			t.Error("there are more counts")
		}
	}
	for name, end := range map[string]func(lb *LoadBalance){
		"stays": func(*LoadBalance) {},
		"leaves": func(lb *LoadBalance) {
			lb.Update(nil, 0)
		},
		"comes back": func(lb *LoadBalance) {
			lb.Update(nil, 0)
			lb.Update(in, 0)
		},
	} {
		t.Run(name, func(t *testing.T) {
			lb := New(route.Module{}, &cfg)
			lb.Update(in, 0)
			h := &lb.lists.hosts[0]
			h.unsent = unsent{succ: most - 1, err: 7}
			for range 3 { // the third does not fit in
				lb.Report(addr, true, 0, 0)
			}
			h.unsent.err = most
			lb.Report(addr, false, 0, 0) // nor does this
			end(lb)
			take(lb, Count{addr, most, most, false}, Count{addr, 2, 8, false})
		})
	}
}
