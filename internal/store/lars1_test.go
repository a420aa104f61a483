package store_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/store"
)

// lars1Tables is Lars 1.0's own schema. It knows MySQL alone; the SQLite one
// is what an operator would make of it.
var lars1Tables = map[string][]string{
	store.MySQL: {
		"CREATE TABLE `RouteData` (`id` int(10) unsigned NOT NULL AUTO_INCREMENT, `modid` int(10) unsigned NOT NULL, `cmdid` int(10) unsigned NOT NULL, `serverip` int(10) unsigned NOT NULL, `serverport` int(10) unsigned NOT NULL, PRIMARY KEY (`id`)) ENGINE=InnoDB DEFAULT CHARSET=utf8",
		"CREATE TABLE `RouteVersion` (`id` int(10) unsigned NOT NULL AUTO_INCREMENT, `version` int(10) unsigned NOT NULL, PRIMARY KEY (`id`)) ENGINE=InnoDB DEFAULT CHARSET=utf8",
		"CREATE TABLE `RouteChange` (`id` int(10) unsigned NOT NULL AUTO_INCREMENT, `modid` int(10) unsigned NOT NULL, `cmdid` int(10) unsigned NOT NULL, `version` bigint(20) unsigned NOT NULL, PRIMARY KEY (`id`)) ENGINE=InnoDB DEFAULT CHARSET=utf8",
		"CREATE TABLE `ServerCallStatus` (`modid` int(11) NOT NULL, `cmdid` int(11) NOT NULL, `ip` int(11) unsigned NOT NULL, `port` int(11) unsigned NOT NULL, `caller` int(11) unsigned NOT NULL, `succ_cnt` int(11) NOT NULL, `err_cnt` int(11) NOT NULL, `ts` bigint(20) NOT NULL, `overload` char(1) NOT NULL, PRIMARY KEY (`modid`,`cmdid`,`ip`,`port`,`caller`), KEY `mlb_index` (`modid`,`cmdid`,`ip`,`port`,`caller`)) ENGINE=InnoDB DEFAULT CHARSET=utf8",
		"CREATE TABLE `ModIDConfig` (`id` int(10) unsigned NOT NULL AUTO_INCREMENT, `modid` int(10) unsigned NOT NULL, `content` char(255) NOT NULL, PRIMARY KEY (`id`)) ENGINE=InnoDB DEFAULT CHARSET=utf8",
		"CREATE TABLE `CmdIDConfig` (`id` int(10) unsigned NOT NULL AUTO_INCREMENT, `cmdid` int(10) unsigned NOT NULL, `content` char(255) NOT NULL, PRIMARY KEY (`id`)) ENGINE=InnoDB DEFAULT CHARSET=utf8",
	},
	store.SQLite: {
		"CREATE TABLE RouteData (id INTEGER PRIMARY KEY, modid int(10) NOT NULL, cmdid int(10) NOT NULL, serverip int(10) NOT NULL, serverport int(10) NOT NULL)",
		"CREATE TABLE RouteVersion (id INTEGER PRIMARY KEY, version int(10) NOT NULL)",
		"CREATE TABLE RouteChange (id INTEGER PRIMARY KEY, modid int(10) NOT NULL, cmdid int(10) NOT NULL, version bigint(20) NOT NULL)",
		"CREATE TABLE ServerCallStatus (modid int(11) NOT NULL, cmdid int(11) NOT NULL, ip int(11) NOT NULL, port int(11) NOT NULL, caller int(11) NOT NULL, succ_cnt int(11) NOT NULL, err_cnt int(11) NOT NULL, ts bigint(20) NOT NULL, overload char(1) NOT NULL, PRIMARY KEY (modid,cmdid,ip,port,caller))",
		"CREATE TABLE ModIDConfig (id INTEGER PRIMARY KEY, modid int(10) NOT NULL, content char(255) NOT NULL)",
		"CREATE TABLE CmdIDConfig (id INTEGER PRIMARY KEY, cmdid int(10) NOT NULL, content char(255) NOT NULL)",
	},
}

var lars1Rows = []string{
	"INSERT INTO RouteData (modid, cmdid, serverip, serverport) VALUES (1,1,3232235953,7777), (1,2,3232235954,7776), (2,1,3232235955,7778), (2,2,3232235956,7779), (1,1,3232235953,7777), (4294967293,5,3232235953,1)",
	"INSERT INTO RouteVersion (version) VALUES (1770000000)",
	"INSERT INTO RouteChange (modid, cmdid, version) VALUES (1,1,1769999999), (1,2,1770000000)",
	"INSERT INTO ServerCallStatus VALUES (1,1,1234567,7777,16909060,10,2,1770000000,'0'), (-3,5,1234567,7777,16909060,0,9,1770000001,'1')",
	"INSERT INTO ModIDConfig (modid, content) VALUES (1,'pay'), (2,'mail')",
	"INSERT INTO CmdIDConfig (cmdid, content) VALUES (1,'order'), (2,'refund')",
}

