package store_test

import (
	"database/sql"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/store"
)

func TestRevision(t *testing.T) {
	onStores(t, func(t *testing.T, st *store.Store, raw *sql.DB) {
		if got := mustRevision(t, st); got != (store.Revision{}) {
			t.Errorf("of a new database: %+v", got)
		}
		mustExec(t, raw, "UPDATE RouteVersion SET version = 500 WHERE id = 1")
		first := mustRevision(t, st)

		// Plain SQL: two changes in one second leave one version.
		mustExec(t, raw, "INSERT INTO RouteChange (modid, cmdid, version) VALUES (1, 1, 500)")
		second := mustRevision(t, st)
		mustExec(t, raw, "INSERT INTO RouteChange (modid, cmdid, version) VALUES (4294967293, 2, 500)")
		third := mustRevision(t, st)
		if first == second || second == third {
			t.Errorf("a change went unnoticed: %+v, %+v, %+v", first, second, third)
		}
		for _, c := range []struct {
			since store.Revision
			want  []route.Module
		}{
			{store.Revision{}, []route.Module{{ModID: -3, CmdID: 2}, {ModID: 1, CmdID: 1}}},
			{first, []route.Module{{ModID: -3, CmdID: 2}, {ModID: 1, CmdID: 1}}},
			{second, []route.Module{{ModID: -3, CmdID: 2}}},
			{third, nil},
			// An id below the last one, committed late, shows by its version.
			{store.Revision{Version: 499, LastChange: third.LastChange}, []route.Module{{ModID: -3, CmdID: 2}, {ModID: 1, CmdID: 1}}},
		} {
			if got := mustChanged(t, st, c.since); !slices.Equal(got, c.want) {
				t.Errorf("Changed(%+v) = %v, want %v", c.since, got, c.want)
			}
		}
		mustExec(t, raw, "INSERT INTO RouteChange (modid, cmdid, version) VALUES (1, 1, 501), (1, 1, 502)")
		if got := mustChanged(t, st, third); !slices.Equal(got, []route.Module{{ModID: 1, CmdID: 1}}) {
			t.Errorf("a module changed twice is named %v", got)
		}
	})
}

// Lars 1.0 looks at row 1 alone; no row at all is version 0.
func TestRevisionRow(t *testing.T) {
	onStores(t, func(t *testing.T, st *store.Store, raw *sql.DB) {
		mustExec(t, raw, "DELETE FROM RouteVersion", "INSERT INTO RouteVersion (id, version) VALUES (7, 700)")
		if got := mustRevision(t, st); got != (store.Revision{}) {
			t.Errorf("Revision() without row 1 = %+v", got)
		}
		mustAdd(t, st, entry(1, 1, "10.0.0.1:80"))
		if got := mustQuery(t, raw, "SELECT version FROM RouteVersion WHERE id = 7"); !slices.Equal(got, []string{"700"}) {
			t.Errorf("row 7 became %q", got)
		}
		if got := mustRevision(t, st); got.Version < time.Now().Add(-time.Minute).Unix() {
			t.Errorf("Revision() = %+v", got)
		}
	})
}

func TestPruneChanges(t *testing.T) {
	onStores(t, func(t *testing.T, st *store.Store, raw *sql.DB) {
		now := time.Now().Unix()
		const old = 1203 // more than two steps
		for i := range old {
			mustExec(t, raw, fmt.Sprintf("INSERT INTO RouteChange (modid, cmdid, version) VALUES (%d, 1, %d)", i, now-3600-int64(i)))
		}
		mustExec(t, raw, fmt.Sprintf("INSERT INTO RouteChange (modid, cmdid, version) VALUES (1, 1, %d)", now-1800))
		if n, err := st.PruneChanges(t.Context(), 2*time.Hour); err != nil || n != 0 {
			t.Errorf("PruneChanges(2h) = %d, %v", n, err)
		}
		if n, err := st.PruneChanges(t.Context(), 50*time.Minute); err != nil || n != old {
			t.Errorf("PruneChanges(50m) = %d, %v, want %d", n, err, old)
		}
		// The newest one stays at any age: Revision must not go back.
		before := mustRevision(t, st)
		if n, err := st.PruneChanges(t.Context(), 0); err != nil || n != 0 {
			t.Errorf("PruneChanges(0) = %d, %v", n, err)
		}
		if got := mustRevision(t, st); got != before {
			t.Errorf("Revision() went from %+v to %+v", before, got)
		}
		mustAdd(t, st, entry(1, 1, "10.0.0.1:80"))
		if got := mustRevision(t, st); got.LastChange <= before.LastChange {
			t.Errorf("the next change got the id %d after %d", got.LastChange, before.LastChange)
		}
	})
}
