package reporter

import (
	"context"
	"fmt"
	"strings"

	"github.com/lars-lb/lars/internal/bench/result"
)

// agentWindow is how many results lars-lb-agent leaves without an
// acknowledgement.
const agentWindow = 4096

// byAgents measures how much is saved of few agents and of many.
func (m measurement) byAgents(ctx context.Context, e *engine, k keys, d *daemon) error {
	ours, theirs := result.Series{Name: "lars-reporter"}, result.Series{Name: fmt.Sprintf("bare upserts, %d connections", e.conns)}
	for _, share := range []int{100, 32, 10, 3, 1} {
		some := k
		some.Agents /= share
		m.Progress("%s: %d agents", e.name, some.Agents)
		b, err := bare(ctx, e, some, m.cfg.Length, statusTable)
		if err != nil {
			return err
		}
		o, err := m.rate(ctx, e, d, load{Keys: some, Numbered: true, Window: min(agentWindow, window*manyAgents/some.Agents)})
		if err != nil {
			return err
		}
		theirs.Points = append(theirs.Points, result.Point{X: float64(some.Agents), Y: b.rate})
		ours.Points = append(ours.Points, result.Point{X: float64(some.Agents), Y: o.rate})
	}
	m.Curve(result.Curve{
		Name: "reporter-agents-" + strings.ToLower(e.name), Title: "Rows saved, " + e.name,
		X: "agents that report", Y: "rows a second", Series: []result.Series{ours, theirs},
	})
	return nil
}
