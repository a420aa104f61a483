package reporter

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/lars-lb/lars/internal/bench/result"
)

const (
	// reportEvery is report_timeout: how often an agent reports on each module.
	reportEvery = 15 * time.Second
	// sustainedRounds is how many lengths of a round the load lasts.
	sustainedRounds = 8
)

// sustained measures how late reports are that come as agents send them: each on
// each of its modules every 15 s. What the tables hold afterwards must be what
// was reported.
func (m measurement) sustained(ctx context.Context, d daemons) error {
	k := m.keys
	latency := result.Latency{Name: "lag-" + strings.ToLower(m.name), Title: "From frame to acknowledgement, " + m.name, Unit: "ms"}
	for _, o := range []struct {
		name   string
		daemon *daemon
	}{{"without history", d.without}, {"with history", d.with}} {
		m.Progress("%s: %d agents report every %v on %d modules, %s", m.name, k.Agents, reportEvery, k.Modules, o.name)
		rate := float64(k.rows()) / reportEvery.Seconds()
		got, p, err := m.steady(ctx, o.daemon, load{Keys: k, Numbered: true, Window: agentWindow, Rate: rate / float64(k.Hosts)})
		if err != nil {
			return fmt.Errorf("%s: %w", o.name, err)
		}
		p.Lag.Name = o.name
		latency.Of = append(latency.Of, p.Lag)
		what := fmt.Sprintf("%s, %d agents x %d modules every %v, %s", m.name, k.Agents, k.Modules, reportEvery, o.name)
		m.Row(result.Row{What: what + ": saved", Unit: "/s", Ours: got, Than: "reported", Other: rate, Aim: result.RatioAtLeast(0.98)})
		m.Row(result.Row{What: what + ": frame to acknowledgement, p99", Unit: "ms", Ours: p.Lag.P99})
		m.Row(result.Row{What: what + ": memory of lars-reporter", Unit: "MB", Ours: memory(o.daemon.PID())})
	}
	m.Latency(latency)
	return nil
}

// steady lets agents report for a while. It returns how many results a second
// were saved, and the lags meanwhile.
func (m measurement) steady(ctx context.Context, d *daemon, l load) (rate float64, p progress, err error) {
	since := uint32(time.Now().Unix()) + 1
	if err := wait(ctx, time.Until(time.Unix(int64(since), 0)), nil); err != nil { // no row is of this second
		return 0, p, err
	}
	before, err := m.sum(ctx, "SELECT COALESCE(SUM(succ_cnt), 0) FROM CallHistory")
	if err != nil {
		return 0, p, err
	}
	r, err := begin(ctx, d, l)
	if err != nil {
		return 0, p, err
	}
	defer r.stop()
	if err := r.wait(ctx, m.cfg.Length); err != nil {
		return 0, p, err
	}
	first, err := r.progress()
	if err != nil {
		return 0, p, err
	}
	if err := r.wait(ctx, sustainedRounds*m.cfg.Length); err != nil {
		return 0, p, err
	}
	p, err = r.progress()
	if err != nil {
		return 0, p, err
	}
	last, err := r.end(ctx)
	if err != nil {
		return 0, p, err
	}
	rate = float64(p.Done-first.Done) / (float64(p.At-first.At) / 1e9)
	return rate, p, m.check(ctx, last, since, before, d.history)
}

// check compares the tables with what was reported since a second, by agents of
// which none was lost on the way.
func (e *engine) check(ctx context.Context, p progress, since uint32, before uint64, history bool) error {
	if p.Lost > 0 {
		return fmt.Errorf("lars-reporter closed %d connections", p.Lost)
	}
	for _, c := range []struct {
		what, query string
		want        uint64
		args        []any
	}{
		{"rows", "SELECT COUNT(*) FROM ServerCallStatus WHERE ts >= ?", p.Rows, []any{since}},
		{"calls in the newest rows", "SELECT COALESCE(SUM(succ_cnt), 0) FROM ServerCallStatus WHERE ts >= ?", p.Newest, []any{since}},
		{"calls in the history", "SELECT COALESCE(SUM(succ_cnt), 0) FROM CallHistory", before + p.Calls, nil},
	} {
		if c.args == nil && !history {
			continue
		}
		if got, err := e.sum(ctx, c.query, c.args...); err != nil || got != c.want {
			return fmt.Errorf("there are %d %s, want %d: %w", got, c.what, c.want, err)
		}
	}
	return nil
}

func (e *engine) sum(ctx context.Context, query string, args ...any) (sum uint64, err error) {
	return sum, e.db.QueryRowContext(ctx, query, args...).Scan(&sum)
}
