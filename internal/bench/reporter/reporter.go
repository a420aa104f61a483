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
	manyAgents, fewAgents = 1000, 100
	modules               = 1000 // of each agent
)

// underWay is how many results of all agents together may be under way where as
// much is sent as is saved: some batches of all workers.
const underWay = 64_000

// agentWindow is how many results lars-lb-agent leaves without an
// acknowledgement.
const agentWindow = 4096

// windowOf is each agent's share of what may be under way. No key may be under
// way twice: the two would be one row.
func windowOf(k keys) int { return min(agentWindow, underWay/k.Agents, k.Modules*k.Hosts*3/4) }

// aim is the share of the yardstick that is to be reached.
const aim = 0.65

// Run measures everything and adds it to r.
func Run(ctx context.Context, cfg Config, r *result.Recorder) error {
	r.Progress("starting MariaDB")
	e, err := startMariaDB(ctx)
	switch {
	case errors.Is(err, mariadbtest.ErrMissing):
		r.Progress("%v. So does make deps. SQLite alone is measured\n", mariadbtest.ErrMissing)
	case err != nil:
		return err
	default:
		m := measurement{cfg, r, e, keys{manyAgents, modules, 1}}
		err := m.between(ctx, m.rounds, m.byAgents, m.sustained, m.overload)
		e.close()
		if err != nil {
			return fmt.Errorf("MariaDB: %w", err)
		}
	}
	if e, err = startSQLite(ctx); err != nil {
		return err
	}
	defer e.close()
	cfg.Rounds = min(cfg.Rounds, 3) // all there is of time goes to the engine that scales
	m := measurement{cfg, r, e, keys{fewAgents, modules, 1}}
	if err := m.between(ctx, m.rounds, m.sustained); err != nil {
		return fmt.Errorf("SQLite: %w", err)
	}
	return nil
}

// measurement is of one engine.
type measurement struct {
	cfg Config
	*result.Recorder
	*engine
	keys keys
}

// daemons are the two that are measured: with the history, and without.
type daemons struct{ without, with *daemon }

// between fills the tables, starts the daemons, measures, and stops them.
func (m measurement) between(ctx context.Context, parts ...func(context.Context, daemons) error) error {
	m.Progress("%s: filling in %d rows", m.name, m.keys.rows())
	if err := fill(ctx, m.engine, m.keys); err != nil {
		return fmt.Errorf("fill in: %w", err)
	}
	// The pages that this has left to be written would slow down what comes first.
	if _, err := m.bare(ctx, m.keys, statusTable); err != nil {
		return err
	}
	var d daemons
	var err error
	if d.without, err = startDaemon(ctx, m.cfg.Bin, m.engine, 0); err != nil {
		return err
	}
	defer d.without.stop()
	if d.with, err = startDaemon(ctx, m.cfg.Bin, m.engine, 168*time.Hour); err != nil {
		return err
	}
	defer d.with.stop()
	for _, part := range parts {
		if err := part(ctx, d); err != nil {
			return err
		}
	}
	return nil
}

// rounds measures how much is saved beside the yardstick.
func (m measurement) rounds(ctx context.Context, d daemons) error {
	window := windowOf(m.keys)
	var yard, yardTwo, numbered, unnumbered, two []sample
	for round := range m.cfg.Rounds {
		for _, o := range []struct {
			into    *[]sample
			measure func() (sample, error)
		}{
			{&yard, func() (sample, error) { return m.bare(ctx, m.keys, statusTable) }},
			{&numbered, func() (sample, error) {
				return m.rate(ctx, d.without, load{Keys: m.keys, Numbered: true, Window: window})
			}},
			{&unnumbered, func() (sample, error) { return m.rate(ctx, d.without, load{Keys: m.keys, Window: window}) }},
			{&yardTwo, func() (sample, error) { return m.bare(ctx, m.keys, historyTable, statusTable) }},
			{&two, func() (sample, error) { return m.rate(ctx, d.with, load{Keys: m.keys, Numbered: true, Window: window}) }},
		} {
			m.Progress("%s: round %d of %d", m.name, round+1, m.cfg.Rounds)
			got, err := o.measure()
			if err != nil {
				return err
			}
			*o.into = append(*o.into, got)
		}
	}
	m.rows("numbered reports", 1, numbered, yard)
	m.rows("numbered reports, with the history", 2, two, yardTwo)
	m.rows("reports of Lars 1.0", 1, unnumbered, yard)
	return nil
}

// rows adds what was measured beside the yardstick; each result is some rows.
func (m measurement) rows(what string, each float64, ours, bare []sample) {
	o, b := medians(ours), medians(bare)
	what = m.name + ", " + what
	than := m.yardstick()
	m.Row(result.Row{What: what + ": rows committed", Unit: "/s", Ours: each * o.rate, Than: than, Other: each * b.rate, Aim: result.RatioAtLeast(aim)})
	m.Row(result.Row{What: what + ": CPU of a row in lars-reporter", Unit: "µs", Ours: o.writer / each, Than: than, Other: b.writer / each})
	if m.pid > 0 {
		m.Row(result.Row{What: what + ": CPU of a row in the server", Unit: "µs", Ours: o.server / each, Than: than, Other: b.server / each})
	}
}

// yardstick names it.
func (e *engine) yardstick() string {
	if e.conns == 1 {
		return "bare upserts, 1 connection"
	}
	return fmt.Sprintf("bare upserts, %d connections", e.conns)
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

// bare is a round of the yardstick.
func (m measurement) bare(ctx context.Context, k keys, tables ...table) (sample, error) {
	return bare(ctx, m.engine, k, m.cfg.Length, tables...)
}

// rate is that of one run of agents.
func (m measurement) rate(ctx context.Context, d *daemon, l load) (sample, error) {
	r, err := begin(ctx, d, l)
	if err != nil {
		return sample{}, err
	}
	defer r.stop()
	got, err := r.measure(ctx, m.engine, m.cfg.Length)
	if err != nil {
		return sample{}, err
	}
	_, err = r.end(ctx)
	return got, err
}
