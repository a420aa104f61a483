package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/lars-lb/lars/internal/route"
)

// bucket is the key of a row of CallHistory.
type bucket struct {
	minute uint32 // Unix time of its beginning
	module route.Module
	host   route.Host
	caller uint32
}

// maxAhead is how far the clock of an agent may be ahead of this one.
const maxAhead = time.Hour

// minuteOf is the beginning of the minute that the time of a report is in. What
// an agent says is further ahead counts as now: its minute would not go when it
// is old.
func minuteOf(ts uint32, now time.Time) uint32 {
	if int64(ts) > now.Add(maxAhead).Unix() {
		ts = uint32(now.Unix())
	}
	return ts - ts%60
}

func (b bucket) compare(o bucket) int {
	if c := cmp.Or(cmp.Compare(b.minute, o.minute), b.module.Compare(o.module)); c != 0 {
		return c
	}
	return cmp.Or(b.host.Compare(o.host), cmp.Compare(b.caller, o.caller))
}

// calls is a row of CallHistory.
type calls struct {
	bucket
	succ, err uint64
}

// addHistory adds what reports count to CallHistory, and returns to how many
// rows.
func (s *Store) addHistory(ctx context.Context, tx *sql.Tx, reports []Report) (rows int, err error) {
	sums := sumCalls(reports, time.Now())
	err = insertRows(ctx, tx, "CallHistory (minute, modid, cmdid, ip, port, caller, succ_cnt, err_cnt)", s.dialect.addCalls(), len(sums),
		func(i int, row []int64) []int64 {
			c := &sums[i]
			return append(row, int64(c.minute), int64(c.module.ModID), int64(c.module.CmdID), int64(c.host.IP), int64(c.host.Port),
				int64(c.caller), int64(c.succ), int64(c.err))
		})
	if err != nil {
		return 0, fmt.Errorf("add to the history: %w", err)
	}
	return len(sums), nil
}

// sumCalls are the calls that reports count, each bucket once, by bucket: in one
// order everywhere, so that none waits for another that waits for it.
func sumCalls(reports []Report, now time.Time) []calls {
	var all []calls
	for _, r := range reports {
		for _, res := range r.Results {
			if res.Succ == 0 && res.Err == 0 {
				continue // it says that the host is overloaded, or is no more
			}
			b := bucket{minuteOf(r.TS, now), r.Module, res.Host, r.Agent.Caller}
			all = append(all, calls{b, uint64(res.Succ), uint64(res.Err)})
		}
	}
	slices.SortFunc(all, func(a, b calls) int { return a.compare(b.bucket) })
	sums := all[:0]
	for _, c := range all {
		if last := len(sums) - 1; last >= 0 && sums[last].bucket == c.bucket {
			sums[last].succ += c.succ
			sums[last].err += c.err
			continue
		}
		sums = append(sums, c)
	}
	return sums
}

// History is the calls of one group of rows of CallHistory. What does not
// belong to the group's key is the zero value.
type History struct {
	Time      time.Time // of the beginning of its minute or hour
	Module    route.Module
	Host      route.Host
	Caller    uint32
	Succ, Err uint64
}

// HistoryKey says by what History is grouped, besides the module.
type HistoryKey struct {
	Step         time.Duration // one row for each such time; 0 for one in all. A multiple of a minute.
	Host, Caller bool
}

// ListHistory sums up the calls from since on, up to and without until, of the
// modules that f selects. Rows come by time, module, host and caller. Times
// count by the minute. The database does the sums: a week of minutes may be
// millions of rows.
func (s *Store) ListHistory(ctx context.Context, f Filter, since, until time.Time, by HistoryKey) ([]History, error) {
	query, args := historyQuery(f, since, until, by)
	var list []History
	err := s.retry(ctx, func() error {
		list = nil
		rows, err := s.db.QueryContext(ctx, query, args...)
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var modid, cmdid, minute, ip, port, caller int64
			var h History
			if err := rows.Scan(&modid, &cmdid, &minute, &ip, &port, &caller, &h.Succ, &h.Err); err != nil {
				return err
			}
			h.Module = moduleFrom(modid, cmdid)
			if by.Step > 0 {
				h.Time = time.Unix(minute, 0)
			}
			if by.Host {
				var ok bool
				if h.Host, ok = route.HostFromNumbers(ip, port); !ok {
					continue // somebody else wrote it
				}
			}
			h.Caller = uint32(caller)
			list = append(list, h)
		}
		return rows.Err()
	})
	if err != nil {
		return nil, s.failed("list the history", err)
	}
	slices.SortFunc(list, func(x, y History) int {
		return cmp.Or(x.Time.Compare(y.Time), x.Module.Compare(y.Module), x.Host.Compare(y.Host), cmp.Compare(x.Caller, y.Caller))
	})
	return list, nil
}

// historyQuery selects modid, cmdid, time, ip, port, caller and the sums; what
// is not in the key is 0.
func historyQuery(f Filter, since, until time.Time, by HistoryKey) (query string, args []any) {
	what := []string{"modid", "cmdid", "0", "0", "0", "0"}
	groups := []string{"modid", "cmdid"}
	key := func(i int, expression string) {
		what[i] = expression
		groups = append(groups, expression)
	}
	if step := int64(by.Step / time.Second); step > 0 {
		key(2, fmt.Sprintf("minute - minute %% %d", step))
	}
	if by.Host {
		key(3, "ip")
		key(4, "port")
	}
	if by.Caller {
		key(5, "caller")
	}
	where := "minute >= ? AND minute < ?"
	args = []any{seconds(since), seconds(until)}
	if f.ModID != nil {
		where += " AND modid = ?"
		args = append(args, *f.ModID)
	}
	if f.CmdID != nil {
		where += " AND cmdid = ?"
		args = append(args, *f.CmdID)
	}
	return fmt.Sprintf("SELECT %s, SUM(succ_cnt), SUM(err_cnt) FROM CallHistory WHERE %s GROUP BY %s",
		strings.Join(what, ", "), where, strings.Join(groups, ", ")), args
}

// seconds is a time as CallHistory holds it.
func seconds(t time.Time) int64 { return min(max(t.Unix(), 0), 1<<32-1) }

// PruneHistory deletes the rows of minutes that began more than keep ago, and
// returns how many. It works in small steps.
func (s *Store) PruneHistory(ctx context.Context, keep time.Duration) (int64, error) {
	n, err := s.prune(ctx, "CallHistory", "minute", time.Now().Add(-keep).Unix())
	if err != nil {
		return n, s.failed("prune the history", err)
	}
	return n, nil
}
