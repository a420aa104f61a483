package store_test

import (
	"database/sql"
	"math"
	"math/rand/v2"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/store"
)

func report(a store.Agent, seq uint64, ts uint32, results ...store.Result) store.Report {
	return store.Report{Agent: a, Seq: seq, Module: route.Module{ModID: -1, CmdID: 2}, TS: ts, Results: results}
}

func mustSave(t *testing.T, st *store.Store, reports ...store.Report) store.Saved {
	t.Helper()
	saved, err := st.SaveReports(t.Context(), reports, true)
	if err != nil {
		t.Fatal(err)
	}
	return saved
}

var theHost = route.Host{IP: 3232235953, Port: 7777}

// Counts add up within a minute, and the newest report is the status. A report
// that comes again changes nothing.
func TestSaveReports(t *testing.T) {
	a := store.Agent{Caller: 3232235777, BootID: math.MaxUint64}
	b := store.Agent{Caller: 0, BootID: 1}
	onStores(t, func(t *testing.T, st *store.Store, raw *sql.DB) {
		first := []store.Report{
			report(a, 1, 1199, store.Result{Host: theHost, Succ: 5, Err: 1}),
			report(a, 2, 1200, store.Result{Host: theHost, Succ: 7, Overload: true}),
			report(b, 9, 1201, store.Result{Host: theHost, Succ: math.MaxUint32, Err: math.MaxUint32}),
			report(a, 3, 1259, store.Result{Host: theHost, Err: 2}),
		}
		if got := mustSave(t, st, first...); got != (store.Saved{Rows: 3}) {
			t.Errorf("saved %+v", got)
		}
		for _, again := range [][]store.Report{first, first[:1], first[3:]} {
			if got := mustSave(t, st, again...); got != (store.Saved{Duplicates: len(again)}) {
				t.Errorf("saved again: %+v", got)
			}
		}
		if got := mustSave(t, st, first[3], report(a, 4, 1260, store.Result{Host: theHost})); got != (store.Saved{Duplicates: 1}) {
			t.Errorf("saved one new, without a call: %+v", got)
		}
		want := []string{"1140 -1 2 3232235953 7777 3232235777 5 1", "1200 -1 2 3232235953 7777 0 4294967295 4294967295", "1200 -1 2 3232235953 7777 3232235777 7 2"}
		if got := mustQuery(t, raw, "SELECT * FROM CallHistory ORDER BY minute, caller"); !slices.Equal(got, want) {
			t.Errorf("history %q, want %q", got, want)
		}
		want = []string{"-1 2 3232235953 7777 0 2147483647 2147483647 1201 0", "-1 2 3232235953 7777 3232235777 0 0 1260 0"}
		if got := mustQuery(t, raw, "SELECT * FROM ServerCallStatus ORDER BY caller"); !slices.Equal(got, want) {
			t.Errorf("statuses %q, want %q", got, want)
		}
		want = []string{"0 1 9", "3232235777 -1 4"}
		if got := mustQuery(t, raw, "SELECT caller, boot_id, seq FROM ReportSequence ORDER BY caller"); !slices.Equal(got, want) {
			t.Errorf("sequences %q, want %q", got, want)
		}
	})
}

func TestSaveReportsWithoutHistory(t *testing.T) {
	onStores(t, func(t *testing.T, st *store.Store, raw *sql.DB) {
		r := report(store.Agent{Caller: 1, BootID: 1}, 1, 60, store.Result{Host: theHost, Succ: 5})
		for range 2 {
			if _, err := st.SaveReports(t.Context(), []store.Report{r}, false); err != nil {
				t.Fatal(err)
			}
		}
		if got := mustQuery(t, raw, "SELECT COUNT(*) FROM CallHistory"); got[0] != "0" {
			t.Errorf("%s rows of history", got[0])
		}
		if got := mustStatuses(t, st); len(got) != 1 || got[0].Succ != 5 {
			t.Errorf("statuses %+v", got)
		}
	})
}

// Whatever is given again, by whom and when, each report counts once: several
// processes save what agents send in order and, not knowing how far they came,
// begin again from an earlier report.
func TestSaveReportsIsExact(t *testing.T) {
	const agents, processes, last = 4, 3, 60
	onEngines(t, func(t *testing.T, cfg store.Config) {
		if _, _, err := open(t, cfg).Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		var mu sync.Mutex
		acknowledged := make([]uint64, agents)
		var running sync.WaitGroup
		for p := range processes {
			st := open(t, cfg)
			random := rand.New(rand.NewPCG(uint64(p), 7))
			running.Go(func() {
				for {
					var batch []store.Report
					mu.Lock()
					for a := range agents {
						from := acknowledged[a]
						from -= min(from, random.Uint64N(5)) // what an agent sends again
						for seq := from + 1; seq <= min(last, from+1+random.Uint64N(8)); seq++ {
							batch = append(batch, report(store.Agent{Caller: uint32(a), BootID: uint64(a) + 1}, seq, uint32(seq*7),
								store.Result{Host: theHost, Succ: uint32(seq), Err: 1}))
						}
					}
					done := slices.Min(acknowledged) == last
					mu.Unlock()
					if done {
						return
					}
					if _, err := st.SaveReports(t.Context(), batch, true); err != nil {
						t.Error(err)
						return
					}
					mu.Lock()
					for _, r := range batch {
						a := r.Agent.Caller
						acknowledged[a] = max(acknowledged[a], r.Seq)
					}
					mu.Unlock()
				}
			})
		}
		running.Wait()
		got, err := open(t, cfg).ListHistory(t.Context(), store.Filter{}, time.Unix(0, 0), time.Unix(1e6, 0), store.HistoryKey{Caller: true})
		if err != nil {
			t.Fatal(err)
		}
		if len(got) != agents {
			t.Fatalf("history of %d agents, want %d", len(got), agents)
		}
		for _, h := range got {
			if h.Succ != last*(last+1)/2 || h.Err != last {
				t.Errorf("agent %d: %d and %d calls, want %d and %d", h.Caller, h.Succ, h.Err, last*(last+1)/2, last)
			}
		}
	})
}

