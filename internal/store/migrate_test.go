package store_test

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/store"
)

var tables = []string{"RouteData", "RouteVersion", "RouteChange", "ServerCallStatus", "ModIDConfig", "CmdIDConfig"}

func TestMigrateFresh(t *testing.T) {
	onEngines(t, func(t *testing.T, cfg store.Config) {
		st := open(t, cfg)
		have, want, err := st.SchemaVersion(t.Context())
		if cfg.Driver == store.SQLite && !errors.Is(err, store.ErrNoDatabase) {
			t.Fatalf("SchemaVersion() without a file = %v", err)
		}
		if cfg.Driver == store.MySQL && (err != nil || have != 0 || want < 3) {
			t.Fatalf("SchemaVersion() of an empty database = %d, %d, %v", have, want, err)
		}
		from, to, err := st.Migrate(t.Context())
		if err != nil || from != 0 || to < 3 {
			t.Fatalf("Migrate() = %d, %d, %v", from, to, err)
		}
		if have, want, err := st.SchemaVersion(t.Context()); err != nil || have != to || want != to {
			t.Fatalf("SchemaVersion() = %d, %d, %v, want %d twice", have, want, err, to)
		}
		if from, again, err := st.Migrate(t.Context()); err != nil || from != to || again != to {
			t.Fatalf("the second Migrate() = %d, %d, %v", from, again, err)
		}
		raw := openRaw(t, cfg)
		if got := mustQuery(t, raw, "SELECT id, version FROM RouteVersion"); !slices.Equal(got, []string{"1 0"}) {
			t.Errorf("RouteVersion = %q", got)
		}
	})
}

func TestSchemaVersionCreatesNothing(t *testing.T) {
	onEngines(t, func(t *testing.T, cfg store.Config) {
		if cfg.Driver == store.SQLite {
			if _, _, err := open(t, cfg).SchemaVersion(t.Context()); !errors.Is(err, store.ErrNoDatabase) || !strings.Contains(err.Error(), cfg.Path) {
				t.Errorf("SchemaVersion() without a file = %v", err)
			}
			if _, err := os.Stat(filepath.Dir(cfg.Path)); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("looking made a folder: %v", err)
			}
			return
		}
		if _, _, err := open(t, cfg).SchemaVersion(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := tableNames(t, cfg); len(got) != 0 {
			t.Errorf("tables = %q", got)
		}
	})
}

func tableNames(t *testing.T, cfg store.Config) []string {
	t.Helper()
	q := "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE()"
	if cfg.Driver == store.SQLite {
		q = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
	}
	return mustQuery(t, openRaw(t, cfg), q)
}

// Many processes start at once on an empty database.
func TestMigrateConcurrently(t *testing.T) {
	onEngines(t, func(t *testing.T, cfg store.Config) {
		const processes = 12
		stores := make([]*store.Store, processes)
		for i := range stores {
			stores[i] = open(t, cfg)
		}
		var wg sync.WaitGroup
		start := make(chan struct{})
		for i, st := range stores {
			wg.Go(func() {
				<-start
				if _, to, err := st.Migrate(t.Context()); err != nil || to < 3 {
					t.Errorf("process %d: version %d, %v", i, to, err)
				}
			})
		}
		close(start)
		wg.Wait()
		raw := openRaw(t, cfg)
		if got := mustQuery(t, raw, "SELECT version_id FROM lars_schema ORDER BY version_id"); !slices.Equal(got, []string{"0", "1", "2", "3", "4"}) {
			t.Errorf("recorded versions = %q", got)
		}
		if got := mustQuery(t, raw, "SELECT COUNT(*) FROM RouteVersion"); got[0] != "1" {
			t.Errorf("RouteVersion has %s rows", got[0])
		}
		mustAdd(t, stores[0], entry(1, 1, "10.0.0.1:80"))
	})
}

