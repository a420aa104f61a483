package cli_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/store"
)

func TestHistory(t *testing.T) {
	dir := useStore(t)
	checkEmpty(t, "history", "MODID  CMDID  SUCC  ERR  FAILED\n", "no calls were reported in the last 1h0m0s\n")
	checkEmpty(t, "history 1 1 --since 5m --by minute,host,agent", "FROM (UTC)  MODID  CMDID  HOST  AGENT  SUCC  ERR  FAILED\n", "no calls were reported in the last 5m0s\n")
	s, err := store.Open(store.Config{Driver: store.SQLite, Path: filepath.Join(dir, "lars.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	at := time.Now().Add(-90 * time.Minute).Truncate(time.Hour)
	agent := store.Agent{Caller: 127<<24 | 1, BootID: 1}
	var reports []store.Report
	for i := range 3 {
		reports = append(reports, store.Report{Agent: agent, Seq: uint64(i + 1), Module: route.Module{ModID: 1, CmdID: 1},
			TS: uint32(at.Unix()) + uint32(i*40), Results: []store.Result{{Host: route.Host{IP: 0x0a000001, Port: 80}, Succ: 30, Err: 1}}})
	}
	if _, err := s.SaveReports(t.Context(), reports, true); err != nil {
		t.Fatal(err)
	}
	check(t, "history 1 --since 4h", "MODID  CMDID  SUCC  ERR  FAILED\n1      1      90    3    3.23%\n")
	from := at.UTC().Format("2006-01-02 15:04")
	check(t, "history --since 4h --by hour,host", fmt.Sprintf(
		"FROM (UTC)        MODID  CMDID  HOST         SUCC  ERR  FAILED\n%s  1      1      10.0.0.1:80  90    3    3.23%%\n", from))
	checkJSON(t, "history --since 4h --by minute,agent", fmt.Sprintf(`[
		{"from": %q, "modid": 1, "cmdid": 1, "agent": "127.0.0.1", "succ": 60, "err": 2},
		{"from": %q, "modid": 1, "cmdid": 1, "agent": "127.0.0.1", "succ": 30, "err": 1}]`,
		at.UTC().Format(time.RFC3339), at.UTC().Add(time.Minute).Format(time.RFC3339)))
	checkEmpty(t, "history 2 --since 4h", "MODID  CMDID  SUCC  ERR  FAILED\n", "no calls were reported in the last 4h0m0s\n")

	checkFails(t, "history one", 2, "MODID")
	checkFails(t, "history --by day", 2, `--by "day": want minute, hour, host, agent`)
	checkFails(t, "history --by minute,hour", 2, "want one of them")
	checkFails(t, "history --since 0s", 2, "is not a time ago")
	checkFails(t, "history --since yesterday", 2, "want a duration")
}
