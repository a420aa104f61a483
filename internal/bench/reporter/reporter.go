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

// The keys that agents report on. SQLite is for the agents of few machines, of
// which one holds its file.
const (
	manyAgents, manyModules = 1000, 1000
	fewAgents, fewModules   = 100, 100
)

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
		err := m.engine(ctx, e, keys{manyAgents, manyModules, 1})
		e.close()
		if err != nil {
			return err
		}
	}
	if e, err = startSQLite(ctx); err != nil {
		return err
	}
	defer e.close()
	return m.engine(ctx, e, keys{fewAgents, fewModules, 1})
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
	if err := m.rounds(ctx, e, k, without, with); err != nil {
		return err
	}
	if err := m.byAgents(ctx, e, k, without); err != nil {
		return err
	}
	if err := m.sustained(ctx, e, k, without, with); err != nil {
		return err
	}
	return m.overload(ctx, e, k, without)
}

// rounds measures how much is saved beside the yardstick.
func (m measurement) rounds(ctx context.Context, e *engine, k keys, without, with *daemon) error {
	var yard, yardHistory, numbered, unnumbered, history []sample
	for round := range m.cfg.Rounds {
		for _, o := range []struct {
			into    *[]sample
			measure func() (sample, error)
		}{
			{&yard, func() (sample, error) { return bare(ctx, e, k, m.cfg.Length, statusTable) }},
			{&numbered, func() (sample, error) {
				return m.rate(ctx, e, without, load{Keys: k, Numbered: true, Window: window})
			}},
			{&unnumbered, func() (sample, error) { return m.rate(ctx, e, without, load{Keys: k, Window: window}) }},
			{&yardHistory, func() (sample, error) { return bare(ctx, e, k, m.cfg.Length, historyTable, statusTable) }},
			{&history, func() (sample, error) {
				return m.rate(ctx, e, with, load{Keys: k, Numbered: true, Window: window})
			}},
		} {
			m.Progress("%s: round %d of %d", e.name, round+1, m.cfg.Rounds)
			got, err := o.measure()
			if err != nil {
				return fmt.Errorf("%s: %w", e.name, err)
			}
			*o.into = append(*o.into, got)
		}
	}
	m.rows(e, "numbered reports to rows", 1, numbered, yard)
	m.rows(e, "reports of Lars 1.0 to rows", 1, unnumbered, yard)
	m.rows(e, "numbered reports to two rows each, with the history", 2, history, yardHistory)
	return nil
}

// rows adds what was measured beside the yardstick; each result is some rows.
func (m measurement) rows(e *engine, what string, each float64, ours, bare []sample) {
	o, b := medians(ours), medians(bare)
	than := fmt.Sprintf("bare upserts, %d connections", e.conns)
	m.Row(result.Row{What: e.name + ", " + what, Unit: "/s", Ours: each * o.rate, Than: than, Other: each * b.rate, Aim: result.RatioAtLeast(aim)})
	m.Row(result.Row{What: e.name + ", " + what + ", CPU of a row in lars-reporter", Unit: "µs", Ours: o.writer / each, Than: than, Other: b.writer / each})
	if e.pid > 0 {
		m.Row(result.Row{What: e.name + ", " + what + ", CPU of a row in the server", Unit: "µs", Ours: o.server / each, Than: than, Other: b.server / each})
	}
}

// medians are those of each number by itself.
func medians(samples []sample) sample {
	median := func(of func(sample) float64) float64 {
		values := make([]float64, len(samples))
		for i, s := range samples {
			values[i] = of(s)
		}
		return result.Median(values)
	}
	return sample{
		rate:   median(func(s sample) float64 { return s.rate }),
		writer: median(func(s sample) float64 { return s.writer }),
		server: median(func(s sample) float64 { return s.server }),
	}
}

// rate is that of one run of agents.
func (m measurement) rate(ctx context.Context, e *engine, d *daemon, l load) (sample, error) {
	r, err := begin(ctx, d, l)
	if err != nil {
		return sample{}, err
	}
	defer r.stop()
	got, err := r.measure(ctx, e, m.cfg.Length)
	if err != nil {
		return sample{}, err
	}
	_, err = r.end(ctx)
	return got, err
}
