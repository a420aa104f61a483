package reporter_test

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lars-lb/lars/internal/mariadbtest"
	"github.com/lars-lb/lars/internal/reporter"
	"github.com/lars-lb/lars/internal/store"
)

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// Started while the database is down, the reporter takes reports at once, says
// what is missing, and saves when the database is there.
func TestStartWithoutDatabase(t *testing.T) {
	srv := mariadbtest.Start(t)
	st := openStore(t, srv.NewDatabase(t))
	if err := srv.Shutdown(); err != nil {
		t.Fatal(err)
	}
	r := serve(t, testConfig(), st)
	a := dial(t, r)
	want := []store.Status{status(1, 2), status(2, 2)}
	a.send(slices.Concat(report(t, status(1, 1), status(2, 1)), report(t, want...)))
	r.awaitResults(4)
	r.await("a failed attempt", func(s reporter.Stats) bool { return s.DBErrors > 2 })
	if s := r.Stats(); s.Pending != 2 || s.PendingMax != int64(testConfig().MaxPending) || s.DBFailing <= 0 {
		t.Errorf("Stats() = %+v", s)
	}
	if reasons := r.Explain(); len(reasons) != 1 || !strings.Contains(reasons[0], "those of 2 keys wait in memory") {
		t.Errorf("it says %q", reasons)
	}
	if r.log.count("database fails") != 1 || r.log.count(srv.Addr()) == 0 {
		t.Errorf("the log does not say once that the database is away:\n%s", &r.log.text)
	}
	if err := srv.Restart(); err != nil {
		t.Fatal(err)
	}
	r.awaitSaved()
	if got := statuses(t, st); !slices.Equal(got, want) {
		t.Errorf("saved %+v\nwant %+v", got, want)
	}
	if s := r.Stats(); s.DBFailing != 0 || r.Explain() != nil {
		t.Errorf("Stats() = %+v, and it says %q", s, r.Explain())
	}
	if r.log.count("database works again") != 1 || r.log.count("database is ready") != 1 {
		t.Errorf("the log does not say that the database is back:\n%s", &r.log.text)
	}
}

// Tables of an older version are written although nobody gave the right to
// migrate them.
func TestTablesThatMayNotBeMigrated(t *testing.T) {
	f := newFakeStore()
	f.denied = true
	r := serve(t, testConfig(), f)
	dial(t, r).send(report(t, status(1, 1)))
	r.awaitResults(1)
	r.awaitSaved()
	if r.log.count("older tables are written as they are") != 1 || r.log.count("database fails") != 0 {
		t.Errorf("the log does not say it:\n%s", &r.log.text)
	}
}

// The database is stopped, and then killed, under load. Agents notice nothing,
// and afterwards the newest result of each key that was taken is there.
func TestDatabaseRestartsUnderLoad(t *testing.T) {
	const agents, hosts = 4, 50
	srv := mariadbtest.Start(t)
	st := openStore(t, srv.NewDatabase(t))
	r := serve(t, testConfig(), st)

	stop := make(chan struct{})
	var wg sync.WaitGroup
	last := make([]uint32, agents) // the ts that each agent sent last
	for i := range agents {
		a := dial(t, r)
		wg.Go(func() {
			pace := time.NewTicker(time.Millisecond)
			defer pace.Stop()
			for ts := uint32(1); ; ts++ {
				results := make([]store.Status, hosts)
				for n := range results {
					results[n] = status(uint32(i*hosts+n), ts)
				}
				if _, err := a.Write(report(t, results...)); err != nil {
					t.Errorf("agent %d: %v", i, err)
					return
				}
				last[i] = ts
				select {
				case <-stop:
					return
				case <-pace.C:
				}
			}
		})
	}
	for _, end := range []func() error{srv.Shutdown, func() error { srv.Kill(); return nil }} {
		saves := r.Stats().Saves
		r.await("saves", func(s reporter.Stats) bool { return s.Saves > saves+5 })
		if err := end(); err != nil {
			t.Error(err)
		}
		failures := r.Stats().DBErrors
		r.await("failures", func(s reporter.Stats) bool { return s.DBErrors > failures+2 && s.Pending == agents*hosts })
		if err := srv.Restart(); err != nil {
			t.Fatal(err)
		}
	}
	saves := r.Stats().Saves
	r.await("saves", func(s reporter.Stats) bool { return s.Saves > saves+5 })
	close(stop)
	wg.Wait()

	sent := 0
	for _, ts := range last {
		sent += int(ts) * hosts
	}
	r.awaitResults(sent)
	r.awaitSaved()
	got := statuses(t, st)
	if len(got) != agents*hosts {
		t.Fatalf("%d rows, want %d", len(got), agents*hosts)
	}
	for n, s := range got {
		if want := status(uint32(n), last[n/hosts]); s != want {
			t.Errorf("saved %+v, want %+v", s, want)
		}
	}
	if s := r.Stats(); s.DroppedFull != 0 || s.TCP.Opened != agents || s.TCP.Open != agents {
		t.Errorf("Stats() = %+v", s)
	}
}

// An outage is logged when it begins, every ten seconds, and when it ends.
// Meanwhile there is an attempt every second.
func TestOutageIsLoggedAtABoundedRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := &logLines{}
		attempts, end := 0, time.Now().Add(35*time.Second)
		ok := reporter.NewRetrier(slog.New(slog.NewTextHandler(log, nil))).Insist(t.Context(), nil, func() error {
			attempts++
			if time.Now().Before(end) {
				return errors.New("the database is away")
			}
			return nil
		})
		if !ok || attempts < 35 || attempts > 100 {
			t.Errorf("Insist = %v after %d attempts in 35 s", ok, attempts)
		}
		if n := log.count("database fails"); n != 4 {
			t.Errorf("%d records of the failure in 35 s, want 4", n)
		}
		if n := log.count("works again"); n != 1 {
			t.Errorf("%d records of the recovery, want 1", n)
		}
	})
}

// When the reporter ends, the next attempt is made at once, and those after it
// keep their distance.
func TestAttemptsWhileEnding(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		stop := make(chan struct{})
		time.AfterFunc(5*time.Second, func() { close(stop) })
		start := time.Now()
		var atOnce bool
		attempts := 0
		ok := reporter.NewRetrier(quiet()).Insist(ctx, stop, func() error {
			attempts++
			atOnce = atOnce || time.Since(start) == 5*time.Second
			return errors.New("the database is away")
		})
		if ok || !atOnce || attempts > 40 {
			t.Errorf("Insist = %v, an attempt at once: %v, %d attempts in 10 s", ok, atOnce, attempts)
		}
	})
}
