package store_test

import (
	"database/sql"
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/eventually"
	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/store"
)

func mustStatuses(t *testing.T, st *store.Store) []store.Status {
	t.Helper()
	list, err := st.ListStatuses(t.Context(), store.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

// The newest report of a key stays, the later one of two with the same time.
func TestSaveStatusesNewestWins(t *testing.T) {
	at := func(ts, succ uint32, overload bool) store.Status {
		return store.Status{Module: route.Module{ModID: -1, CmdID: 1}, Host: entry(1, 1, "192.168.1.177:7777").Host,
			Caller: 3232235777, Succ: succ, Err: succ + 1, TS: ts, Overload: overload}
	}
	onStores(t, func(t *testing.T, st *store.Store, raw *sql.DB) {
		for _, c := range []struct {
			save []store.Status
			want store.Status
		}{
			{nil, store.Status{}},
			{[]store.Status{at(100, 1, true)}, at(100, 1, true)},
			{[]store.Status{at(99, 2, false)}, at(100, 1, true)},
			{[]store.Status{at(100, 3, false)}, at(100, 3, false)},
			{[]store.Status{at(101, 4, true)}, at(101, 4, true)},
			{[]store.Status{at(102, 5, false), at(102, 6, true)}, at(102, 6, true)},
			{[]store.Status{at(104, 7, true), at(103, 8, false)}, at(104, 7, true)},
		} {
			if err := st.SaveStatuses(t.Context(), c.save); err != nil {
				t.Fatal(err)
			}
			got := mustStatuses(t, st)
			if c.save == nil && len(got) == 0 {
				continue
			}
			if !slices.Equal(got, []store.Status{c.want}) {
				t.Errorf("after %+v: %+v\nwant %+v", c.save, got, c.want)
			}
		}
		if got := mustQuery(t, raw, "SELECT * FROM ServerCallStatus"); !slices.Equal(got, []string{"-1 1 3232235953 7777 3232235777 7 8 104 1"}) {
			t.Errorf("stored as %q", got)
		}
	})
}

// Keys that differ in one part only are different; the extremes of every
// number come back, counts as far as the table can hold them.
func TestSaveStatusesKeysAndExtremes(t *testing.T) {
	onStores(t, func(t *testing.T, st *store.Store, raw *sql.DB) {
		var want []store.Status
		for _, n := range []int32{math.MinInt32, -1, 0, math.MaxInt32} {
			for _, ip := range []uint32{1, math.MaxInt32 + 1, math.MaxUint32} {
				for _, port := range []uint16{1, math.MaxUint16} {
					for _, caller := range []uint32{0, math.MaxUint32} {
						want = append(want, store.Status{Module: route.Module{ModID: n, CmdID: n}, Host: route.Host{IP: ip, Port: port},
							Caller: caller, Succ: math.MaxInt32, Err: math.MaxInt32, TS: math.MaxUint32, Overload: caller == 0})
					}
				}
			}
		}
		save := slices.Clone(want)
		for i := range save {
			save[i].Succ, save[i].Err = math.MaxUint32, math.MaxInt32+1
		}
		if err := st.SaveStatuses(t.Context(), save); err != nil {
			t.Fatal(err)
		}
		if got := mustStatuses(t, st); !slices.Equal(got, want) {
			t.Errorf("ListStatuses() = %+v\nwant %+v", got, want)
		}
	})
}

// Rows that other programs wrote and no host could be, are left out.
func TestListStatusesSkipsImpossible(t *testing.T) {
	onStores(t, func(t *testing.T, st *store.Store, raw *sql.DB) {
		mustExec(t, raw, "INSERT INTO ServerCallStatus VALUES (1,1,0,80,1,1,1,1,'0'), (1,1,1,70000,1,1,1,1,'0'), (1,1,1,80,1,1,1,1,'0')")
		if got := mustStatuses(t, st); len(got) != 1 {
			t.Errorf("ListStatuses() = %+v", got)
		}
	})
}

// Several reporters save the same keys at once, in different orders.
func TestSaveStatusesConcurrently(t *testing.T) {
	const reporters, keys = 6, 1300 // several statements each
	onStores(t, func(t *testing.T, st *store.Store, raw *sql.DB) {
		var wg sync.WaitGroup
		for r := range uint32(reporters) {
			wg.Go(func() {
				batch := make([]store.Status, keys)
				for i := range batch {
					k := uint32(i)
					if r%2 == 1 {
						k = keys - 1 - k
					}
					batch[i] = store.Status{Module: route.Module{ModID: 1}, Host: route.Host{IP: 1 + k, Port: 1}, Succ: r, TS: 100 + r}
				}
				if err := st.SaveStatuses(t.Context(), batch); err != nil {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		got := mustStatuses(t, st)
		if len(got) != keys {
			t.Fatalf("%d rows, want %d", len(got), keys)
		}
		for _, s := range got {
			if s.TS != 100+reporters-1 || s.Succ != reporters-1 {
				t.Fatalf("an older report stayed: %+v", s)
			}
		}
	})
}

// A deadlock with another program's transaction is overcome.
func TestSaveStatusesAfterDeadlock(t *testing.T) {
	cfg := newMariaDB(t)
	st, raw := open(t, cfg), openRaw(t, cfg)
	if _, _, err := st.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	batch := make([]store.Status, 400)
	for i := range batch {
		batch[i] = store.Status{Host: route.Host{IP: uint32(1 + i), Port: 1}, TS: 1}
	}
	if err := st.SaveStatuses(t.Context(), batch); err != nil {
		t.Fatal(err)
	}
	tx, err := raw.Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer tx.Rollback()
	// It holds the second row and will want the first. Of two transactions the
	// one that changed fewer rows is the victim.
	if _, err := tx.Exec("UPDATE ServerCallStatus SET succ_cnt = 7 WHERE modid = 0 AND cmdid = 0 AND ip > 1"); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- st.SaveStatuses(t.Context(), batch[:2]) }()
	eventually.True(t, 10*time.Second, "the store waits for the other transaction", func() bool {
		return mustQuery(t, raw, "SELECT variable_value FROM information_schema.global_status WHERE variable_name = 'Innodb_row_lock_current_waits'")[0] != "0"
	})
	if _, err := tx.Exec("UPDATE ServerCallStatus SET succ_cnt = 7 WHERE modid = 0 AND cmdid = 0 AND ip = 1"); err != nil {
		t.Fatal(err)
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// The table is another one after the database was made anew: the first save
// may fail, the next one must not.
func TestSaveStatusesAfterTheTableChanged(t *testing.T) {
	cfg := newMariaDB(t)
	st, raw := open(t, cfg), openRaw(t, cfg)
	if _, _, err := st.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	want := []store.Status{{Host: entry(1, 1, "192.168.1.177:1").Host, TS: 1}}
	if err := st.SaveStatuses(t.Context(), want); err != nil {
		t.Fatal(err)
	}
	mustExec(t, raw, "DELETE FROM ServerCallStatus", "ALTER TABLE ServerCallStatus MODIFY ip int(11) NOT NULL")
	if err := st.SaveStatuses(t.Context(), want); err == nil {
		t.Error("a number was saved that does not fit")
	}
	if err := st.SaveStatuses(t.Context(), want); err != nil {
		t.Error(err)
	}
	if got := mustStatuses(t, st); !slices.Equal(got, want) {
		t.Errorf("ListStatuses() = %+v", got)
	}
}
