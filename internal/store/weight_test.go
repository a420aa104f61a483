package store_test

import (
	"database/sql"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/store"
)

func TestWeights(t *testing.T) {
	m := route.Module{ModID: 1, CmdID: 1}
	a, b, other := entry(1, 1, "10.0.0.1:80"), entry(1, 1, "10.0.0.2:80"), entry(2, 2, "10.0.0.3:80")
	at := func(e store.Entry, weight uint16) store.Entry { e.Weight = store.WeightOf(weight); return e }
	onStores(t, func(t *testing.T, st *store.Store, raw *sql.DB) {
		add := func(entries ...store.Entry) func() (any, error) {
			return func() (any, error) { return st.AddHosts(t.Context(), entries) }
		}
		set := func(weight uint16, hosts ...route.Host) func() (any, error) {
			return func() (any, error) { return st.SetWeight(t.Context(), m, hosts, weight) }
		}
		replace := func(entries ...store.Entry) func() (any, error) {
			return func() (any, error) { return st.ReplaceRoutes(t.Context(), entries) }
		}
		for _, step := range []struct {
			name    string
			do      func() (any, error)
			want    any
			changed []route.Module
			left    []store.Entry
		}{
			{"new with a weight, without, and drained", add(at(a, 50), b, at(other, 0)), store.Added{Hosts: 3}, []route.Module{m, other.Module}, []store.Entry{at(a, 50), b, at(other, 0)}},
			{"there, without a weight", add(a, b, other), store.Added{}, nil, []store.Entry{at(a, 50), b, at(other, 0)}},
			{"there, with the same", add(at(a, 50), a, at(b, 100)), store.Added{}, nil, []store.Entry{at(a, 50), b, at(other, 0)}},
			{"there, with another", add(at(a, 51), at(b, 100)), store.Added{Reweighed: 1}, []route.Module{m}, []store.Entry{at(a, 51), b, at(other, 0)}},
			{"set two, of which one has it", set(51, b.Host, a.Host, b.Host), 1, []route.Module{m}, []store.Entry{at(a, 51), at(b, 51), at(other, 0)}},
			{"set it again", set(51, a.Host, b.Host), 0, nil, []store.Entry{at(a, 51), at(b, 51), at(other, 0)}},
			{"set none", set(1), 0, nil, []store.Entry{at(a, 51), at(b, 51), at(other, 0)}},
			{"drain", set(0, b.Host), 1, []route.Module{m}, []store.Entry{at(a, 51), at(b, 0), at(other, 0)}},
			{"the most", set(route.MaxWeight, b.Host), 1, []route.Module{m}, []store.Entry{at(a, 51), at(b, 10000), at(other, 0)}},
			{"replace one weight", replace(at(a, 51), at(b, 9999), at(other, 0)), 1, []route.Module{m}, []store.Entry{at(a, 51), at(b, 9999), at(other, 0)}},
			{"replace with the same", replace(at(a, 51), at(b, 9999), at(other, 0)), 0, nil, []store.Entry{at(a, 51), at(b, 9999), at(other, 0)}},
			{"replace without weights", replace(a, at(b, 9999), other), 2, []route.Module{m, other.Module}, []store.Entry{a, at(b, 9999), other}},
		} {
			before := mustRevision(t, st)
			if got, err := step.do(); err != nil || got != step.want {
				t.Errorf("%s: %v, %v, want %v", step.name, got, err, step.want)
			}
			if after := mustRevision(t, st); (after != before) != (step.changed != nil) {
				t.Errorf("%s: the revision went from %+v to %+v", step.name, before, after)
			}
			if got := mustChanged(t, st, before); !slices.Equal(got, step.changed) {
				t.Errorf("%s: changed = %v, want %v", step.name, got, step.changed)
			}
			if got := mustList(t, st); !slices.Equal(got, step.left) {
				t.Errorf("%s: routes = %v, want %v", step.name, got, step.left)
			}
		}
	})
}

