package store_test

import (
	"database/sql"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/store"
)

func TestAddAndRemove(t *testing.T) {
	a, b, c := entry(1, 1, "10.0.0.1:80"), entry(1, 1, "10.0.0.2:80"), entry(-3, 1, "255.255.255.255:65535")
	onStores(t, func(t *testing.T, st *store.Store, raw *sql.DB) {
		for _, step := range []struct {
			name    string
			do      func() (int, error)
			n       int
			changed []route.Module
			left    []store.Entry
		}{
			{"nothing", func() (int, error) { return addHosts(t, st, nil) }, 0, nil, nil},
			{"two modules", func() (int, error) { return addHosts(t, st, []store.Entry{c, a}) }, 2, []route.Module{c.Module, a.Module}, []store.Entry{c, a}},
			{"one that is there", func() (int, error) { return addHosts(t, st, []store.Entry{a}) }, 0, nil, []store.Entry{c, a}},
			{"one of two is new", func() (int, error) { return addHosts(t, st, []store.Entry{a, b, b}) }, 1, []route.Module{a.Module}, []store.Entry{c, a, b}},
			{"remove one and none", func() (int, error) {
				return st.RemoveHosts(t.Context(), []store.Entry{a, entry(5, 5, "10.0.0.1:80")})
			}, 1, []route.Module{a.Module}, []store.Entry{c, b}},
			{"remove it again", func() (int, error) { return st.RemoveHosts(t.Context(), []store.Entry{a, a}) }, 0, nil, []store.Entry{c, b}},
			{"remove no module", func() (int, error) { return st.RemoveModule(t.Context(), route.Module{ModID: 1, CmdID: 2}) }, 0, nil, []store.Entry{c, b}},
			{"remove a module", func() (int, error) { return st.RemoveModule(t.Context(), c.Module) }, 1, []route.Module{c.Module}, []store.Entry{b}},
		} {
			before := mustRevision(t, st)
			n, err := step.do()
			if err != nil || n != step.n {
				t.Errorf("%s: %d, %v, want %d", step.name, n, err, step.n)
			}
			after := mustRevision(t, st)
			if moved := after.Version > before.Version && after.LastChange > before.LastChange; moved != (step.changed != nil) || !moved && before != after {
				t.Errorf("%s: the revision went from %+v to %+v", step.name, before, after)
			}
			if got := mustChanged(t, st, before); !slices.Equal(got, step.changed) {
				t.Errorf("%s: changed = %v, want %v", step.name, got, step.changed)
			}
			if got := mustList(t, st); !slices.Equal(got, step.left) {
				t.Errorf("%s: left = %v, want %v", step.name, got, step.left)
			}
		}
		// -3 is stored as Lars 1.0 stores it.
		mustAdd(t, st, c)
		if got := mustQuery(t, raw, "SELECT modid, cmdid, serverip, serverport FROM RouteData WHERE cmdid = 1 AND modid > 1"); !slices.Equal(got, []string{"4294967293 1 4294967295 65535"}) {
			t.Errorf("stored as %q", got)
		}
		if got := mustQuery(t, raw, "SELECT DISTINCT modid FROM RouteChange WHERE modid > 1"); !slices.Equal(got, []string{"4294967293"}) {
			t.Errorf("announced as %q", got)
		}
	})
}

