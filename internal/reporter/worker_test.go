package reporter_test

import (
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/reporter"
	"github.com/lars-lb/lars/internal/store"
)

// Many reports make few statements: a worker gathers, and a batch is bounded.
func TestBatches(t *testing.T) {
	const keys, rows = 2500, 100
	st := newFakeStore()
	cfg := testConfig()
	cfg.DBThreads, cfg.BatchRows, cfg.EnoughRows = 2, rows, rows
	cfg.FlushInterval = time.Minute // full batches do not wait for it
	r := serve(t, cfg, st)
	var stream []byte
	for n := range uint32(keys) {
		stream = append(stream, report(t, status(n, 1))...)
	}
	dial(t, r).send(stream)
	r.await("all but the last batches saved", func(s reporter.Stats) bool { return s.Results == keys && s.Pending < 2*rows })
	if err := r.end(); err != nil { // saves the rest
		t.Fatal(err)
	}
	sum := 0
	sizes := st.sizes()
	for _, n := range sizes {
		if n > rows {
			t.Errorf("a batch of %d rows", n)
		}
		sum += n
	}
	if sum != keys || len(sizes) > keys/rows*3 {
		t.Errorf("%d rows in %d batches: %v", sum, len(sizes), sizes)
	}
}

// Under load no key is ever written by two workers at a time, and each ends
// up with its newest result.
func TestOneKeyOneWorker(t *testing.T) {
	const agents, rounds, hosts = 6, 150, 20
	st := newFakeStore()
	cfg := testConfig()
	cfg.DBThreads, cfg.BatchRows, cfg.EnoughRows, cfg.FlushInterval = 8, 3, 3, time.Millisecond
	r := serve(t, cfg, st)
	var wg sync.WaitGroup
	for range agents {
		a := dial(t, r)
		wg.Go(func() {
			for ts := range uint32(rounds) {
				results := make([]store.Status, hosts)
				for n := range results {
					results[n] = status(uint32(n), 1+ts)
				}
				if _, err := a.Write(report(t, results...)); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	r.awaitResults(agents * rounds * hosts)
	r.awaitSaved()
	if st.overlap {
		t.Error("two workers wrote one key at the same time")
	}
	for n := range uint32(hosts) {
		if got, want := st.row(status(n, 1)), status(n, rounds); got != want {
			t.Errorf("saved %+v, want %+v", got, want)
		}
	}
}

// A newer result that arrives while an older one of its key is being saved is
// saved too, whether the older one made it or not.
func TestNewerWhileSaving(t *testing.T) {
	for name, err := range map[string]error{"saved": nil, "failed": errors.New("gone away")} {
		t.Run(name, func(t *testing.T) {
			st := newGatedStore()
			r := serve(t, testConfig(), st)
			a := dial(t, r)
			a.send(report(t, status(1, 10)))
			<-st.arrived
			a.send(report(t, status(1, 11)))
			r.awaitResults(2)
			a.send(report(t, status(1, 9))) // and an old one does no harm
			r.awaitResults(3)
			st.set(err)
			st.gate <- struct{}{}
			<-st.arrived
			st.set(nil)
			close(st.gate)
			r.awaitSaved()
			if got, want := st.row(status(1, 11)), status(1, 11); got != want {
				t.Errorf("saved %+v, want %+v", got, want)
			}
			if s := r.Stats(); s.Replaced != 1 || s.DroppedStale != 1 {
				t.Errorf("Stats() = %+v", s)
			}
		})
	}
}

// The bound on keys holds over all workers. Beyond it new keys are dropped and
// counted, known ones are still updated, and room comes back.
func TestMaxPending(t *testing.T) {
	const room = 10
	st := newFakeStore()
	st.set(errors.New("the database is away"))
	cfg := testConfig()
	cfg.MaxPending = room
	r := serve(t, cfg, st)
	a := dial(t, r)
	for n := range uint32(room + 7) {
		a.send(report(t, status(n, 1)))
	}
	r.awaitResults(room + 7)
	for n := range uint32(room) {
		a.send(report(t, status(n, 2)))
	}
	r.awaitResults(room + 7 + room)
	if s := r.Stats(); s.Pending != room || s.DroppedFull != 7 || s.Replaced != room {
		t.Errorf("Stats() = %+v", s)
	}
	if n := r.log.count("dropped="); n != 1 {
		t.Errorf("%d records of dropped results, want 1", n)
	}
	st.set(nil)
	r.awaitSaved()
	for n := range uint32(room) {
		if got, want := st.row(status(n, 2)), status(n, 2); got != want {
			t.Errorf("saved %+v, want %+v", got, want)
		}
	}
	a.send(report(t, status(room+1, 3)))
	r.awaitResults(room + 7 + room + 1)
	r.awaitSaved()
	if got, want := st.row(status(room+1, 3)), status(room+1, 3); got != want {
		t.Errorf("after the database came back: saved %+v, want %+v", got, want)
	}
}

// Serve saves what it has when it ends, without waiting for FlushInterval.
func TestEndSaves(t *testing.T) {
	onStores(t, func(t *testing.T, st *store.Store) {
		cfg := testConfig()
		cfg.FlushInterval = time.Minute
		r := serve(t, cfg, st)
		dial(t, r).send(report(t, status(1, 1), status(2, 1), status(3, 1)))
		r.awaitResults(3)
		if err := r.end(); err != nil {
			t.Fatal(err)
		}
		if got := statuses(t, st); len(got) != 3 {
			t.Errorf("saved %+v", got)
		}
	})
}

// A database that does not take the last results does not keep Serve, which
// says how many are lost.
func TestEndWithoutDatabase(t *testing.T) {
	down := newFakeStore()
	down.set(errors.New("the database is away"))
	for name, st := range map[string]*fakeStore{"fails": down, "hangs": newGatedStore()} {
		t.Run(name, func(t *testing.T) {
			cfg := testConfig()
			cfg.DrainTimeout = 50 * time.Millisecond
			r := serve(t, cfg, st)
			dial(t, r).send(report(t, status(1, 1), status(2, 1), status(3, 1)))
			r.awaitResults(3)
			if err := r.end(); err == nil || !strings.Contains(err.Error(), "3 keys are lost") {
				t.Errorf("Serve = %v", err)
			}
		})
	}
}

// With nothing to save, Serve does not wait for a database that is away.
func TestEndWithNothingPending(t *testing.T) {
	st := newFakeStore()
	st.set(errors.New("the database is away"))
	cfg := testConfig()
	cfg.DrainTimeout = time.Minute
	if err := serve(t, cfg, st).end(); err != nil {
		t.Errorf("Serve = %v", err)
	}
}

// A save that fails while the reporter ends is tried again within the time.
func TestEndTriesAgain(t *testing.T) {
	st := newGatedStore()
	cfg := testConfig()
	cfg.DrainTimeout = soon
	r := serve(t, cfg, st)
	dial(t, r).send(report(t, status(1, 1)))
	<-st.arrived
	r.stop()
	st.set(errors.New("gone away"))
	st.gate <- struct{}{}
	<-st.arrived
	st.set(nil)
	st.gate <- struct{}{}
	if err := r.end(); err != nil {
		t.Errorf("Serve = %v", err)
	}
	if got, want := st.row(status(1, 1)), status(1, 1); got != want {
		t.Errorf("saved %+v, want %+v", got, want)
	}
}

func TestClose(t *testing.T) {
	// Close alone releases everything, TestMain sees to that.
	r, err := reporter.New(testConfig(), newFakeStore(), quiet())
	if err != nil {
		t.Fatal(err)
	}
	r.Close()
	r.Close()

	served := serve(t, testConfig(), newFakeStore())
	served.Close()
	<-served.ended
	served.Close()
	if served.err != nil {
		t.Errorf("Serve = %v", served.err)
	}
}

func TestAddressInUse(t *testing.T) {
	r := serve(t, testConfig(), newFakeStore())
	cfg := testConfig()
	cfg.Listen = r.Addr()
	if _, err := reporter.New(cfg, newFakeStore(), quiet()); err == nil || !strings.Contains(err.Error(), r.Addr().String()) {
		t.Errorf("New() on a taken address = %v", err)
	}
}

func TestMaxConn(t *testing.T) {
	cfg := testConfig()
	cfg.MaxConn = 1
	r := serve(t, cfg, newFakeStore())
	first := dial(t, r)
	first.send(report(t, status(1, 1)))
	r.awaitResults(1)
	second := dial(t, r)
	if _, err := second.Read(make([]byte, 1)); err == nil {
		t.Error("a connection beyond MaxConn was answered")
	}
	first.send(report(t, status(2, 1)))
	r.awaitResults(2)
	if s := r.Stats(); s.TCP.RejectedMaxConn != 1 {
		t.Errorf("Stats() = %+v", s)
	}
}

func TestConfigValidate(t *testing.T) {
	valid := reporter.DefaultConfig()
	if err := valid.Validate(); err != nil {
		t.Errorf("the default: %v", err)
	}
	for name, set := range map[string]func(*reporter.Config){
		"Listen":           func(c *reporter.Config) { c.Listen = reporter.Config{}.Listen },
		"MaxConn":          func(c *reporter.Config) { c.MaxConn = 0 },
		"Threads":          func(c *reporter.Config) { c.Threads = 257 },
		"DBThreads":        func(c *reporter.Config) { c.DBThreads = 65 },
		"FlushInterval":    func(c *reporter.Config) { c.FlushInterval = 0 },
		"BatchRows":        func(c *reporter.Config) { c.BatchRows = -1 },
		"EnoughRows":       func(c *reporter.Config) { c.EnoughRows = 0 },
		"MaxPending":       func(c *reporter.Config) { c.MaxPending = 0 },
		"MaxQueued":        func(c *reporter.Config) { c.MaxQueued = 0 },
		"HistoryRetention": func(c *reporter.Config) { c.HistoryRetention = time.Minute },
		"DrainTimeout":     func(c *reporter.Config) { c.DrainTimeout = time.Hour },
	} {
		cfg := reporter.DefaultConfig()
		set(&cfg)
		if err := cfg.Validate(); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("a bad %s: %v", name, err)
		}
		if s, err := reporter.New(cfg, newFakeStore(), quiet()); err == nil {
			s.Close()
			t.Errorf("New() with a bad %s succeeded", name)
		}
	}
}

var _ reporter.Store = (*store.Store)(nil)
