package lbagent

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
)

// Agents spread evenly over endpoints, and those of one that is gone over the
// others.
func TestPreferenceIsEven(t *testing.T) {
	const agents = 3000
	for _, n := range []int{2, 3, 8} {
		var endpoints []string
		for i := range n {
			endpoints = append(endpoints, fmt.Sprintf("10.0.0.%d:7778", i+1))
		}
		random := rand.New(rand.NewPCG(1, uint64(n)))
		first, second := make(map[string]int), make(map[string]int)
		for range agents {
			order := preference(endpoints, random.Uint64())
			if got := slices.Sorted(slices.Values(order)); !slices.Equal(got, slices.Sorted(slices.Values(endpoints))) {
				t.Fatalf("the order is %v", order)
			}
			first[order[0]]++
			if order[0] == endpoints[0] {
				second[order[1]]++
			}
		}
		// Five standard deviations of a fair choice.
		even := func(what string, got map[string]int, all, among int) {
			want := float64(all) / float64(among)
			for _, e := range endpoints[n-among:] {
				if d := float64(got[e]) - want; d*d > 25*want {
					t.Errorf("%s of %d: %s is that of %d agents, want about %.0f", what, n, e, got[e], want)
				}
			}
		}
		even("the first", first, agents, n)
		even("the second", second, first[endpoints[0]], n-1)
	}
}

func TestPreferenceStaysForAnAgent(t *testing.T) {
	endpoints := []string{"a:1", "b:1", "c:1"}
	want := preference(endpoints, 7)
	slices.Reverse(endpoints)
	if got := preference(endpoints, 7); !slices.Equal(got, want) {
		t.Errorf("the order is %v, and was %v", got, want)
	}
}
