package dns

import (
	"context"
	"fmt"
	"strconv"
	"time"

	"github.com/lars-lb/lars/internal/bench/result"
	"github.com/lars-lb/lars/internal/route"
)

// load is the requests a second, and the connections they come from, under which
// a reading of all routes is measured.
const (
	load      = 4000
	loadConns = 16
)

// measureReload measures the answers at rest, and while all routes are read.
func (b *bench) measureReload(ctx context.Context, d *database, p *daemon) error {
	disperse, _, err := b.gather(ctx, p, order{Open: loadConns, Common: []route.Module{module(0)}})
	if err != nil {
		return err
	}
	defer disperse()
	length := int(3 * b.Length / time.Millisecond)
	ask := func(name string) (result.Distribution, error) {
		r, err := b.crowd.do(order{Ask: load, MS: length, Modules: d.modules})
		if err != nil {
			return result.Distribution{}, err
		}
		var us []float64
		for _, ns := range r.Latencies {
			us = append(us, float64(ns)/1000)
		}
		if len(us) == 0 {
			return result.Distribution{}, fmt.Errorf("no answer in %d ms", length)
		}
		return result.DistributionOf(name, us), nil
	}
	b.Progress("answers at rest, and during a reload")
	if _, err := ask("to warm up"); err != nil {
		return err
	}
	rest, err := ask("at rest")
	if err != nil {
		return err
	}
	before, err := p.stats()
	if err != nil {
		return err
	}
	p.forgetPeak()
	// Raised by somebody who does not say what changed.
	if _, err := b.server.admin.ExecContext(ctx, "UPDATE "+d.config.Name+".RouteVersion SET version = version + 1"); err != nil {
		return err
	}
	began := time.Now()
	if err := pause(ctx, 2*defaultPoll); err != nil {
		return err
	}
	during, err := ask("during a reload")
	if err != nil {
		return err
	}
	if err := p.until(ctx, func(s stats) bool { return s.FullReloads > before.FullReloads }); err != nil {
		return err
	}
	took := time.Since(began)
	_, peak := p.memory()
	b.Latency(result.Latency{Name: "dns-reload-latency", Title: "Answers of lars-dns to 4,000 requests a second", Unit: "µs", Of: []result.Distribution{rest, during}})
	b.Row(result.Row{What: "answers during a reload, 99%", Unit: "µs", Ours: during.P99, Than: "at rest", Other: rest.P99,
		Aim: result.RatioAtMost(2), Note: fmt.Sprintf("a reload takes %.1f s", took.Seconds())})
	b.Row(result.Row{What: fmt.Sprintf("memory at most during a reload, %d rows", d.rows()), Unit: "MB", Ours: peak, Aim: result.ValueAtMost(550)})
	// It is read once more when the version has settled.
	if err := p.until(ctx, func(s stats) bool { return s.FullReloads > before.FullReloads+1 }); err != nil {
		return err
	}
	return nil
}

// measurePolls measures what looking for changes costs the database.
func (b *bench) measurePolls(ctx context.Context, _ *database, _ *daemon) error {
	b.Progress("the cost of polls")
	queries := func() (float64, error) {
		var name, value string
		if err := b.server.admin.QueryRowContext(ctx, "SHOW GLOBAL STATUS LIKE 'Questions'").Scan(&name, &value); err != nil {
			return 0, err
		}
		return strconv.ParseFloat(value, 64)
	}
	first, err := queries()
	if err != nil {
		return err
	}
	used, start := cpu(b.server.PID()), time.Now()
	if err := pause(ctx, 3*b.Length); err != nil {
		return err
	}
	used, passed := cpu(b.server.PID())-used, time.Since(start)
	last, err := queries()
	if err != nil {
		return err
	}
	n := last - first - 1 // without its own
	b.Row(result.Row{What: "queries of a replica at rest", Unit: "/s", Ours: n / passed.Seconds(), Aim: result.ValueAtMost(12)})
	b.Row(result.Row{What: "processor time of MariaDB for its polls", Unit: "ms/s", Ours: used.Seconds() * 1000 / passed.Seconds(),
		Aim: result.ValueAtMost(10), Note: "1,000 is one processor"})
	return nil
}