// An existing database of Lars 1.0 keeps its rows and columns, and everything
// works with it.
func TestAdoptLars1(t *testing.T) {
	onEngines(t, func(t *testing.T, cfg store.Config) {
		raw := openRaw(t, cfg)
		mustExec(t, raw, lars1Tables[cfg.Driver]...)
		mustExec(t, raw, lars1Rows...)
		// What Lars 1.0 knows of.
		state := func() (all []string) {
			for _, table := range tables {
				columns := "*"
				if table == "RouteData" {
					columns = "id, modid, cmdid, serverip, serverport"
				}
				all = append(all, mustQuery(t, raw, "SELECT "+columns+" FROM "+table+" ORDER BY 1, 2")...)
				schema := `SELECT cid, name, type, "notnull", dflt_value, pk FROM pragma_table_info(?) WHERE name <> 'weight'`
				if cfg.Driver == store.MySQL {
					schema = `SELECT ordinal_position, column_name, column_type, is_nullable, column_default, extra
						FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = ? AND column_name <> 'weight'
						ORDER BY ordinal_position`
				}
				all = append(all, mustQuery(t, raw, schema, table)...)
			}
			return all
		}
		before := state()
		st := open(t, cfg)
		if from, to, err := st.Migrate(t.Context()); err != nil || from != 0 || to < 3 {
			t.Fatalf("Migrate() = %d, %d, %v", from, to, err)
		}
		if after := state(); !slices.Equal(before, after) {
			t.Errorf("the migration changed\n%q\nto\n%q", before, after)
		}
		// Lars 1.0 reads columns by position and names those it writes.
		mustExec(t, raw, "INSERT INTO RouteData (modid, cmdid, serverip, serverport) VALUES (7, 7, 16909060, 80)")
		if got := mustQuery(t, raw, "SELECT * FROM RouteData WHERE modid = 7"); !slices.Equal(got, []string{"7 7 7 16909060 80 100"}) {
			t.Errorf("a row of a Lars 1.0 program became %q", got)
		}
		mustExec(t, raw, "DELETE FROM RouteData WHERE modid = 7")

		if got, want := mustRevision(t, st), (store.Revision{Version: 1770000000, LastChange: 2}); got != want {
			t.Errorf("Revision() = %+v, want %+v", got, want)
		}
		if got, want := mustChanged(t, st, store.Revision{Version: 1769999999, LastChange: 1}), []route.Module{{ModID: 1, CmdID: 2}}; !slices.Equal(got, want) {
			t.Errorf("Changed() = %v, want %v", got, want)
		}
		want := []store.Entry{
			entry(-3, 5, "192.168.1.177:1"),
			entry(1, 1, "192.168.1.177:7777"), entry(1, 2, "192.168.1.178:7776"),
			entry(2, 1, "192.168.1.179:7778"), entry(2, 2, "192.168.1.180:7779"),
		}
		if got := mustList(t, st); !slices.Equal(got, want) {
			t.Errorf("ListRoutes() = %v, want %v", got, want)
		}
		statuses, err := st.ListStatuses(t.Context(), store.Filter{})
		if err != nil || len(statuses) != 2 || statuses[0].Module.ModID != -3 || !statuses[0].Overload || statuses[1].Succ != 10 {
			t.Errorf("ListStatuses() = %+v, %v", statuses, err)
		}
		useEverything(t, st)
	})
}

