package chaos_test

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/chaos"
	"github.com/lars-lb/lars/internal/chaos/fault"
)

// judgedFrom is the length of a soak from which on its trends are judged: a
// process grows to its working size first.
const judgedFrom = 2 * time.Minute

// TestSoak runs the suite at half of what the machine takes, with 100 changes of
// routes a second and a fault a minute, and looks at what its processes hold.
// In go test it lasts seconds, which shows no more than that it works.
func TestSoak(t *testing.T) {
	length := cmp.Or(*duration, 3*time.Second)
	w := chaos.NewWorld(t, programs, database, chaos.Options{Changes: 100, Rules: rules(), Seed: *seed})
	// Those that are watched live from the beginning to the end, so they are
	// frozen and starved, but not ended; the others and what is between are.
	watched := []string{"agent1", "dns1", "reporter1"}
	var s fault.Schedule
	targets := slices.Concat(w.Processes(), w.Links(), []string{fault.Database})
	for _, x := range fault.Random(*seed, targets, length, min(time.Minute, length/4)) {
		if !slices.Contains(watched, x.Target) || x.Kind != fault.Kill && x.Kind != fault.Stop {
			s = append(s, x)
		}
	}
	s = append(s, fault.Step{At: length, Kind: fault.Reset, Target: "agent1>dns1"}) // it lasts to the end
	capacity := w.Capacity("agent1", max(time.Second, min(length/60, 5*time.Second)))
	rate := max(capacity/2, 100)
	w.SetRate(rate)
	t.Logf("the agent answers %d GetHost/s; %d GetHost/s and %d faults in %v", capacity, rate, len(s), length)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	sampler := w.StartSampler(ctx, max(length/240, 200*time.Millisecond), watched...)
	w.Run(s)
	cancel()
	trends := chaos.Trends(sampler.Samples())
	t.Logf("start, middle and end:\n%s", chaos.Table(trends))
	if len(trends) != len(watched) {
		t.Errorf("%d of %v were watched", len(trends), watched)
	}
	for _, x := range trends {
		if length >= judgedFrom && !x.Flat {
			t.Errorf("%s grows: %+v", x.Process, x)
		}
		if x.End.Resident == 0 || x.End.Descriptors == 0 || x.End.Goroutines == 0 {
			t.Errorf("%s holds nothing: %+v", strings.TrimSpace(x.Process), x)
		}
	}
}
