package peers

import (
	"slices"
	"testing"
	"time"
)

func TestRoundRobinLearnsNothing(t *testing.T) {
	b := NewRoundRobin(3)
	report(b, 1, "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", 0)
	for i := range 9 {
		if h, ok := b.Pick(0); h != i%3 || !ok {
			t.Errorf("pick %d is %d, %v", i, h, ok)
		}
	}
}

func TestOracle(t *testing.T) {
	good := func(h int, now time.Duration) bool { return h != 1 && now < time.Minute }
	tests := []struct {
		name string
		now  time.Duration
		want []int
	}{
		{"the good hosts in turn", 0, []int{0, 2, 0, 2, 0, 2}},
		{"all in turn when none is good", time.Minute, []int{0, 1, 2, 0, 1, 2}},
	}
	for _, tt := range tests {
		b := NewOracle(3, good)
		var got []int
		for range tt.want {
			h, _ := b.Pick(tt.now)
			got = append(got, h)
		}
		if !slices.Equal(got, tt.want) {
			t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
		}
	}
}