// Duplicate rows, which plain SQL may leave, are one host.
func TestDuplicateRows(t *testing.T) {
	onStores(t, func(t *testing.T, st *store.Store, raw *sql.DB) {
		const row = "INSERT INTO RouteData (modid, cmdid, serverip, serverport) VALUES (1, 1, 167772161, 80)"
		mustExec(t, raw, row, row, row)
		e := entry(1, 1, "10.0.0.1:80")
		if got := mustList(t, st); !slices.Equal(got, []store.Entry{e}) {
			t.Errorf("ListRoutes() = %v", got)
		}
		if n, err := addHosts(t, st, []store.Entry{e}); n != 0 || err != nil {
			t.Errorf("AddHosts() = %d, %v", n, err)
		}
		before := mustRevision(t, st)
		if n, err := st.ReplaceRoutes(t.Context(), []store.Entry{e}); n != 0 || err != nil {
			t.Errorf("ReplaceRoutes() = %d, %v", n, err)
		}
		if got := mustQuery(t, raw, "SELECT COUNT(*) FROM RouteData"); got[0] != "1" {
			t.Errorf("ReplaceRoutes() left %s rows", got[0])
		}
		if got := mustChanged(t, st, before); got != nil {
			t.Errorf("the route is the same, and yet changed: %v", got)
		}
		mustExec(t, raw, row)
		if n, err := st.RemoveHosts(t.Context(), []store.Entry{e}); n != 1 || err != nil {
			t.Errorf("RemoveHosts() = %d, %v", n, err)
		}
		if got := mustQuery(t, raw, "SELECT COUNT(*) FROM RouteData"); got[0] != "0" {
			t.Errorf("RemoveHosts() left %s rows", got[0])
		}
	})
}

func TestInvalidHostIsRefused(t *testing.T) {
	onStores(t, func(t *testing.T, st *store.Store, raw *sql.DB) {
		bad := store.Entry{Module: route.Module{ModID: 8, CmdID: 9}, Host: route.Host{IP: 1}}
		for name, write := range map[string]func([]store.Entry) (int, error){
			"AddHosts":      func(e []store.Entry) (int, error) { return addHosts(t, st, e) },
			"ReplaceRoutes": func(e []store.Entry) (int, error) { return st.ReplaceRoutes(t.Context(), e) },
		} {
			_, err := write([]store.Entry{entry(1, 1, "10.0.0.1:80"), bad})
			if err == nil || !strings.Contains(err.Error(), "(8,9)") || !strings.Contains(err.Error(), "0.0.0.1:0") {
				t.Errorf("%s with a port of 0 = %v", name, err)
			}
		}
		if got := mustList(t, st); len(got) != 0 {
			t.Errorf("written all the same: %v", got)
		}
	})
}

func manyHosts(m route.Module, from, n int) []store.Entry {
	list := make([]store.Entry, n)
	for i := range list {
		list[i] = store.Entry{Module: m, Host: route.Host{IP: 0x0a000000 + uint32(from+i), Port: 80}}
	}
	return list
}

func TestTooManyHosts(t *testing.T) {
	m, other := route.Module{ModID: 4, CmdID: 5}, entry(1, 1, "10.0.0.1:80")
	onStores(t, func(t *testing.T, st *store.Store, raw *sql.DB) {
		refused := func(name string, err error) {
			t.Helper()
			if !errors.Is(err, store.ErrTooManyHosts) || !strings.Contains(err.Error(), "(4,5)") || !strings.Contains(err.Error(), "3000") {
				t.Errorf("%s = %v, want ErrTooManyHosts for (4,5)", name, err)
			}
		}
		_, err := st.ReplaceRoutes(t.Context(), append(manyHosts(m, 1, route.MaxHosts+1), other))
		refused("importing one too many", err)
		if n, err := addHosts(t, st, manyHosts(m, 1, route.MaxHosts)); err != nil || n != route.MaxHosts {
			t.Fatalf("AddHosts() of the most possible = %d, %v", n, err)
		}
		before := mustRevision(t, st)
		_, err = st.AddHosts(t.Context(), append(manyHosts(m, 5000, 1), other))
		refused("adding one too many", err)
		if got := mustRevision(t, st); got != before {
			t.Errorf("the refused change moved the revision from %+v to %+v", before, got)
		}
		if got := mustList(t, st); len(got) != route.MaxHosts {
			t.Errorf("%d hosts after the refused change", len(got))
		}
		// Plain SQL made the module larger. Its hosts can still be named, and
		// other modules changed.
		mustExec(t, raw, "INSERT INTO RouteData (modid, cmdid, serverip, serverport) VALUES (4, 5, 99, 1)")
		if n, err := addHosts(t, st, append(manyHosts(m, 1, 1), other)); err != nil || n != 1 {
			t.Errorf("AddHosts() = %d, %v", n, err)
		}
	})
}

