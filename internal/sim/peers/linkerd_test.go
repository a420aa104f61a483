package peers

import (
	"testing"
	"time"
)

func TestLinkerdConsecutiveFailures(t *testing.T) {
	tests := []struct {
		results string
		used    bool
	}{
		{"xxxxxx", true},
		{"xxxxxxx", false},
		{"xxxxxx.xxxxxx", true},
		{"xxxxxx.xxxxxxx", false},
	}
	for _, tt := range tests {
		b := NewLinkerd(3, 1)
		report(b, 1, tt.results, 0)
		if got := uses(b, 1, 6, 0); got != tt.used {
			t.Errorf("after %s the host is used: %v", tt.results, got)
		}
	}
}

// Penalties are 1 s, doubling to 60 s, and up to half as long again.
func TestLinkerdPenaltiesDouble(t *testing.T) {
	for seed := range uint64(20) {
		b := NewLinkerd(2, seed)
		report(b, 0, "xxxxxxx", 0)
		now := time.Duration(0)
		for i, want := range []time.Duration{1, 2, 4, 8, 16, 32, 60, 60} {
			least, most := want*time.Second, want*time.Second*3/2
			if uses(b, 0, 4, now+least-1) {
				t.Fatalf("seed %d: penalty %d ends before %v", seed, i, least)
			}
			if !uses(b, 0, 4, now+most) {
				t.Fatalf("seed %d: penalty %d is not over after %v", seed, i, most)
			}
			now += most
			report(b, 0, "x", now) // the probe
		}
	}
}

func TestLinkerdJitterVaries(t *testing.T) {
	ends := map[time.Duration]bool{}
	for seed := range uint64(10) {
		b := NewLinkerd(1, seed).(*linkerd)
		report(b, 0, "xxxxxxx", 0)
		ends[b.due] = true
	}
	if len(ends) < 10 {
		t.Errorf("ten seeds give %d penalties", len(ends))
	}
}

func TestLinkerdProbesOneAtATime(t *testing.T) {
	b := NewLinkerd(3, 1)
	report(b, 0, "xxxxxxx", 0)
	now := 2 * time.Second
	if !uses(b, 0, 3, now) {
		t.Fatal("no probe")
	}
	if uses(b, 0, 30, now+time.Hour) {
		t.Error("a second probe before the first ended")
	}
	report(b, 0, ".", now)
	if got := len(picked(b, 6, now)); got != 3 {
		t.Errorf("%d hosts used after a probe went well", got)
	}
	report(b, 0, "xxxxxx", now)
	if !uses(b, 0, 3, now) {
		t.Error("failures before the penalty still count")
	}
}

func TestLinkerdLateResults(t *testing.T) {
	b := NewLinkerd(2, 1)
	report(b, 0, "xxxxxxx", 0)
	report(b, 0, "....x..", 0) // calls that were under way
	if uses(b, 0, 4, 0) {
		t.Error("results of a shut host have an effect")
	}
	report(b, 0, ".", 2*time.Second) // on probation
	for range 3 {
		if !uses(b, 0, 2, 2*time.Second) {
			t.Error("the first result on probation does not decide")
		}
	}
}

func TestLinkerdRefusesWhenAllAreShut(t *testing.T) {
	b := NewLinkerd(2, 1)
	report(b, 0, "xxxxxxx", 0)
	report(b, 1, "xxxxxxx", 0)
	if got := picked(b, 10, time.Second/2); got != nil {
		t.Errorf("picked %v", got)
	}
	if got := len(picked(b, 10, 2*time.Second)); got != 2 {
		t.Errorf("%d hosts probed", got)
	}
}
