package store_test

import (
	"context"
	"database/sql"
	"errors"
	"slices"
	"sync"
	"testing"

	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/store"
)

func readAll(t *testing.T, read func(func(store.RouteRow) error) error) (rows []store.RouteRow) {
	t.Helper()
	err := read(func(r store.RouteRow) error {
		rows = append(rows, r)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return rows
}

// Rows come as they are stored, in the order of their ids: what to make of
// impossible ones and duplicates is the reader's affair.
func TestReadRoutes(t *testing.T) {
	onStores(t, func(t *testing.T, st *store.Store, raw *sql.DB) {
		mustExec(t, raw, `INSERT INTO RouteData (id, modid, cmdid, serverip, serverport) VALUES
			(5, 1, 1, 3232235953, 7777), (2, 1, 1, 0, 80), (3, 2, 1, 16909060, 0),
			(4, 4294967293, 2147483648, 16909060, 70000), (9, 1, 1, 3232235953, 7777)`)
		m := route.Module{ModID: 1, CmdID: 1}
		want := []store.RouteRow{
			{ID: 2, Module: m, IP: 0, Port: 80, Weight: 100},
			{ID: 3, Module: route.Module{ModID: 2, CmdID: 1}, IP: 16909060, Port: 0, Weight: 100},
			{ID: 4, Module: route.Module{ModID: -3, CmdID: -2147483648}, IP: 16909060, Port: 70000, Weight: 100},
			{ID: 5, Module: m, IP: 3232235953, Port: 7777, Weight: 100},
			{ID: 9, Module: m, IP: 3232235953, Port: 7777, Weight: 100},
		}
		got := readAll(t, func(fn func(store.RouteRow) error) error { return st.ReadRoutes(t.Context(), fn) })
		if !slices.Equal(got, want) {
			t.Errorf("ReadRoutes() = %+v\nwant %+v", got, want)
		}
		for _, c := range []struct {
			mods []route.Module
			want []store.RouteRow
		}{
			{nil, nil},
			{[]route.Module{{ModID: 1, CmdID: 2}}, nil},
			{[]route.Module{m, m}, []store.RouteRow{want[0], want[3], want[4]}},
			{[]route.Module{{ModID: -3, CmdID: -2147483648}, {ModID: 2, CmdID: 1}}, want[1:3]},
		} {
			got := readAll(t, func(fn func(store.RouteRow) error) error { return st.ReadModules(t.Context(), c.mods, fn) })
			if !slices.Equal(got, c.want) {
				t.Errorf("ReadModules(%v) = %+v\nwant %+v", c.mods, got, c.want)
			}
		}
	})
}

func TestReadManyModules(t *testing.T) {
	onStores(t, func(t *testing.T, st *store.Store, raw *sql.DB) {
		const n = 1001 // several statements
		var entries []store.Entry
		var mods []route.Module
		for i := range int32(n) {
			e := store.Entry{Module: route.Module{ModID: i % 7, CmdID: -i}, Host: route.Host{IP: 1, Port: 1}}
			entries, mods = append(entries, e), append(mods, e.Module, e.Module)
		}
		mustAdd(t, st, entries...)
		seen := make(map[route.Module]int)
		for _, r := range readAll(t, func(fn func(store.RouteRow) error) error { return st.ReadModules(t.Context(), mods, fn) }) {
			seen[r.Module]++
		}
		for _, e := range entries {
			if seen[e.Module] != 1 {
				t.Fatalf("module %v was read %d times", e.Module, seen[e.Module])
			}
		}
	})
}

func TestReadEndsEarly(t *testing.T) {
	onStores(t, func(t *testing.T, st *store.Store, raw *sql.DB) {
		mustAdd(t, st, manyHosts(route.Module{}, 1, 1000)...)
		enough := errors.New("enough")
		n := 0
		err := st.ReadRoutes(t.Context(), func(store.RouteRow) error {
			n++
			return enough
		})
		if !errors.Is(err, enough) || n != 1 {
			t.Errorf("after %d rows: %v", n, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		n = 0
		err = st.ReadRoutes(ctx, func(store.RouteRow) error {
			n++
			cancel()
			return nil
		})
		if !errors.Is(err, context.Canceled) || n != 1 {
			t.Errorf("cancelled at the first row, %d were read: %v", n, err)
		}
		// Reading does not keep writers out.
		var once sync.Once
		err = st.ReadRoutes(t.Context(), func(store.RouteRow) (err error) {
			once.Do(func() { _, err = st.RemoveModule(t.Context(), route.Module{}) })
			return err
		})
		if err != nil || len(mustList(t, st)) != 0 {
			t.Errorf("a write while reading: %v", err)
		}
	})
}

func TestListRoutes(t *testing.T) {
	one, two := int32(1), int32(2)
	a, b, c := entry(1, 1, "10.0.0.1:80"), entry(1, 2, "10.0.0.1:80"), entry(2, 1, "10.0.0.1:80")
	onStores(t, func(t *testing.T, st *store.Store, raw *sql.DB) {
		mustAdd(t, st, c, b, a)
		mustExec(t, raw, "INSERT INTO RouteData (modid, cmdid, serverip, serverport) VALUES (1, 1, 0, 80)")
		for _, l := range []struct {
			f    store.Filter
			want []store.Entry
		}{
			{store.Filter{}, []store.Entry{a, b, c}},
			{store.Filter{ModID: &one}, []store.Entry{a, b}},
			{store.Filter{CmdID: &one}, []store.Entry{a, c}},
			{store.Filter{ModID: &one, CmdID: &two}, []store.Entry{b}},
			{store.Filter{ModID: &two, CmdID: &two}, nil},
		} {
			if got := mustListFiltered(t, st, l.f); !slices.Equal(got, l.want) {
				t.Errorf("ListRoutes() = %v, want %v", got, l.want)
			}
		}
	})
}
