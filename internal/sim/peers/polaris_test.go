package peers

import (
	"strings"
	"testing"
	"time"
)

func TestPolarisOpens(t *testing.T) {
	tests := []struct {
		name    string
		before  string        // results at time 0
		gap     time.Duration // until
		results string
		used    bool
	}{
		{"nine failures with as many successes before", "..........", 0, "xxxxxxxxx", true},
		{"ten failures in a row", strings.Repeat(".", 100), 0, strings.Repeat("x", 10), false},
		{"a success between", strings.Repeat(".", 100), 0, strings.Repeat("x", 9) + "." + strings.Repeat("x", 9), true},
		{"nine requests", "", 0, "x.x.x.x.x", true},
		{"half of ten requests", "", 0, ".x.x.x.x.x", false},
		{"less than half", "", 0, strings.Repeat(".x.", 30), true},
		{"failures within a minute", "xxxxx", 50 * time.Second, "....x", false},
		{"failures a minute ago are forgotten", "xxxxx", 60 * time.Second, "....x", true},
		{"all is forgotten after a pause", "xxxxxxxxx.xx", time.Hour, ".........x", true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := NewPolaris(3)
			report(b, 2, tt.before, 0)
			report(b, 2, tt.results, tt.gap)
			if got := uses(b, 2, 6, tt.gap); got != tt.used {
				t.Errorf("used: %v", got)
			}
		})
	}
}

func TestPolarisHalfOpen(t *testing.T) {
	const half = 30 * time.Second
	tests := []struct {
		name    string
		results string
		at      time.Duration
		used    bool // then
		closed  bool
	}{
		{"after 30 s it takes calls", "", half, true, false},
		{"not before", "", half - 1, false, false},
		{"two successes do not close", "..", half, true, false},
		{"three do", "...", half, true, true},
		{"a failure opens again", "..x", half, false, false},
		{"results while open have no effect", "...", half - 1, false, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := NewPolaris(2).(*polaris)
			report(b, 0, strings.Repeat("x", 10), 0)
			report(b, 0, tt.results, tt.at)
			if got := uses(b, 0, 4, tt.at); got != tt.used {
				t.Errorf("used: %v", got)
			}
			if got := b.hosts[0].state == polarisClosed; got != tt.closed {
				t.Errorf("closed: %v", got)
			}
		})
	}
}

func TestPolarisOpenAgainSleepsAnew(t *testing.T) {
	b := NewPolaris(2)
	report(b, 0, strings.Repeat("x", 10), 0)
	report(b, 0, "x", 31*time.Second)
	if uses(b, 0, 4, 61*time.Second-1) || !uses(b, 0, 4, 61*time.Second) {
		t.Error("it does not sleep 30 s from the failure of the half-open breaker")
	}
}

func TestPolarisUsesAllWhenAllAreOpen(t *testing.T) {
	b := NewPolaris(3)
	for h := range 3 {
		report(b, h, strings.Repeat("x", 10), time.Duration(h)*time.Second)
	}
	if got := len(picked(b, 6, 3*time.Second)); got != 3 {
		t.Errorf("%d hosts used", got)
	}
	if got := picked(b, 6, 30*time.Second); len(got) != 1 || got[0] != 0 {
		t.Errorf("with one half-open, %v are used", got)
	}
}