func TestReplaceRoutes(t *testing.T) {
	keep, move, gone := entry(1, 1, "10.0.0.1:80"), entry(2, 2, "10.0.0.2:80"), entry(3, 3, "10.0.0.3:80")
	onStores(t, func(t *testing.T, st *store.Store, raw *sql.DB) {
		mustAdd(t, st, keep, move, gone)
		mustExec(t, raw, "INSERT INTO RouteData (modid, cmdid, serverip, serverport) VALUES (9, 9, 0, 80), (9, 9, 1, 70000)")
		before := mustRevision(t, st)
		moved, fresh := entry(2, 2, "10.0.0.9:80"), entry(-1, 7, "10.0.0.4:80")
		want := []store.Entry{fresh, keep, moved}
		if n, err := st.ReplaceRoutes(t.Context(), []store.Entry{moved, keep, fresh, keep}); err != nil || n != 3 {
			t.Errorf("ReplaceRoutes() = %d, %v, want 3 changed modules", n, err)
		}
		if got := mustList(t, st); !slices.Equal(got, want) {
			t.Errorf("routes = %v, want %v", got, want)
		}
		if got := mustQuery(t, raw, "SELECT COUNT(*) FROM RouteData"); got[0] != "3" {
			t.Errorf("%s rows, want 3", got[0])
		}
		if got, want := mustChanged(t, st, before), []route.Module{fresh.Module, move.Module, gone.Module}; !slices.Equal(got, want) {
			t.Errorf("changed = %v, want %v", got, want)
		}
		after := mustRevision(t, st)
		if n, err := st.ReplaceRoutes(t.Context(), want); err != nil || n != 0 {
			t.Errorf("the same again: %d, %v", n, err)
		}
		if got := mustRevision(t, st); got != after {
			t.Errorf("the same again moved the revision from %+v to %+v", after, got)
		}
		if n, err := st.ReplaceRoutes(t.Context(), nil); err != nil || n != 3 || len(mustList(t, st)) != 0 {
			t.Errorf("ReplaceRoutes() with nothing = %d, %v", n, err)
		}
	})
}

// An import that fails in the middle leaves the table as it was.
func TestReplaceRoutesAllOrNothing(t *testing.T) {
	onStores(t, func(t *testing.T, st *store.Store, raw *sql.DB) {
		old := entry(1, 1, "10.0.0.1:80")
		mustAdd(t, st, old)
		before := mustRevision(t, st)
		// The row of one host cannot be written.
		if _, err := raw.Exec("CREATE TRIGGER refuse BEFORE INSERT ON RouteData FOR EACH ROW SIGNAL SQLSTATE '45000'"); err != nil {
			mustExec(t, raw, "CREATE TRIGGER refuse BEFORE INSERT ON RouteData WHEN NEW.serverport = 13 BEGIN SELECT RAISE(ABORT, 'refused'); END")
		} else {
			mustExec(t, raw, "DROP TRIGGER refuse", `CREATE TRIGGER refuse BEFORE INSERT ON RouteData FOR EACH ROW
				IF NEW.serverport = 13 THEN SIGNAL SQLSTATE '45000' SET MESSAGE_TEXT = 'refused'; END IF`)
		}
		list := append(manyHosts(route.Module{ModID: 2, CmdID: 2}, 1, 1500), entry(7, 7, "10.0.0.1:13"))
		if _, err := st.ReplaceRoutes(t.Context(), list); err == nil || !strings.Contains(err.Error(), "replace the routes") {
			t.Errorf("ReplaceRoutes() = %v", err)
		}
		if got := mustList(t, st); !slices.Equal(got, []store.Entry{old}) {
			t.Errorf("%d routes afterwards", len(got))
		}
		if got := mustRevision(t, st); got != before {
			t.Errorf("the revision went from %+v to %+v", before, got)
		}
	})
}