func TestListHistory(t *testing.T) {
	at := func(sec int64) time.Time { return time.Unix(sec, 0) }
	other := route.Host{IP: 1, Port: 2}
	onStores(t, func(t *testing.T, st *store.Store, _ *sql.DB) {
		a, b := store.Agent{Caller: 1, BootID: 1}, store.Agent{Caller: 2, BootID: 1}
		mustSave(t, st,
			report(a, 1, 3599, store.Result{Host: theHost, Succ: 1}),
			report(a, 2, 3600, store.Result{Host: theHost, Succ: 10}, store.Result{Host: other, Err: 3}),
			report(b, 1, 3660, store.Result{Host: theHost, Succ: 100}))
		m := route.Module{ModID: -1, CmdID: 2}
		for _, c := range []struct {
			since, until time.Time
			by           store.HistoryKey
			want         []store.History
		}{
			{at(0), at(7200), store.HistoryKey{}, []store.History{{Module: m, Succ: 111, Err: 3}}},
			{at(3600), at(7200), store.HistoryKey{}, []store.History{{Module: m, Succ: 110, Err: 3}}},
			{at(3600), at(3660), store.HistoryKey{}, []store.History{{Module: m, Succ: 10, Err: 3}}},
			{at(7200), at(9000), store.HistoryKey{}, nil},
			{at(0), at(7200), store.HistoryKey{Step: time.Hour}, []store.History{
				{Time: at(0), Module: m, Succ: 1}, {Time: at(3600), Module: m, Succ: 110, Err: 3}}},
			{at(3600), at(7200), store.HistoryKey{Step: time.Minute, Host: true}, []store.History{
				{Time: at(3600), Module: m, Host: other, Err: 3}, {Time: at(3600), Module: m, Host: theHost, Succ: 10},
				{Time: at(3660), Module: m, Host: theHost, Succ: 100}}},
			{at(0), at(7200), store.HistoryKey{Caller: true}, []store.History{
				{Module: m, Caller: 1, Succ: 11, Err: 3}, {Module: m, Caller: 2, Succ: 100}}},
		} {
			got, err := st.ListHistory(t.Context(), store.Filter{}, c.since, c.until, c.by)
			if err != nil || !slices.Equal(got, c.want) {
				t.Errorf("from %v to %v by %+v: %+v, %v\nwant %+v", c.since.Unix(), c.until.Unix(), c.by, got, err, c.want)
			}
		}
	})
}

// Old rows go, in more than one step; others stay.
func TestPruneHistory(t *testing.T) {
	now := time.Now().Unix()
	onStores(t, func(t *testing.T, st *store.Store, raw *sql.DB) {
		a := store.Agent{Caller: 1, BootID: 1}
		for i := range uint64(3) {
			results := make([]store.Result, 400)
			for j := range results {
				results[j] = store.Result{Host: route.Host{IP: uint32(j + 1), Port: uint16(i + 1)}, Succ: 1}
			}
			mustSave(t, st, report(a, i+1, uint32(now-7200), results...))
		}
		mustSave(t, st, report(a, 4, uint32(now), store.Result{Host: theHost, Succ: 1}))
		if n, err := st.PruneHistory(t.Context(), time.Hour); err != nil || n != 1200 {
			t.Errorf("PruneHistory() = %d, %v", n, err)
		}
		if got := mustQuery(t, raw, "SELECT COUNT(*) FROM CallHistory"); got[0] != "1" {
			t.Errorf("%s rows are left", got[0])
		}
		mustExec(t, raw, "INSERT INTO ReportSequence (caller, boot_id, seq, seen) VALUES (7, 7, 7, 1000)")
		if n, err := st.PruneSequences(t.Context(), 24*time.Hour); err != nil || n != 1 {
			t.Errorf("PruneSequences() = %d, %v", n, err)
		}
		if got := mustSave(t, st, report(a, 4, uint32(now), store.Result{Host: theHost, Succ: 1})); got.Duplicates != 1 {
			t.Errorf("an agent that is seen was forgotten: %+v", got)
		}
	})
}

