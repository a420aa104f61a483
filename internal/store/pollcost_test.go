package store_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/store"
)

// Looking for changes reads what has changed and nothing else, however large
// the table is and however many changes it has seen, and so with its indexes.
func TestLookingForChangesReadsThemAlone(t *testing.T) {
	const modules, hosts = 500, 10
	cfg := newMariaDB(t)
	st := open(t, cfg)
	if _, _, err := st.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	var all []store.Entry
	for m := range int32(modules) {
		for h := range hosts {
			all = append(all, entry(1, m, "10.0.0."+strconv.Itoa(h+1)+":1"))
		}
	}
	mustAdd(t, st, all...)
	mustAdd(t, st, entry(2, 1, "10.0.0.1:1")) // the optimizer knows of more than one modid
	raw := openRaw(t, cfg)
	mustExec(t, raw, "ANALYZE TABLE RouteData, RouteChange")
	seen := mustRevision(t, st)
	changed := entry(1, 7, "10.0.1.1:1")
	mustAdd(t, st, changed)

	// MariaDB's count of rows that statements asked for, temporary tables left out.
	rowsRead := func() int {
		row := mustQuery(t, raw, "SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = 'ROWS_READ'")
		n, err := strconv.Atoi(strings.TrimSpace(row[0]))
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	for _, look := range []struct {
		what string
		do   func()
		most int
	}{
		{"nothing is new", func() { mustRevision(t, st) }, 5},
		{"one module is", func() {
			found := mustChanged(t, st, seen)
			if len(found) != 1 || found[0] != changed.Module {
				t.Errorf("changed are %v", found)
			}
			ignore := func(store.RouteRow) error { return nil }
			if err := st.ReadModules(t.Context(), []route.Module{changed.Module}, ignore); err != nil {
				t.Error(err)
			}
		}, 2*(hosts+1) + 10},
	} {
		before := rowsRead()
		look.do()
		if n := rowsRead() - before; n > look.most {
			t.Errorf("when %s %d rows are read of %d, want at most %d", look.what, n, len(all), look.most)
		}
	}
}