func TestRefusedWeights(t *testing.T) {
	m := route.Module{ModID: 1, CmdID: 1}
	onStores(t, func(t *testing.T, st *store.Store, raw *sql.DB) {
		here := entry(1, 1, "10.0.0.1:80")
		mustAdd(t, st, here)
		before := mustRevision(t, st)
		_, err := st.SetWeight(t.Context(), m, []route.Host{here.Host, entry(1, 1, "10.0.0.9:80").Host, entry(1, 1, "10.0.0.8:80").Host}, 5)
		if !errors.Is(err, store.ErrNotInRoute) || !strings.Contains(err.Error(), "(1,1): [10.0.0.8:80 10.0.0.9:80]") {
			t.Errorf("hosts that are not there: %v", err)
		}
		var many []route.Host
		for _, e := range manyHosts(m, 100, 15) {
			many = append(many, e.Host)
		}
		if _, err := st.SetWeight(t.Context(), m, many, 5); !errors.Is(err, store.ErrNotInRoute) || !strings.Contains(err.Error(), "10.0.0.109:80] and 5 more") {
			t.Errorf("many hosts that are not there: %v", err)
		}
		if _, err := st.SetWeight(t.Context(), m, []route.Host{here.Host}, route.MaxWeight+1); err == nil || !strings.Contains(err.Error(), "a weight is 0 to 10000, not 10001") {
			t.Errorf("a weight too large: %v", err)
		}
		for _, c := range []struct {
			entries []store.Entry
			says    string
		}{
			{[]store.Entry{here, weighted(1, 2, "10.0.0.1:80", 10001)}, "10.0.0.1:80 of module (1,2): a weight is 0 to 10000, not 10001"},
			{[]store.Entry{weighted(1, 1, "10.0.0.1:80", 0), here, weighted(1, 1, "10.0.0.1:80", 7)}, "10.0.0.1:80 of module (1,1) is given two weights"},
		} {
			if _, err := st.AddHosts(t.Context(), c.entries); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("AddHosts() = %v, want %q", err, c.says)
			}
			if _, err := st.ReplaceRoutes(t.Context(), c.entries); err == nil || !strings.Contains(err.Error(), c.says) {
				t.Errorf("ReplaceRoutes() = %v, want %q", err, c.says)
			}
		}
		if got := mustList(t, st); !slices.Equal(got, []store.Entry{here}) || mustRevision(t, st) != before {
			t.Errorf("changed all the same: %v", got)
		}
	})
}

// Of duplicate rows the first by id has the weight that counts; writers give
// it to all of them, and tell readers only if the first one changed.
func TestWeightsOfDuplicateRows(t *testing.T) {
	e := entry(1, 1, "10.0.0.1:80")
	rows := func(t *testing.T, raw *sql.DB) []string {
		return mustQuery(t, raw, "SELECT id, weight FROM RouteData ORDER BY id")
	}
	onStores(t, func(t *testing.T, st *store.Store, raw *sql.DB) {
		mustExec(t, raw, "INSERT INTO RouteData (id, modid, cmdid, serverip, serverport, weight) VALUES (5,1,1,167772161,80,5), (2,1,1,167772161,80,2), (9,1,1,167772161,80,9)")
		want := weighted(1, 1, "10.0.0.1:80", 2)
		if got := mustList(t, st); !slices.Equal(got, []store.Entry{want}) {
			t.Errorf("ListRoutes() = %v", got)
		}
		before := mustRevision(t, st)
		if added, err := st.AddHosts(t.Context(), []store.Entry{want}); err != nil || added != (store.Added{}) {
			t.Errorf("AddHosts() with the weight of the first = %v, %v", added, err)
		}
		if got := rows(t, raw); !slices.Equal(got, []string{"2 2", "5 2", "9 2"}) {
			t.Errorf("rows = %q", got)
		}
		if n, err := st.SetWeight(t.Context(), e.Module, []route.Host{e.Host}, 8); err != nil || n != 1 {
			t.Errorf("SetWeight() = %d, %v", n, err)
		}
		if got := rows(t, raw); !slices.Equal(got, []string{"2 8", "5 8", "9 8"}) {
			t.Errorf("rows = %q", got)
		}
		if got := mustChanged(t, st, before); !slices.Equal(got, []route.Module{e.Module}) {
			t.Errorf("changed = %v", got)
		}
		if n, err := st.ReplaceRoutes(t.Context(), []store.Entry{weighted(1, 1, "10.0.0.1:80", 3)}); err != nil || n != 1 {
			t.Errorf("ReplaceRoutes() = %d, %v", n, err)
		}
		if got := rows(t, raw); !slices.Equal(got, []string{"2 3"}) {
			t.Errorf("rows = %q", got)
		}
	})
}

