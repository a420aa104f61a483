package chaos_test

import (
	"cmp"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/chaos"
	"github.com/lars-lb/lars/internal/chaos/fault"
)

// TestRandomFaults carries out schedules made by chance: one short one in go
// test, which is always the same; as many and as long as is said in make chaos.
func TestRandomFaults(t *testing.T) {
	length := cmp.Or(*duration, 8*time.Second)
	for i := range uint64(*rounds) {
		o := chaos.Options{Agents: 2, Rate: 1000, Rules: rules(), Seed: *seed + i}
		w := chaos.NewWorld(t, programs, database, o)
		s := fault.Random(o.Seed, slices.Concat(w.Processes(), w.Links(), []string{fault.Database}), length, 500*time.Millisecond)
		if *replay != "" {
			text, err := os.ReadFile(*replay)
			if err != nil {
				t.Fatal(err)
			}
			if s, err = fault.Parse(string(text)); err != nil {
				t.Fatal(err)
			}
		}
		t.Logf("round %d of %d, seed %d: %d faults in %v", i+1, *rounds, o.Seed, len(s), s.Length())
		w.Run(s)
		w.Close()
		if t.Failed() {
			return
		}
	}
}
