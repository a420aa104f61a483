package cli_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/store"
)

// saveHistory has three reports of one agent saved, each 30 good calls and a bad
// one: in the minute of at, in the same, and in the next.
func saveHistory(t *testing.T, dir string, at time.Time) {
	t.Helper()
	s, err := store.Open(store.Config{Driver: store.SQLite, Path: filepath.Join(dir, "lars.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	var reports []store.Report
	for i := range 3 {
		reports = append(reports, store.Report{Agent: store.Agent{Caller: 127<<24 | 1, BootID: 1}, Seq: uint64(i + 1),
			Module: route.Module{ModID: 1, CmdID: 1}, TS: uint32(at.Unix()) + uint32(i*30),
			Results: []store.Result{{Host: route.Host{IP: 0x0a000001, Port: 80}, Succ: 30, Err: 1}}})
	}
	if _, err := s.SaveReports(t.Context(), reports, true); err != nil {
		t.Fatal(err)
	}
}

func TestHistory(t *testing.T) {
	dir := useStore(t)
	at := time.Date(2026, 3, 1, 10, 29, 0, 0, time.UTC)
	saveHistory(t, dir, at.Add(5*time.Second))
	const head = "MODID  CMDID  SUCC  ERR  FAILED\n"
	all := []string{"--since", "2026-03-01", "--until", "2026-03-02 00:00"}
	for _, c := range []struct {
		args []string
		want string
	}{
		{append([]string{"1"}, all...), head + "1      1      90    3    3.23%\n"},
		{append([]string{"--by", "hour,host"}, all...),
			"FROM (UTC)        MODID  CMDID  HOST         SUCC  ERR  FAILED\n2026-03-01 10:00  1      1      10.0.0.1:80  90    3    3.23%\n"},
		{append([]string{"1", "1", "--by", "minute", "--by", "caller"}, all...), strings.Join([]string{
			"FROM (UTC)        MODID  CMDID  AGENT      SUCC  ERR  FAILED",
			"2026-03-01 10:29  1      1      127.0.0.1  60    2    3.23%",
			"2026-03-01 10:30  1      1      127.0.0.1  30    1    3.23%",
			"                  total                    90    3    3.23%", ""}, "\n")},
		{[]string{"--since", "2026-03-01 10:30", "--until", "2026-03-01T10:31:00Z"}, head + "1      1      30    1    3.23%\n"},
		{[]string{"--since", "2026-03-01 10:29:50", "--until", "2026-03-01 10:30"}, head + "1      1      60    2    3.23%\n"}, // whole minutes
	} {
		args := append([]string{"report", "history"}, c.args...)
		if r := larsWith(t, "", args...); r != (result{0, c.want, ""}) {
			t.Errorf("lars %q: exit %d\n%s%s\nwant\n%s", args, r.code, r.out, r.err, c.want)
		}
	}
	checkJSON(t, "report history --since 2026-03-01 --until 2026-03-02 --by minute,caller", `[
		{"from": "2026-03-01T10:29:00Z", "modid": 1, "cmdid": 1, "agent": "127.0.0.1", "succ": 60, "err": 2},
		{"from": "2026-03-01T10:30:00Z", "modid": 1, "cmdid": 1, "agent": "127.0.0.1", "succ": 30, "err": 1}]`)
	checkEmpty(t, "report history 2 --since 2026-03-01", head,
		"no calls were reported from 2026-03-01 00:00 (UTC) on; lars counts shows what came last, and when\n")
	checkEmpty(t, "report history -1 1 --since 2026-03-01 --by minute,host,caller", "FROM (UTC)  MODID  CMDID  HOST  AGENT  SUCC  ERR  FAILED\n",
		"no calls were reported from 2026-03-01 00:00 (UTC) on; lars counts shows what came last, and when\n")
}

// A time ago counts from now.
func TestHistoryAgo(t *testing.T) {
	dir := useStore(t)
	saveHistory(t, dir, time.Now().Add(-3*time.Hour))
	for line, want := range map[string]bool{
		"report history":                            false, // the last hour
		"report history --since 4h":                 true,
		"report history --since 4h --until 2h":      true,
		"report history --since 4h --until 200m":    false,
		"report history --since 2h --until 1h30m":   false,
		"report history --since 2020-01-01 1 1":     true,
		"report history 1 1 --until 1h --since 24h": true,
	} {
		if r := lars(t, line); r.code != 0 || strings.Contains(r.out, fmt.Sprint(90)) != want {
			t.Errorf("lars %s: exit %d, %q, %q; want the calls: %v", line, r.code, r.out, r.err, want)
		}
	}
}

func TestHistoryUsage(t *testing.T) {
	useStore(t)
	for line, says := range map[string]string{
		"report history one":                                   "MODID",
		"report history 1 1 1":                                 "report history wants [MODID [CMDID]], got 3 arguments",
		"report history --by day":                              `--by "day": want minute, hour, host, caller`,
		"report history --by minute,hour":                      "want one of them",
		"report history --since -5m":                           "want how long ago",
		"report history --since yesterday":                     "want how long ago",
		"report history --since 1h --until 2h":                 "--since 1h is not before --until 2h",
		"report history --since 2026-01-02 --until 2026-01-01": "--since 2026-01-02 00:00 is not before --until 2026-01-01 00:00",
		"report histroy 1 1":                                   `report has no command "histroy"; did you mean history?`,
		"report":                                               "report wants MODID CMDID IP:PORT RETCODE, got 0 arguments",
	} {
		checkFails(t, line, 2, says)
	}
}