// A column that an operator added before us is taken as it is. What it holds
// that is no weight is read as the nearest one.
func TestColumnThatIsThereAlready(t *testing.T) {
	onEngines(t, func(t *testing.T, cfg store.Config) {
		raw := openRaw(t, cfg)
		mustExec(t, raw, lars1Tables[cfg.Driver]...)
		mustExec(t, raw, "ALTER TABLE RouteData ADD COLUMN Weight int(11)",
			"INSERT INTO RouteData (id, modid, cmdid, serverip, serverport, weight) VALUES (1,1,1,1,80,-5), (2,1,1,2,80,NULL), (3,1,1,3,80,10001), (4,1,1,4,80,0)")
		st := open(t, cfg)
		if _, to, err := st.Migrate(t.Context()); err != nil || to < 3 {
			t.Fatalf("Migrate() = %d, %v", to, err)
		}
		var stored []int64
		var nodes []route.Node
		for _, r := range readAll(t, func(fn func(store.RouteRow) error) error { return st.ReadRoutes(t.Context(), fn) }) {
			n, _ := r.Node()
			stored, nodes = append(stored, r.Weight), append(nodes, n)
		}
		if want := []int64{-5, 100, 10001, 0}; !slices.Equal(stored, want) {
			t.Errorf("stored weights are %v, want %v", stored, want)
		}
		if want := []route.Node{{IP: 1, Port: 80}, {IP: 2, Port: 80, Weight: 100}, {IP: 3, Port: 80, Weight: 10000}, {IP: 4, Port: 80}}; !slices.Equal(nodes, want) {
			t.Errorf("nodes are %v, want %v", nodes, want)
		}
		// The rows are mended, and nobody is told of what is no change.
		before := mustRevision(t, st)
		if n, err := st.SetWeight(t.Context(), route.Module{ModID: 1, CmdID: 1}, []route.Host{nodes[0].Host(), nodes[3].Host()}, 0); err != nil || n != 0 {
			t.Errorf("SetWeight() = %d, %v", n, err)
		}
		if got := mustQuery(t, raw, "SELECT weight FROM RouteData WHERE id = 1"); got[0] != "0" || len(mustChanged(t, st, before)) != 0 {
			t.Errorf("weight %q", got)
		}
		useEverything(t, st)
	})
}

// The table is another one after an old backup was restored: the first read
// may fail, the next one must not.
func TestReadAfterTheWeightsAreGone(t *testing.T) {
	onStores(t, func(t *testing.T, st *store.Store, raw *sql.DB) {
		e := weighted(1, 1, "10.0.0.1:80", 7)
		mustAdd(t, st, e)
		mustExec(t, raw, "ALTER TABLE RouteData DROP COLUMN weight")
		_ = st.ReadRoutes(t.Context(), ignoreRow)
		if got := mustList(t, st); !slices.Equal(got, []store.Entry{{Module: e.Module, Host: e.Host}}) {
			t.Errorf("ListRoutes() = %v", got)
		}
	})
}