// A process that died between the statements of a migration leaves what MySQL
// had committed by then.
func TestMigrateAfterHalfAMigration(t *testing.T) {
	for _, c := range []struct{ name, ddl string }{
		{"schema table without rows", `CREATE TABLE lars_schema (id INTEGER PRIMARY KEY, version_id BIGINT NOT NULL, is_applied INTEGER NOT NULL, tstamp TIMESTAMP DEFAULT CURRENT_TIMESTAMP)`},
		{"some tables", `CREATE TABLE RouteData (id INTEGER PRIMARY KEY, modid BIGINT NOT NULL, cmdid BIGINT NOT NULL, serverip BIGINT NOT NULL, serverport BIGINT NOT NULL)`},
	} {
		t.Run(c.name, func(t *testing.T) {
			onEngines(t, func(t *testing.T, cfg store.Config) {
				ddl := c.ddl
				if cfg.Driver == store.MySQL {
					ddl = strings.Replace(ddl, "PRIMARY KEY", "PRIMARY KEY AUTO_INCREMENT", 1)
				}
				mustExec(t, openRaw(t, cfg), ddl)
				st := open(t, cfg)
				if _, to, err := st.Migrate(t.Context()); err != nil || to < 3 {
					t.Fatalf("Migrate() = %d, %v", to, err)
				}
				mustAdd(t, st, entry(1, 1, "10.0.0.1:80"))
			})
		})
	}
}

// A schema made by a later Lars is used as it is.
func TestMigrateNewerSchema(t *testing.T) {
	onEngines(t, func(t *testing.T, cfg store.Config) {
		st := open(t, cfg)
		if _, _, err := st.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		mustExec(t, openRaw(t, cfg), "INSERT INTO lars_schema (version_id, is_applied) VALUES (9999, 1)")
		if from, to, err := st.Migrate(t.Context()); err != nil || from != 9999 || to != 9999 {
			t.Errorf("Migrate() = %d, %d, %v", from, to, err)
		}
	})
}

func TestMigrateKeepsAnIndexThatIsThere(t *testing.T) {
	cfg := newMariaDB(t)
	raw := openRaw(t, cfg)
	mustExec(t, raw, lars1Tables[store.MySQL]...)
	mustExec(t, raw, "CREATE INDEX theirs ON RouteData (modid, cmdid, serverip)")
	if _, _, err := open(t, cfg).Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	got := mustQuery(t, raw, `SELECT DISTINCT index_name FROM information_schema.statistics
		WHERE table_schema = DATABASE() AND table_name IN ('RouteData', 'RouteChange') ORDER BY 1`)
	if want := []string{"PRIMARY", "RouteChange_version", "theirs"}; !slices.Equal(got, want) {
		t.Errorf("indexes = %q, want %q", got, want)
	}
}

// Once the tables are there, a user who may only read and write rows can do
// everything, Migrate included.
func TestUserWithoutDDL(t *testing.T) {
	cfg := newMariaDB(t)
	mariaDB.Exec(t,
		"CREATE USER 'plain"+cfg.Name+"'@'127.0.0.1' IDENTIFIED BY 's3cret!@/:'",
		"GRANT SELECT, INSERT, UPDATE, DELETE ON "+cfg.Name+".* TO 'plain"+cfg.Name+"'@'127.0.0.1'")
	plain := cfg
	plain.User, plain.Password = "plain"+cfg.Name, "s3cret!@/:"

	st := open(t, plain)
	_, _, err := st.Migrate(t.Context())
	if !errors.Is(err, store.ErrMayNotMigrate) || !strings.Contains(err.Error(), "lars db init") || strings.Contains(err.Error(), plain.Password) {
		t.Fatalf("Migrate() without the right to = %v", err)
	}
	if _, _, err := open(t, cfg).Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if from, to, err := st.Migrate(t.Context()); err != nil || from != to {
		t.Fatalf("Migrate() with nothing to do = %d, %d, %v", from, to, err)
	}
	useEverything(t, st)

	// Tables of the version before are in use until somebody migrates them.
	mustExec(t, openRaw(t, cfg), "ALTER TABLE RouteData DROP COLUMN weight", "DELETE FROM lars_schema WHERE version_id >= 3", "DELETE FROM RouteData")
	st = open(t, plain)
	if from, _, err := st.Migrate(t.Context()); !errors.Is(err, store.ErrMayNotMigrate) || from != 2 {
		t.Fatalf("Migrate() from %d without the right to = %v", from, err)
	}
	useEverything(t, st)
}

