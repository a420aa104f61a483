package store

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"
	"maps"
	"slices"
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

// minuteOf is the beginning of the minute that a time is in.
func minuteOf(ts uint32) uint32 { return ts - ts%60 }

func (b bucket) compare(o bucket) int {
	return cmp.Or(cmp.Compare(b.minute, o.minute), b.module.Compare(o.module),
		b.host.Compare(o.host), cmp.Compare(b.caller, o.caller))
}

// calls is how many calls went well, and how many did not.
type calls struct{ succ, err uint64 }

// addHistory adds what reports count to CallHistory, and returns to how many
// rows.
func (s *Store) addHistory(ctx context.Context, tx *sql.Tx, reports []Report) (rows int, err error) {
	sums := make(map[bucket]calls)
	for _, r := range reports {
		for _, res := range r.Results {
			if res.Succ == 0 && res.Err == 0 {
				continue // it says that the host is overloaded, or is no more
			}
			b := bucket{minuteOf(r.TS), r.Module, res.Host, r.Agent.Caller}
			c := sums[b]
			sums[b] = calls{c.succ + uint64(res.Succ), c.err + uint64(res.Err)}
		}
	}
	// In one order everywhere, so that none waits for another that waits for it.
	for chunk := range slices.Chunk(slices.SortedFunc(maps.Keys(sums), bucket.compare), chunkRows) {
		args := make([]any, 0, 8*len(chunk))
		for _, b := range chunk {
			args = append(args, b.minute, b.module.ModID, b.module.CmdID, b.host.IP, b.host.Port, b.caller, sums[b].succ, sums[b].err)
		}
		_, err := tx.ExecContext(ctx, "INSERT INTO CallHistory (minute, modid, cmdid, ip, port, caller, succ_cnt, err_cnt) VALUES "+
			placeholders("(?,?,?,?,?,?,?,?)", ",", len(chunk))+s.dialect.addCalls(), args...)
		if err != nil {
			return 0, fmt.Errorf("add to the history: %w", err)
		}
	}
	return len(sums), nil
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
// count by the minute.
func (s *Store) ListHistory(ctx context.Context, f Filter, since, until time.Time, by HistoryKey) ([]History, error) {
	type sum = History
	var list []History
	err := s.retry(ctx, func() error {
		groups := make(map[sum]calls)
		rows, err := s.db.QueryContext(ctx, `SELECT minute, modid, cmdid, ip, port, caller, succ_cnt, err_cnt
			FROM CallHistory WHERE minute >= ? AND minute < ?`, seconds(since), seconds(until))
		if err != nil {
			return err
		}
		defer rows.Close()
		for rows.Next() {
			var minute, modid, cmdid, ip, port, caller int64
			var c calls
			if err := rows.Scan(&minute, &modid, &cmdid, &ip, &port, &caller, &c.succ, &c.err); err != nil {
				return err
			}
			key := History{Module: moduleFrom(modid, cmdid)}
			h, ok := route.HostFromNumbers(ip, port)
			if !ok || !f.matches(key.Module) {
				continue
			}
			if step := int64(by.Step / time.Second); step > 0 {
				key.Time = time.Unix(minute-minute%step, 0)
			}
			if by.Host {
				key.Host = h
			}
			if by.Caller {
				key.Caller = uint32(caller)
			}
			g := groups[key]
			groups[key] = calls{g.succ + c.succ, g.err + c.err}
		}
		list = make([]History, 0, len(groups))
		for key, c := range groups {
			key.Succ, key.Err = c.succ, c.err
			list = append(list, key)
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
