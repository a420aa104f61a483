package peers

import (
	"strings"
	"testing"
	"time"
)

// elbUp reports whether a host takes calls rather than probes.
func elbUp(b Balancer, host int) bool { return !b.(*elb).hosts[host].overload }

func TestELBEjection(t *testing.T) {
	type calls struct {
		at      time.Duration
		results string // '.' a success, 'x' a failure
		cost    time.Duration
	}
	tests := []struct {
		name  string
		calls []calls
		up    bool
	}{
		{"14 quick failures in a row", []calls{{0, strings.Repeat("x", 14), 0}}, true},
		{"15 quick failures in a row", []calls{{0, strings.Repeat("x", 15), 0}}, false},
		{"14, a success and 5", []calls{{0, strings.Repeat("x", 14) + "." + strings.Repeat("x", 5), 0}}, true},
		{"20 of 206 with the credit", []calls{{0, strings.Repeat("x.xx", 6) + "xx", 0}}, true},
		{"21 of 207 with the credit", []calls{{0, strings.Repeat("x.xx", 6) + "xxx", 0}}, false},
		{"one failure of 1 s weighs 10", []calls{{0, "x", time.Second}}, true},
		{"two failures of 1 s weigh 20", []calls{{0, "xx", time.Second}}, false},
		{"a failure of 99 ms weighs 1", []calls{{0, strings.Repeat("x", 14), 99 * time.Millisecond}}, true},
		{"a success is worth the same at any cost", []calls{{0, "x.x.x", time.Second}}, true},
		{"one bad window", []calls{{0, "xxxx", 0}, {15 * time.Second, "x", 0}}, true},
		{"two bad windows in a row", []calls{{0, "xxxx", 0}, {15 * time.Second, "x", 0}, {30 * time.Second, "x", 0}}, false},
		{"a good window between bad ones", []calls{{15 * time.Second, "x", 0}, {30 * time.Second, ".", 0}, {45 * time.Second, "x", 0}}, true},
		{"a window with 69% failures is not bad", []calls{
			{0, strings.Repeat("xx.", 3), 0}, {15 * time.Second, ".", 0},
			{15 * time.Second, strings.Repeat("xx.", 3), 0}, {30 * time.Second, "x", 0}}, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := NewELB(2)
			for _, c := range tt.calls {
				for _, r := range c.results {
					b.Report(0, r == '.', c.cost, c.at)
				}
			}
			if got := elbUp(b, 0); got != tt.up {
				t.Errorf("up is %v, want %v", got, tt.up)
			}
		})
	}
}

func TestELBWeightOfAFailureIsAtMost50(t *testing.T) {
	b := NewELB(1).(*elb)
	b.Report(0, false, time.Hour, 0)
	// Ejected by the first 15 in a row; the rest is charged on top.
	if got := b.hosts[0].err; got != elbInitErr+50-15 {
		t.Errorf("charged with %d failures", got)
	}
}

func TestELBReturn(t *testing.T) {
	tests := []struct {
		name    string
		results string
		at      time.Duration
		up      bool
	}{
		{"14 successes in a row", strings.Repeat(".", 14), time.Second, false},
		{"15 successes in a row", strings.Repeat(".", 15), time.Second, true},
		{"a failure before 180 s", "x", 179 * time.Second, false},
		{"even a failure after 180 s", "x", 180 * time.Second, true},
		{"half of the calls succeed", strings.Repeat(".x", 50), time.Second, false},
	}
	for _, tt := range tests {
		b := NewELB(2)
		report(b, 0, strings.Repeat("x", 15), 0)
		report(b, 0, tt.results, tt.at)
		if got := elbUp(b, 0); got != tt.up {
			t.Errorf("%s: up is %v", tt.name, got)
		}
	}
}

func TestELBProbesEachEleventhPick(t *testing.T) {
	b := NewELB(3)
	report(b, 1, strings.Repeat("x", 15), 0)
	for i := range 33 {
		h, ok := b.Pick(0)
		if probe := i%11 == 10; !ok || probe != (h == 1) {
			t.Errorf("pick %d is %d, %v", i, h, ok)
		}
	}
}

func TestELBRefusesWhenAllAreDown(t *testing.T) {
	b := NewELB(2)
	report(b, 0, strings.Repeat("x", 15), 0)
	report(b, 1, strings.Repeat("x", 15), 0)
	for i := range 22 {
		if _, ok := b.Pick(0); ok != (i%11 == 10) {
			t.Errorf("pick %d: ok is %v", i, ok)
		}
	}
}
