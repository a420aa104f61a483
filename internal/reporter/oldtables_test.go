package reporter_test

import (
	"context"
	"database/sql"
	"path/filepath"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/store"
)

// mayNotMigrate is a store whose user may not change the tables.
type mayNotMigrate struct{ *store.Store }

func (mayNotMigrate) Migrate(context.Context) (from, to int64, err error) {
	return 3, 3, store.ErrMayNotMigrate
}

// Tables that nobody has migrated have no room for the history: reports are
// saved as statuses and acknowledged all the same, and the history begins as
// soon as somebody has made its table.
func TestHistoryBeginsWhenItsTableIsThere(t *testing.T) {
	path := filepath.Join(t.TempDir(), "lars.db")
	st := openStore(t, store.Config{Driver: store.SQLite, Path: path})
	if _, _, err := st.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	raw, err := sql.Open("sqlite", path+"?_busy_timeout=10000")
	if err != nil {
		t.Fatal(err)
	}
	defer raw.Close()
	for _, q := range []string{"DROP TABLE CallHistory", "DROP TABLE ReportSequence", "DELETE FROM lars_schema WHERE version_id = 4"} {
		if _, err := raw.Exec(q); err != nil {
			t.Fatal(err)
		}
	}

	r := serve(t, testConfig(), mayNotMigrate{st})
	a := dial(t, r)
	for range 2 { // the second time it is a duplicate that cannot be known
		a.send(numbered(t, bootA, 1, 0))
		a.acknowledged(1)
		a = dial(t, r)
	}
	if got := statuses(t, st); len(got) != 1 || got[0].Succ != 1 {
		t.Errorf("statuses %+v", got)
	}
	if r.log.count("there is no table CallHistory") != 1 || r.log.count("older tables are written as they are") != 1 {
		t.Errorf("the log does not say it:\n%s", &r.log.text)
	}

	if _, _, err := st.Migrate(t.Context()); err != nil { // as lars db init does
		t.Fatal(err)
	}
	a.send(numbered(t, bootA, 2, 0))
	a.acknowledged(2)
	sums, err := st.ListHistory(t.Context(), store.Filter{}, time.Now().Add(-time.Hour), time.Now().Add(time.Hour), store.HistoryKey{})
	if err != nil || len(sums) != 1 || sums[0].Succ != 1 {
		t.Errorf("history %+v, %v", sums, err)
	}
	if r.log.count("from now on calls are counted by the minute") != 1 {
		t.Errorf("the log does not say it:\n%s", &r.log.text)
	}
}

// Without history_retention nothing is kept by the minute, and each report is
// still saved once.
func TestNoHistory(t *testing.T) {
	onStores(t, func(t *testing.T, st *store.Store) {
		cfg := testConfig()
		cfg.HistoryRetention = 0
		r := serve(t, cfg, st)
		for range 2 {
			a := dial(t, r)
			a.send(numbered(t, bootA, 1, 0))
			a.acknowledged(1)
		}
		sums, err := st.ListHistory(t.Context(), store.Filter{}, time.Now().Add(-time.Hour), time.Now().Add(time.Hour), store.HistoryKey{})
		if err != nil || len(sums) != 0 || len(statuses(t, st)) != 1 || r.Stats().Duplicates != 1 {
			t.Errorf("history %+v, %v; statuses %+v, stats %+v", sums, err, statuses(t, st), r.Stats())
		}
	})
}