// The version is the time, or one more than the last version: a second change
// in one second, and one after a clock that was ahead, are noticed.
func TestVersionAlwaysRises(t *testing.T) {
	onStores(t, func(t *testing.T, st *store.Store, raw *sql.DB) {
		start := time.Now().Unix()
		mustAdd(t, st, entry(1, 1, "10.0.0.1:80"))
		first := mustRevision(t, st)
		if first.Version < start || first.Version > time.Now().Unix() {
			t.Errorf("the first version is %d, now is %d", first.Version, start)
		}
		mustAdd(t, st, entry(1, 1, "10.0.0.2:80"))
		if second := mustRevision(t, st); second.Version <= first.Version {
			t.Errorf("the versions are %d and %d", first.Version, second.Version)
		}
		mustExec(t, raw, "UPDATE RouteVersion SET version = 4000000000 WHERE id = 1")
		mustAdd(t, st, entry(1, 1, "10.0.0.3:80"))
		if got := mustRevision(t, st); got.Version != 4000000001 {
			t.Errorf("after 4000000000 comes %d", got.Version)
		}
	})
}

// Writers in several processes follow one another: no version twice, no
// change lost, and a reader that polls meanwhile sees each of them.
func TestConcurrentWriters(t *testing.T) {
	const writers, changes = 8, 12
	onEngines(t, func(t *testing.T, cfg store.Config) {
		reader := open(t, cfg)
		if _, _, err := reader.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		// The hardest start for the lock: no row to lock.
		raw := openRaw(t, cfg)
		mustExec(t, raw, "DELETE FROM RouteVersion")

		var wg sync.WaitGroup
		for w := range writers {
			st := open(t, cfg)
			wg.Go(func() {
				for c := range changes {
					e := store.Entry{Module: route.Module{ModID: int32(w), CmdID: int32(c)}, Host: route.Host{IP: 1, Port: 1}}
					if n, err := addHosts(t, st, []store.Entry{e}); err != nil || n != 1 {
						t.Errorf("writer %d, change %d: %d, %v", w, c, n, err)
					}
				}
			})
		}
		written := make(chan struct{})
		go func() {
			wg.Wait()
			close(written)
		}()
		seen := make(map[route.Module]bool)
		var last store.Revision
		for done := false; !done; {
			select {
			case <-written:
				done = true // and look one last time
			default:
			}
			now := mustRevision(t, reader)
			for _, m := range mustChanged(t, reader, last) {
				seen[m] = true
			}
			if now.Version < last.Version || now.LastChange < last.LastChange {
				t.Fatalf("the revision went back from %+v to %+v", last, now)
			}
			last = now
		}
		if len(seen) != writers*changes {
			t.Errorf("the reader saw %d changes of %d", len(seen), writers*changes)
		}
		versions := mustQuery(t, raw, "SELECT version FROM RouteChange ORDER BY id")
		if len(versions) != writers*changes || !slices.IsSorted(versions) || len(slices.Compact(versions)) != writers*changes {
			t.Errorf("%d changes, not each with a version of its own in the order of ids: %q", len(versions), versions)
		}
	})
}

// Adding the last free place at the same time: one wins.
func TestConcurrentWritersAtTheBound(t *testing.T) {
	m := route.Module{ModID: 1, CmdID: 1}
	onStores(t, func(t *testing.T, st *store.Store, raw *sql.DB) {
		mustAdd(t, st, manyHosts(m, 1, route.MaxHosts-1)...)
		var wg sync.WaitGroup
		errs := make([]error, 4)
		for i := range errs {
			wg.Go(func() {
				_, errs[i] = st.AddHosts(t.Context(), manyHosts(m, 10000+i, 1))
			})
		}
		wg.Wait()
		refused := 0
		for _, err := range errs {
			if errors.Is(err, store.ErrTooManyHosts) {
				refused++
			} else if err != nil {
				t.Error(err)
			}
		}
		if refused != len(errs)-1 || len(mustList(t, st)) != route.MaxHosts {
			t.Errorf("%d refused, %d hosts", refused, len(mustList(t, st)))
		}
	})
}
