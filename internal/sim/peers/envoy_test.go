package peers

import (
	"strings"
	"testing"
	"time"
)

func TestEnvoyConsecutiveFailures(t *testing.T) {
	tests := []struct {
		results string
		used    bool
	}{
		{"xxxx", true},
		{"xxxxx", false},
		{"xxxx.xxxx", true},
		{"xxxx.xxxxx", false},
	}
	for _, tt := range tests {
		b := NewEnvoy(10, 1)
		report(b, 3, tt.results, 0)
		if got := uses(b, 3, 20, 0); got != tt.used {
			t.Errorf("after %s the host is used: %v", tt.results, got)
		}
	}
}

func TestEnvoyMaxEjectionPercent(t *testing.T) {
	tests := []struct{ hosts, failing, ejected int }{
		{1, 1, 0},
		{5, 1, 0}, // one of five is 20%
		{9, 1, 0},
		{10, 1, 1},
		{10, 3, 1},
		{19, 2, 1},
		{20, 3, 2},
	}
	for _, tt := range tests {
		b := NewEnvoy(tt.hosts, 1)
		for h := range tt.failing {
			report(b, h, "xxxxxxxxxx", 0)
		}
		if got := tt.hosts - len(picked(b, 2*tt.hosts, 0)); got != tt.ejected {
			t.Errorf("%d of %d fail: %d ejected, want %d", tt.failing, tt.hosts, got, tt.ejected)
		}
	}
}

// Ejections last 30 s times their number; sweeps each 10 s end them.
func TestEnvoyEjectionTimeGrows(t *testing.T) {
	b := NewEnvoy(10, 1)
	b.Pick(0) // starts the timer
	now := time.Second
	for n := 1; n <= 12; n++ {
		report(b, 0, "xxxxx", now)
		want := min(time.Duration(n)*30, 300) * time.Second
		back := now
		for !uses(b, 0, 20, back) {
			back += time.Second
		}
		// The sweep that finds the time over comes up to 10 s later.
		if got := back - now; got < want || got >= want+10*time.Second {
			t.Errorf("ejection %d lasts %v, want %v and less than 10 s more", n, got, want)
		}
		now = back
	}
}

func TestEnvoyEjectionTimeShrinks(t *testing.T) {
	b := NewEnvoy(10, 1).(*envoy)
	b.hosts[0] = envoyHost{returned: true, multiplier: 3}
	b.Pick(0)
	for i, want := range []int{3, 2, 1, 0, 0} {
		b.Pick(time.Duration(i) * 10 * time.Second)
		if got := b.hosts[0].multiplier; got != want {
			t.Errorf("after %d healthy intervals it is %d, want %d", i, got, want)
		}
	}
}

func TestEnvoyFailuresWhileEjectedDoNotCountAfterwards(t *testing.T) {
	b := NewEnvoy(10, 1)
	report(b, 0, "xxxxx"+"xxxx", 0)
	report(b, 0, "x", 40*time.Second)
	if !uses(b, 0, 20, 40*time.Second) {
		t.Error("one failure after the return ejects")
	}
}

func TestEnvoySuccessRate(t *testing.T) {
	good, bad := strings.Repeat(".", 100), strings.Repeat(".", 90)+strings.Repeat(".x", 5)
	tests := []struct {
		name    string
		hosts   int
		results func(host int) string
		used    bool // host 0, after the sweep
	}{
		{"an outlier among ten", 10, func(h int) string { return pick(h == 0, bad, good) }, false},
		{"too few requests", 10, func(h int) string { return pick(h == 0, bad, good)[1:] }, true},
		{"few failures suffice when the others have none", 10,
			func(h int) string { return pick(h == 0, good+"x", good) }, false},
		{"all alike", 10, func(int) string { return bad }, true},
		{"half are bad", 10, func(h int) string { return pick(h%2 == 0, bad, good) }, true},
		{"four hosts with enough requests", 10, func(h int) string { return pick(h == 0, bad, pick(h < 4, good, "")) }, true},
		// Of five hosts one outlier is 2 standard deviations below the mean.
		{"five hosts with enough requests", 10, func(h int) string { return pick(h == 0, bad, pick(h < 5, good, "")) }, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			b := NewEnvoy(tt.hosts, 1)
			for h := range tt.hosts {
				report(b, h, tt.results(h), time.Second)
			}
			if !uses(b, 0, 2*tt.hosts, 9*time.Second) {
				t.Error("ejected before the sweep")
			}
			if got := uses(b, 0, 2*tt.hosts, 11*time.Second); got != tt.used {
				t.Errorf("used after the sweep: %v", got)
			}
			if !uses(b, 0, 2*tt.hosts, 51*time.Second) {
				t.Error("not used again after 30 s")
			}
		})
	}
}

// A healthy host that is ejected for a failure or two leaves no place among
// the 10% for a dead one. Calls lost with Envoy depend on it more than on
// anything else.
func TestEnvoyOneEjectionBarsTheNext(t *testing.T) {
	b := NewEnvoy(10, 1)
	for h := range 10 {
		report(b, h, strings.Repeat(".", 100)+pick(h == 7, "x", "."), time.Second)
	}
	report(b, 0, "xxxxxxxxxx", 12*time.Second)
	if uses(b, 7, 20, 12*time.Second) || !uses(b, 0, 20, 12*time.Second) {
		t.Error("the dead host is ejected, or the other is not")
	}
}

func TestEnvoyPanic(t *testing.T) {
	tests := []struct{ ejected, used int }{
		{4, 6},
		{5, 5}, // half of the hosts are healthy: not less than 50%
		{6, 10},
		{10, 10},
	}
	for _, tt := range tests {
		b := NewEnvoy(10, 1).(*envoy)
		b.maxEjected = 100
		for h := range tt.ejected {
			report(b, h, "xxxxx", 0)
		}
		if got := len(picked(b, 30, 0)); got != tt.used {
			t.Errorf("%d ejected: %d hosts used, want %d", tt.ejected, got, tt.used)
		}
	}
}

func pick(cond bool, a, b string) string {
	if cond {
		return a
	}
	return b
}