// Tables of Lars 1.0 that nobody migrated are read and written, as far as they
// can hold what is written; weights can be stored as soon as somebody, here
// another process, has migrated them.
func TestLars1TablesThatAreNotMigrated(t *testing.T) {
	onEngines(t, func(t *testing.T, cfg store.Config) {
		raw := openRaw(t, cfg)
		mustExec(t, raw, lars1Tables[cfg.Driver]...)
		mustExec(t, raw, lars1Rows...)
		st := open(t, cfg)
		useEverything(t, st)
		a, b := entry(1, 1, "192.168.1.177:7777"), entry(1, 1, "10.0.0.9:80")
		if n, err := st.SetWeight(t.Context(), a.Module, []route.Host{a.Host}, route.DefaultWeight); err != nil || n != 0 {
			t.Errorf("SetWeight() to what it is = %d, %v", n, err)
		}
		if n, err := addHosts(t, st, []store.Entry{weighted(1, 1, "192.168.1.177:7777", route.DefaultWeight)}); err != nil || n != 0 {
			t.Errorf("AddHosts() of what is there = %d, %v", n, err)
		}
		before, revision := mustList(t, st), mustRevision(t, st)
		for name, write := range map[string]func() error{
			"AddHosts": func() error {
				_, err := st.AddHosts(t.Context(), []store.Entry{weighted(1, 1, "10.0.0.9:80", 50)})
				return err
			},
			"AddHosts, reweighs": func() error {
				_, err := st.AddHosts(t.Context(), []store.Entry{weighted(1, 1, "192.168.1.177:7777", 0)})
				return err
			},
			"ReplaceRoutes": func() error {
				_, err := st.ReplaceRoutes(t.Context(), []store.Entry{b, weighted(2, 1, "10.0.0.9:80", 1)})
				return err
			},
			"SetWeight": func() error { _, err := st.SetWeight(t.Context(), a.Module, []route.Host{a.Host}, 0); return err },
		} {
			if err := write(); !errors.Is(err, store.ErrNoWeights) || !strings.Contains(err.Error(), "lars db init") {
				t.Errorf("%s with a weight = %v", name, err)
			}
		}
		if got := mustList(t, st); !slices.Equal(got, before) || mustRevision(t, st) != revision {
			t.Errorf("the refused changes made %v of %v", got, before)
		}
		if _, _, err := open(t, cfg).Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		mustExec(t, raw, "UPDATE RouteData SET weight = 7 WHERE modid = 1")
		one := int32(1)
		if got, want := mustListFiltered(t, st, store.Filter{ModID: &one, CmdID: &one}), weighted(1, 1, "192.168.1.177:7777", 7); !slices.Equal(got, []store.Entry{want}) {
			t.Errorf("after the migration the route is %v, want %v", got, want)
		}
		if n, err := st.SetWeight(t.Context(), a.Module, []route.Host{a.Host}, 0); err != nil || n != 1 {
			t.Errorf("SetWeight() after the migration = %d, %v", n, err)
		}
	})
}

// Some installations of Lars 1.0 declared addresses as signed numbers, and
// overload as a number.
func TestAdoptSignedStatuses(t *testing.T) {
	for _, c := range []struct{ name, address, overload, module string }{
		{"signed", "int(11)", "char(1)", "int(11)"},
		{"number", "int(11)", "int(11)", "int(11)"},
		{"unsigned modules", "int(11) unsigned", "char(1)", "int(11) unsigned"},
		{"bigint", "bigint(20)", "tinyint(1)", "int(11)"},
	} {
		t.Run(c.name, func(t *testing.T) {
			onEngines(t, func(t *testing.T, cfg store.Config) {
				raw := openRaw(t, cfg)
				mustExec(t, raw, lars1Tables[cfg.Driver]...)
				ddl := strings.NewReplacer("ADDRESS", c.address, "OVERLOAD", c.overload, "MODULE", c.module).Replace(
					"CREATE TABLE ServerCallStatus (modid MODULE NOT NULL, cmdid MODULE NOT NULL, ip ADDRESS NOT NULL, port ADDRESS NOT NULL, caller ADDRESS NOT NULL, succ_cnt int(11) NOT NULL, err_cnt int(11) NOT NULL, ts bigint(20) NOT NULL, overload OVERLOAD NOT NULL, PRIMARY KEY (modid,cmdid,ip,port,caller))")
				if cfg.Driver == store.SQLite {
					ddl = strings.ReplaceAll(ddl, " unsigned", "") // no such type there
				}
				mustExec(t, raw, "DROP TABLE ServerCallStatus", ddl)
				st := open(t, cfg)
				if _, _, err := st.Migrate(t.Context()); err != nil {
					t.Fatal(err)
				}
				want := []store.Status{
					{Module: route.Module{ModID: -3, CmdID: -2147483648}, Host: entry(1, 1, "192.168.1.177:65535").Host, Caller: 3232235777, Succ: 5, Err: 6, TS: 4294967295, Overload: true},
					{Module: route.Module{ModID: 1, CmdID: 1}, Host: entry(1, 1, "10.0.0.1:1").Host, Caller: 1, TS: 1},
					{Module: route.Module{ModID: 1, CmdID: 1}, Host: entry(1, 1, "255.255.255.255:1").Host, Caller: 4294967295, TS: 1},
				}
				for range 2 { // the second time over rows with the same keys
					if err := st.SaveStatuses(t.Context(), want); err != nil {
						t.Fatal(err)
					}
				}
				if got, err := st.ListStatuses(t.Context(), store.Filter{}); err != nil || !slices.Equal(got, want) {
					t.Errorf("ListStatuses() = %+v, %v\nwant %+v", got, err, want)
				}
			})
		})
	}
}
