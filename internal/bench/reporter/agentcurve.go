package reporter

import (
	"context"
	"strings"

	"github.com/lars-lb/lars/internal/bench/result"
)

// byAgents measures how much is saved of few agents and of many.
func (m measurement) byAgents(ctx context.Context, d daemons) error {
	ours, theirs := result.Series{Name: "lars-reporter"}, result.Series{Name: m.yardstick()}
	for _, share := range []int{100, 32, 10, 3, 1} {
		some := m.keys
		some.Agents /= share
		m.Progress("%s: %d agents", m.name, some.Agents)
		b, err := m.bare(ctx, some, statusTable)
		if err != nil {
			return err
		}
		o, err := m.rate(ctx, d.without, load{Keys: some, Numbered: true, Window: windowOf(some)})
		if err != nil {
			return err
		}
		theirs.Points = append(theirs.Points, result.Point{X: float64(some.Agents), Y: b.rate})
		ours.Points = append(ours.Points, result.Point{X: float64(some.Agents), Y: o.rate})
	}
	m.Curve(result.Curve{
		Name: "agents-" + strings.ToLower(m.name), Title: "Rows saved, " + m.name,
		X: "agents that report", Y: "rows a second", Series: []result.Series{ours, theirs},
	})
	return nil
}