// The modules that are asked for, and only these.
func TestListHistoryOfModules(t *testing.T) {
	onStores(t, func(t *testing.T, st *store.Store, _ *sql.DB) {
		var reports []store.Report
		for i, m := range []route.Module{{ModID: -1, CmdID: 2}, {ModID: -1, CmdID: -3}, {ModID: 4, CmdID: 2}} {
			reports = append(reports, store.Report{Agent: store.Agent{Caller: 1, BootID: 1}, Seq: uint64(i + 1), Module: m, TS: 60,
				Results: []store.Result{{Host: theHost, Succ: uint32(i + 1)}}})
		}
		mustSave(t, st, reports...)
		number := func(n int32) *int32 { return &n }
		for _, c := range []struct {
			filter store.Filter
			want   []uint64
		}{
			{store.Filter{}, []uint64{2, 1, 3}},
			{store.Filter{ModID: number(-1)}, []uint64{2, 1}},
			{store.Filter{ModID: number(-1), CmdID: number(2)}, []uint64{1}},
			{store.Filter{ModID: number(7)}, nil},
		} {
			list, err := st.ListHistory(t.Context(), c.filter, time.Unix(0, 0), time.Unix(120, 0), store.HistoryKey{})
			if err != nil {
				t.Fatal(err)
			}
			var got []uint64
			for _, h := range list {
				got = append(got, h.Succ)
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("%+v: %v, want %v", c.filter, got, c.want)
			}
		}
	})
}

// A database that has forgotten some goes on, and tells.
func TestSaveReportsAfterAGap(t *testing.T) {
	a := store.Agent{Caller: 1, BootID: 1}
	onStores(t, func(t *testing.T, st *store.Store, _ *sql.DB) {
		one := store.Result{Host: theHost, Succ: 1}
		for _, c := range []struct {
			seq  uint64
			want store.Saved
		}{
			{5, store.Saved{Rows: 1}}, // nothing is known of the agent
			{6, store.Saved{Rows: 1}},
			{8, store.Saved{Rows: 1, Gaps: 1}},
			{7, store.Saved{Duplicates: 1}},
			{9, store.Saved{Rows: 1}},
		} {
			if got := mustSave(t, st, report(a, c.seq, 60, one)); got != c.want {
				t.Errorf("report %d: %+v, want %+v", c.seq, got, c.want)
			}
		}
	})
}

// An agent whose clock is far ahead makes no minutes that stay for ever.
func TestSaveReportsFromTheFuture(t *testing.T) {
	onStores(t, func(t *testing.T, st *store.Store, raw *sql.DB) {
		now := time.Now().Unix()
		mustSave(t, st, report(store.Agent{Caller: 1, BootID: 1}, 1, math.MaxUint32, store.Result{Host: theHost, Succ: 1}),
			report(store.Agent{Caller: 2, BootID: 1}, 1, uint32(now+1800), store.Result{Host: theHost, Succ: 1}))
		minutes := mustQuery(t, raw, "SELECT minute FROM CallHistory ORDER BY caller")
		if len(minutes) != 2 {
			t.Fatalf("minutes %q", minutes)
		}
		if far, err := strconv.ParseInt(minutes[0], 10, 64); err != nil || far < now-60 || far > now+600 {
			t.Errorf("a report of the year 2106 counts in minute %d, want about %d", far, now)
		}
		if near := strconv.FormatInt(now+1800-(now+1800)%60, 10); minutes[1] != near {
			t.Errorf("a report half an hour ahead counts in minute %s, want %s", minutes[1], near)
		}
		if got := mustStatuses(t, st); len(got) != 2 || got[0].TS != math.MaxUint32 {
			t.Errorf("statuses %+v", got)
		}
	})
}

// Workers that have no agent in common do not wait for one another.
func TestSaveReportsOfDifferentAgents(t *testing.T) {
	const workers, agents, rounds = 4, 100, 40
	cfg := newMariaDB(t)
	st, raw := open(t, cfg), openRaw(t, cfg)
	if _, _, err := st.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	deadlocks := func() int {
		n, err := strconv.Atoi(mustQuery(t, raw, "SELECT variable_value FROM information_schema.global_status WHERE variable_name = 'Innodb_deadlocks'")[0])
		if err != nil {
			t.Fatal(err)
		}
		return n
	}
	before := deadlocks()
	var running sync.WaitGroup
	for w := range workers {
		running.Go(func() {
			for seq := uint64(1); seq <= rounds; seq++ {
				var batch []store.Report
				for a := w; a < agents; a += workers {
					if (a+int(seq))%2 == 0 {
						continue
					}
					batch = append(batch, report(store.Agent{Caller: uint32(a), BootID: 1}, seq, uint32(seq), store.Result{Host: theHost, Succ: 1}))
				}
				if _, err := st.SaveReports(t.Context(), batch, true); err != nil {
					t.Error(err)
				}
			}
		})
	}
	running.Wait()
	if n := deadlocks() - before; n > rounds/10 {
		t.Errorf("%d deadlocks in %d transactions", n, workers*rounds)
	}
}
