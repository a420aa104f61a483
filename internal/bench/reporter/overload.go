package reporter

import (
	"context"

	"github.com/lars-lb/lars/internal/bench/result"
)

// overloadRounds is how many lengths of a round more is sent than can be saved,
// before its memory is looked at, and again after it.
const overloadRounds = 3

// overload measures what lars-reporter holds when more comes for long than the
// database takes: of reports without a number as many as the connections
// carry, of numbered ones as many as agents have before they wait.
func (m measurement) overload(ctx context.Context, d daemons) error {
	for _, o := range []struct {
		name string
		load load
	}{
		{"numbered reports", load{Keys: m.keys, Numbered: true, Window: agentWindow}},
		{"reports of Lars 1.0", load{Keys: m.keys}},
	} {
		m.Progress("%s: too many %s", m.name, o.name)
		early, late, err := m.flood(ctx, d.without, o.load)
		if err != nil {
			return err
		}
		m.Row(result.Row{
			What: m.name + ", too many " + o.name + ": memory of lars-reporter", Unit: "MB", Ours: late,
			Than: "after half the time", Other: early, Aim: result.RatioAtMost(1.3),
		})
	}
	return nil
}

// flood returns the memory after half of the time, and at the end.
func (m measurement) flood(ctx context.Context, d *daemon, l load) (early, late float64, err error) {
	r, err := begin(ctx, d, l)
	if err != nil {
		return 0, 0, err
	}
	defer r.stop()
	for _, into := range []*float64{&early, &late} {
		if err := r.wait(ctx, overloadRounds*m.cfg.Length); err != nil {
			return 0, 0, err
		}
		*into = memory(d.PID())
	}
	return early, late, nil
}
