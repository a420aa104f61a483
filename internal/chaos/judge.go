package chaos

import (
	"database/sql"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"github.com/lars-lb/lars/internal/chaos/fault"
	"github.com/lars-lb/lars/internal/chaos/history"
	"github.com/lars-lb/lars/internal/chaos/model"
	"github.com/lars-lb/lars/internal/route"
)

// show fails the test for violations: each with what happened around it, the
// schedule that led to them, and where the whole history is.
func (w *World) show(h *history.History, s fault.Schedule, violations []model.Violation) {
	w.t.Helper()
	if len(violations) == 0 {
		return
	}
	for _, v := range violations {
		w.t.Errorf("%v%s", v, around(h, v))
	}
	dir, err := os.MkdirTemp("", "lars-chaos-")
	if err != nil {
		w.t.Fatal(err)
	}
	path := filepath.Join(dir, "history.jsonl")
	file, err := os.Create(path)
	if err != nil {
		w.t.Fatal(err)
	}
	defer file.Close()
	if err := h.Dump(file, map[string]any{"seed": w.o.Seed, "schedule": strings.Split(strings.TrimSpace(s.String()), "\n")}); err != nil {
		w.t.Fatal(err)
	}
	w.t.Logf("seed %d, schedule:\n%sthe last of the history is in %s", w.o.Seed, s, path)
}

// around is what happened in the seconds about a violation of one call: faults,
// and versions of the module's route.
func around(h *history.History, v model.Violation) string {
	const before, after, most = 10 * time.Second, time.Second, 20
	if v.Call == nil {
		return ""
	}
	near := func(begin, end time.Duration) bool { return begin <= v.At+after && end >= v.At-before }
	var b strings.Builder
	for _, f := range h.Faults {
		if near(f.Begin, f.End) {
			end := "goes on"
			if f.End != history.Never {
				end = f.End.String()
			}
			fmt.Fprintf(&b, "\n    fault    %v to %s: %s", f.Begin, end, f.What)
		}
	}
	n := 0
	for i := len(h.Versions) - 1; i >= 0 && n < most; i-- {
		if x := h.Versions[i]; x.Module == v.Call.Module && near(x.Before, x.After) {
			n++
			fmt.Fprintf(&b, "\n    version  %v to %v: %s, unsure %v", x.Before, x.After, describe(x.Hosts), x.Unsure)
		}
	}
	return b.String()
}

// sum waits until the database counts every report, or no more come, and
// records what it counts.
func (w *World) sum() {
	w.t.Helper()
	db, err := openSQL(w.database.User, w.database.Password, w.db.Addr(), w.database.Name)
	if err != nil {
		w.t.Fatal(err)
	}
	defer db.Close()
	const quiet = 3 * time.Second // longer than any connection takes to come back
	var last, total uint64
	var sums []history.Sum
	since := time.Now()
	turn := time.NewTicker(50 * time.Millisecond)
	defer turn.Stop()
	for {
		if sums, total, err = readSums(w.t, db); err != nil {
			w.t.Fatal(err)
		}
		if total != last {
			last, since = total, time.Now()
		}
		// When all are there, a report that is counted twice comes soon.
		if all := total == w.load.accepted.Load(); all && time.Since(since) > 2*reportTimeout || time.Since(since) > quiet {
			w.Recorder.Sums(sums)
			return
		}
		<-turn.C
	}
}

func openSQL(user, password, addr, name string) (*sql.DB, error) {
	c := mysql.NewConfig()
	c.User, c.Passwd, c.Net, c.Addr, c.DBName = user, password, "tcp", addr, name
	connector, err := mysql.NewConnector(c)
	if err != nil {
		return nil, err
	}
	return sql.OpenDB(connector), nil
}

// readSums reads what was reported of each host, of all agents and minutes.
func readSums(t testing.TB, db *sql.DB) (sums []history.Sum, total uint64, err error) {
	rows, err := db.QueryContext(t.Context(), `SELECT modid, cmdid, ip, port, CAST(SUM(succ_cnt) AS UNSIGNED), CAST(SUM(err_cnt) AS UNSIGNED)
		FROM CallHistory GROUP BY modid, cmdid, ip, port`)
	if err != nil {
		return nil, 0, err
	}
	defer rows.Close()
	for rows.Next() {
		var modid, cmdid, ip, port int64
		var s history.Sum
		if err := rows.Scan(&modid, &cmdid, &ip, &port, &s.Succ, &s.Err); err != nil {
			return nil, 0, err
		}
		s.Module = route.Module{ModID: int32(modid), CmdID: int32(cmdid)}
		s.Host, _ = route.HostFromNumbers(int64(uint32(ip)), port)
		sums = append(sums, s)
		total += s.Succ + s.Err
	}
	return sums, total, rows.Err()
}