// Migrate waits for another process that migrates, and gives up with its context.
func TestMigrateWaitsForTheLock(t *testing.T) {
	cfg := newMariaDB(t)
	raw := openRaw(t, cfg)
	conn, err := raw.Conn(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	const name = "CONCAT('lars-schema-', MD5(DATABASE()))"
	if _, err := conn.ExecContext(t.Context(), "DO GET_LOCK("+name+", 10)"); err != nil {
		t.Fatal(err)
	}
	st := open(t, cfg)
	if _, _, err := st.Migrate(within(t, 300*time.Millisecond)); err == nil {
		t.Fatal("Migrate() went ahead although another process held the lock")
	}
	if got := tableNames(t, cfg); len(got) != 0 {
		t.Errorf("tables = %q", got)
	}
	done := make(chan error, 1)
	go func() {
		_, _, err := st.Migrate(t.Context())
		done <- err
	}()
	if _, err := conn.ExecContext(t.Context(), "DO RELEASE_LOCK("+name+")"); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Fatal(err)
	}
}

// useEverything runs each operation once on a store that may hold other data.
func useEverything(t *testing.T, st *store.Store) {
	t.Helper()
	ctx := t.Context()
	e := entry(-7, 70, "192.168.200.1:65535")
	before := mustRevision(t, st)
	if n, err := addHosts(t, st, []store.Entry{e}); err != nil || n != 1 {
		t.Errorf("AddHosts() = %d, %v", n, err)
	}
	if got := mustChanged(t, st, before); !slices.Equal(got, []route.Module{e.Module}) {
		t.Errorf("Changed() = %v", got)
	}
	list := mustList(t, st)
	if !slices.Contains(list, e) {
		t.Errorf("ListRoutes() = %v", list)
	}
	if n, err := st.RemoveHosts(ctx, []store.Entry{e}); err != nil || n != 1 {
		t.Errorf("RemoveHosts() = %d, %v", n, err)
	}
	if n, err := st.RemoveModule(ctx, e.Module); err != nil || n != 0 {
		t.Errorf("RemoveModule() = %d, %v", n, err)
	}
	if n, err := st.ReplaceRoutes(ctx, list); err != nil || n != 1 {
		t.Errorf("ReplaceRoutes() = %d, %v", n, err)
	}
	if _, err := st.PruneChanges(ctx, time.Hour); err != nil {
		t.Errorf("PruneChanges() = %v", err)
	}
	if err := st.SetModName(ctx, e.Module.ModID, "seven"); err != nil {
		t.Error(err)
	}
	if err := st.SetCmdName(ctx, e.Module.CmdID, "seventy"); err != nil {
		t.Error(err)
	}
	if names, err := st.Names(ctx); err != nil || names.Mods[-7] != "seven" || names.Cmds[70] != "seventy" {
		t.Errorf("Names() = %v, %v", names, err)
	}
	s := store.Status{Module: e.Module, Host: e.Host, Caller: 3232235777, Succ: 1, Err: 2, TS: 3, Overload: true}
	if err := st.SaveStatuses(ctx, []store.Status{s}); err != nil {
		t.Error(err)
	}
	if got, err := st.ListStatuses(ctx, store.Filter{ModID: &e.Module.ModID}); err != nil || !slices.Equal(got, []store.Status{s}) {
		t.Errorf("ListStatuses() = %v, %v", got, err)
	}
	if err := st.Ping(ctx); err != nil {
		t.Error(err)
	}
}
