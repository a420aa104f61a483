package peers

import (
	"testing"
	"time"
)

// ejector is a Balancer that keeps hosts out of the traffic.
type ejector interface {
	Balancer
	Out(host int) bool
}

func ejectors(n int) map[string]ejector {
	all := map[string]ejector{}
	for name, b := range everyone(n, 1) {
		if e, ok := b.(ejector); ok {
			all[name] = e
		}
	}
	return all
}

func TestHostsThatFailAreOut(t *testing.T) {
	const n = 20
	all := ejectors(n)
	if len(all) != 4 {
		t.Fatalf("%d balancers keep hosts out", len(all))
	}
	for name, b := range all {
		b.Pick(0)
		report(b, 3, "xxxxxxxxxxxxxxxxxxxxxxxxx", 0)
		for h := range n {
			if got := b.Out(h); got != (h == 3) {
				t.Errorf("%s: host %d is out: %v", name, h, got)
			}
		}
		// What brings it back differs; that it comes back does not.
		now := time.Duration(0)
		for b.Out(3) && now < 10*time.Minute {
			now += 100 * time.Millisecond
			if h, ok := b.Pick(now); ok {
				b.Report(h, true, time.Millisecond, now)
			}
		}
		if b.Out(3) || !uses(b, 3, 2*n, now) {
			t.Errorf("%s: a host that is well again is out", name)
		}
	}
}

// A host that is called for want of others is not out.
func TestNobodyIsOutWhereAllAreUsedAllTheSame(t *testing.T) {
	for name, b := range ejectors(3) {
		if name != "envoy" && name != "polaris" {
			continue
		}
		for h := range 3 {
			report(b, h, "xxxxxxxxxxxxxxxxxxxxxxxxx", 0)
		}
		for h := range 3 {
			if b.Out(h) {
				t.Errorf("%s: host %d is out although all fail", name, h)
			}
		}
	}
}
