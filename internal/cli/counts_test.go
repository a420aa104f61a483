package cli_test

import (
	"path/filepath"
	"testing"

	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/store"
)

func TestCounts(t *testing.T) {
	dir := useStore(t)
	const head = "MODID  CMDID  HOST  AGENT  SUCC  ERR  STATE  AT (UTC)\n"
	checkEmpty(t, "counts", head, "no reports yet: agents send them every report_timeout, 15 s by default\n")
	checkEmpty(t, "counts 1", head, "no reports with these numbers yet: agents send them every report_timeout, 15 s by default\n")
	s, err := store.Open(store.Config{Driver: store.SQLite, Path: filepath.Join(dir, "lars.db")})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	agent := uint32(127<<24 | 1)
	if err := s.SaveStatuses(t.Context(), []store.Status{
		{Module: route.Module{ModID: -5, CmdID: 1}, Host: route.Host{IP: 0xc0a801b1, Port: 7777}, Caller: agent, Succ: 5, TS: 1_700_000_000},
		{Module: route.Module{ModID: 1, CmdID: 1}, Host: route.Host{IP: 0x0a000001, Port: 80}, Caller: agent, Succ: 1, Err: 20, TS: 1_700_000_015, Overload: true},
	}); err != nil {
		t.Fatal(err)
	}
	check(t, "counts", `MODID  CMDID  HOST                AGENT      SUCC  ERR  STATE     AT (UTC)
-5     1      192.168.1.177:7777  127.0.0.1  5     0    idle      2023-11-14 22:13:20
1      1      10.0.0.1:80         127.0.0.1  1     20   overload  2023-11-14 22:13:35
`)
	checkJSON(t, "counts 1 1", `[{"modid": 1, "cmdid": 1, "host": "10.0.0.1:80", "agent": "127.0.0.1",
		"succ": 1, "err": 20, "overload": true, "at": "2023-11-14T22:13:35Z"}]`)
	checkFails(t, "counts one", 2, "MODID")
}
