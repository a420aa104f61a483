package reporter

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/lars-lb/lars/internal/bench/result"
	"github.com/lars-lb/lars/internal/mariadbtest"
)

// Config says how to measure.
type Config struct {
	Bin    string        // the folder with the daemons
	Rounds int           // of each measurement; medians are recorded
	Length time.Duration // of a round
}

// The keys that agents report on: a million rows.
var million = keys{Agents: 1000, Modules: 1000, Hosts: 1}

// window is how many results of an agent may be under way where as much is sent
// as is saved. All agents' together are some batches of all workers.
const window = 64

// aim is the share of the yardstick that is to be reached.
const aim = 0.65

// Run measures everything and adds it to r.
func Run(ctx context.Context, cfg Config, r *result.Recorder) error {
	m := measurement{cfg, r}
	r.Progress("starting MariaDB")
	e, err := startMariaDB(ctx)
	switch {
	case errors.Is(err, mariadbtest.ErrMissing):
		r.Progress("%v; or make deps. Without it, SQLite alone is measured\n", mariadbtest.ErrMissing)
	case err != nil:
		return err
	default:
		err := m.engine(ctx, e, million)
		e.close()
		if err != nil {
			return err
		}
	}
	if e, err = startSQLite(ctx); err != nil {
		return err
	}
	defer e.close()
	return m.engine(ctx, e, million)
}

// measurement is what all of it needs.
type measurement struct {
	cfg Config
	*result.Recorder
}

func (m measurement) engine(ctx context.Context, e *engine, k keys) error {
	m.Progress("%s: filling in %d rows", e.name, k.rows())
	start := time.Now()
	if err := fill(ctx, e, k); err != nil {
		return fmt.Errorf("%s: fill in: %w", e.name, err)
	}
	m.Progress("%s: filled in %d rows in %v\n", e.name, k.rows(), time.Since(start))
	without, err := startDaemon(ctx, m.cfg.Bin, e, 0)
	if err != nil {
		return err
	}
	defer without.stop()
	with, err := startDaemon(ctx, m.cfg.Bin, e, 168*time.Hour)
	if err != nil {
		return err
	}
	defer with.stop()
	var yard, yardHistory, numbered, unnumbered, history []float64
	for round := range m.cfg.Rounds {
		m.Progress("%s: round %d of %d", e.name, round+1, m.cfg.Rounds)
		for _, o := range []struct {
			into    *[]float64
			measure func() (float64, error)
		}{
			{&yard, func() (float64, error) { return bare(ctx, e, k, m.cfg.Length, statusTable) }},
			{&numbered, func() (float64, error) { return m.rate(ctx, without, load{Keys: k, Numbered: true, Window: window}) }},
			{&unnumbered, func() (float64, error) { return m.rate(ctx, without, load{Keys: k, Window: window}) }},
			{&yardHistory, func() (float64, error) { return bare(ctx, e, k, m.cfg.Length, historyTable, statusTable) }},
			{&history, func() (float64, error) { return m.rate(ctx, with, load{Keys: k, Numbered: true, Window: window}) }},
		} {
			got, err := o.measure()
			if err != nil {
				return fmt.Errorf("%s: %w", e.name, err)
			}
			m.Progress("%s %d: %.0f\n", e.name, len(*o.into), got)
			*o.into = append(*o.into, got)
		}
	}
	than := fmt.Sprintf("bare upserts, %d connections", e.conns)
	y, yh := result.Median(yard), result.Median(yardHistory)
	row := func(what string, ours, other float64, a result.Aim) {
		m.Row(result.Row{What: e.name + ", " + what, Unit: "/s", Ours: ours, Than: than, Other: other, Aim: a})
	}
	row("numbered reports to rows", result.Median(numbered), y, result.RatioAtLeast(aim))
	row("reports of Lars 1.0 to rows", result.Median(unnumbered), y, result.RatioAtLeast(aim))
	row("numbered reports to two rows each, with the history", 2*result.Median(history), 2*yh, result.RatioAtLeast(aim))
	return nil
}

// rate is that of one run of agents.
func (m measurement) rate(ctx context.Context, d *daemon, l load) (float64, error) {
	r, err := begin(ctx, d, l)
	if err != nil {
		return 0, err
	}
	defer r.stop()
	got, err := r.rate(ctx, m.cfg.Length)
	if err != nil {
		return 0, err
	}
	_, err = r.end(ctx)
	return got, err
}
