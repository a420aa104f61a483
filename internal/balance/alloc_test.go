package balance_test

import (
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/balance"
	"github.com/lars-lb/lars/internal/route"
)

// Neither picks nor reports allocate once the policy is warm, in quiet times
// and while hosts come and go.
func TestAdaptiveDoesNotAllocate(t *testing.T) {
	for name, bad := range map[string]func(h route.Host, i int) bool{
		"all well":      func(route.Host, int) bool { return false },
		"one dead":      func(h route.Host, _ int) bool { return h.Port == 1003 },
		"one flapping":  func(h route.Host, i int) bool { return h.Port == 1003 && i/3000%2 == 0 },
		"all fail half": func(_ route.Host, i int) bool { return i*7%13 < 6 },
		"all dead":      func(route.Host, int) bool { return true },
	} {
		t.Run(name, func(t *testing.T) {
			cfg := balance.DefaultConfig()
			cfg.Policy = balance.Adaptive
			lb := balance.New(route.Module{}, &cfg)
			ns := nodes(manyHosts(100))
			for i := range ns {
				ns[i].Weight = uint16(50 + i)
			}
			lb.Update(ns, 0)
			now, i := time.Duration(0), 0
			events := make([]balance.Event, 0, 256)
			checks := make([]route.Host, 0, 256)
			call := func() {
				now += 500 * time.Microsecond
				i++
				if h, v := lb.Pick(now); v == balance.Picked {
					lb.Report(h, !bad(h, i), time.Millisecond, now+time.Millisecond)
				}
				if lb.Pending() {
					events, checks = lb.TakeEvents(events[:0]), lb.TakeChecks(checks[:0])
					for _, h := range checks {
						lb.Checked(h, !bad(h, i), now)
					}
				}
			}
			for range 300_000 { // grow what has to grow
				call()
			}
			if n := testing.AllocsPerRun(100_000, call); n != 0 {
				t.Errorf("%v allocations a call", n)
			}
		})
	}
}
