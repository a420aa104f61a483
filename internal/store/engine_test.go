package store_test

import (
	"context"
	"database/sql"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/lars-lb/lars/internal/mariadbtest"
	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/store"
)

// mariaDB serves the whole test binary. Tests that stop a server start one of
// their own.
var mariaDB struct {
	*mariadbtest.Server
	err error
}

func TestMain(m *testing.M) {
	mariaDB.Server, mariaDB.err = mariadbtest.New()
	code := m.Run()
	if mariaDB.Server != nil {
		if err := mariaDB.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	if galera.Cluster != nil {
		if err := galera.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// engines are the databases every test runs on, each empty.
var engines = []struct {
	name string
	make func(t *testing.T) store.Config
}{
	{"sqlite", newSQLite},
	{"mariadb", newMariaDB},
}

func newSQLite(t *testing.T) store.Config {
	return store.Config{Driver: store.SQLite, Path: filepath.Join(t.TempDir(), "a folder", "lars?#%.db")}
}

func newMariaDB(t *testing.T) store.Config {
	t.Helper()
	if mariaDB.err != nil {
		t.Fatal(mariaDB.err)
	}
	return mariaDB.NewDatabase(t)
}

// onEngines runs test on an empty database of each engine.
func onEngines(t *testing.T, test func(t *testing.T, cfg store.Config)) {
	for _, e := range engines {
		t.Run(e.name, func(t *testing.T) { test(t, e.make(t)) })
	}
}

// onStores runs test on a migrated store of each engine.
func onStores(t *testing.T, test func(t *testing.T, st *store.Store, raw *sql.DB)) {
	onEngines(t, func(t *testing.T, cfg store.Config) {
		st := open(t, cfg)
		if _, _, err := st.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		test(t, st, openRaw(t, cfg))
	})
}

func open(t *testing.T, cfg store.Config) *store.Store {
	t.Helper()
	st, err := store.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	return st
}

// openRaw returns the database as an operator's SQL client sees it.
func openRaw(t *testing.T, cfg store.Config) *sql.DB {
	t.Helper()
	driver, dsn := "mysql", fmt.Sprintf("%s@tcp(%s:%d)/%s", cfg.User, cfg.Host, cfg.Port, cfg.Name)
	if cfg.Driver == store.SQLite {
		if err := os.MkdirAll(filepath.Dir(cfg.Path), 0o755); err != nil {
			t.Fatal(err)
		}
		driver, dsn = "sqlite", (&url.URL{Scheme: "file", Path: cfg.Path, RawQuery: "_busy_timeout=5000"}).String()
	}
	db, err := sql.Open(driver, dsn)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func mustExec(t *testing.T, db *sql.DB, statements ...string) {
	t.Helper()
	for _, q := range statements {
		if _, err := db.Exec(q); err != nil {
			t.Fatalf("%s: %v", q, err)
		}
	}
}

// mustQuery returns the rows of a query as text.
func mustQuery(t *testing.T, db *sql.DB, q string, args ...any) []string {
	t.Helper()
	rows, err := db.Query(q, args...)
	if err != nil {
		t.Fatalf("%s: %v", q, err)
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		t.Fatal(err)
	}
	var list []string
	for rows.Next() {
		cells := make([]sql.NullString, len(columns))
		into := make([]any, len(columns))
		for i := range cells {
			into[i] = &cells[i]
		}
		if err := rows.Scan(into...); err != nil {
			t.Fatal(err)
		}
		line := ""
		for i, c := range cells {
			if i > 0 {
				line += " "
			}
			line += c.String
		}
		list = append(list, line)
	}
	if err := rows.Err(); err != nil {
		t.Fatal(err)
	}
	return list
}

func entry(modid, cmdid int32, host string) store.Entry {
	h, err := route.ParseHost(host)
	if err != nil {
		panic(err)
	}
	return store.Entry{Module: route.Module{ModID: modid, CmdID: cmdid}, Host: h}
}

// weighted is entry with a weight.
func weighted(modid, cmdid int32, host string, weight uint16) store.Entry {
	e := entry(modid, cmdid, host)
	e.Weight = store.WeightOf(weight)
	return e
}

// addHosts counts the hosts that were added alone.
func addHosts(t *testing.T, st *store.Store, entries []store.Entry) (int, error) {
	t.Helper()
	added, err := st.AddHosts(t.Context(), entries)
	if added.Reweighed != 0 {
		t.Errorf("AddHosts() changed %d weights", added.Reweighed)
	}
	return added.Hosts, err
}

func mustAdd(t *testing.T, st *store.Store, entries ...store.Entry) {
	t.Helper()
	if _, err := st.AddHosts(t.Context(), entries); err != nil {
		t.Fatal(err)
	}
}

func mustRevision(t *testing.T, st *store.Store) store.Revision {
	t.Helper()
	r, err := st.Revision(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// mustChanged returns the changed modules in order.
func mustChanged(t *testing.T, st *store.Store, since store.Revision) []route.Module {
	t.Helper()
	mods, err := st.Changed(t.Context(), since)
	if err != nil {
		t.Fatal(err)
	}
	slices.SortFunc(mods, route.Module.Compare)
	return mods
}

// mustList returns all routes. A weight of 100 is left open, as entry does.
func mustList(t *testing.T, st *store.Store) []store.Entry {
	t.Helper()
	return mustListFiltered(t, st, store.Filter{})
}

func mustListFiltered(t *testing.T, st *store.Store, f store.Filter) []store.Entry {
	t.Helper()
	list, err := st.ListRoutes(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	for i, e := range list {
		w, given := e.Weight.Value()
		if !given {
			t.Errorf("ListRoutes() says nothing of the weight of %v", e.Host)
		}
		if w == route.DefaultWeight {
			list[i].Weight = store.Weight{}
		}
	}
	return list
}

// within returns a context for operations that must not take longer.
func within(t *testing.T, d time.Duration) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), d)
	t.Cleanup(cancel)
	return ctx
}
