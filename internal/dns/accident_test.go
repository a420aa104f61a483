package dns_test

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/dns"
	"github.com/lars-lb/lars/internal/mariadbtest"
	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/store"
)

// engines runs a test on either database: open one, and a function that runs
// statements beside the store.
func engines(t *testing.T, test func(t *testing.T, cfg store.Config, run func(statements ...string))) {
	t.Run("SQLite", func(t *testing.T) {
		cfg := sqlite(t)
		test(t, cfg, func(statements ...string) { plainSQL(t, cfg, statements...) })
	})
	t.Run("MariaDB", func(t *testing.T) {
		server := mariadbtest.Start(t)
		cfg := server.NewDatabase(t)
		test(t, cfg, func(statements ...string) {
			server.Exec(t, append([]string{"USE " + cfg.Name}, statements...)...)
		})
	})
}

// emptied are statements that empty the table, by engine.
func emptied(cfg store.Config) string {
	if cfg.Driver == store.SQLite {
		return "DELETE FROM RouteData"
	}
	return "TRUNCATE TABLE RouteData"
}

// Whatever happens to the table, a subscriber is told of no removal as long as
// it is put right, and of what is added.
func TestAccidents(t *testing.T) {
	engines(t, func(t *testing.T, db store.Config, run func(...string)) {
		writer := openStore(t, db)
		add(t, writer, m11, hostRange(1, 30)...)
		cfg := quick()
		cfg.ReloadInterval = 100 * time.Millisecond
		cfg.ShrinkConfirm = time.Hour
		s := start(t, cfg, writer, quiet())
		a := s.dial()
		a.subscribe(m11, hostRange(1, 30)...)
		a.subscribe(m12)
		for i, accident := range [][]string{
			{emptied(db)},
			{emptied(db), bump},
			{"DELETE FROM RouteData", "DELETE FROM RouteChange", "UPDATE RouteVersion SET version = 1"}, // restored empty
			{"DELETE FROM RouteData WHERE serverport = 80", bump},
			{"UPDATE RouteData SET serverport = 0", bump},
		} {
			run(accident...)
			s.eventually("it is held back", func(st dns.Stats) bool { return st.ShrinkHeld && st.ShrinksHeld == uint64(i+1) })
			add(t, writer, m12, hostN(100+i)) // and half an import
			add(t, writer, m11, hostRange(5, 3)...)
			a.expect(m12, hostN(100+i))
			other := s.dial()
			other.subscribe(m11, hostRange(1, 30)...)
			remove(t, writer, m12, hostN(100+i))
			a.expect(m12)
			run("DELETE FROM RouteData") // what is there twice now
			add(t, writer, m11, hostRange(1, 30)...)
			s.eventually("it is put right", func(st dns.Stats) bool { return !st.ShrinkHeld && st.Hosts == 30 })
			a.expectNothing(module(50, int32(i)))
		}
	})
}

func TestShrinkThatStands(t *testing.T) {
	engines(t, func(t *testing.T, db store.Config, run func(...string)) {
		writer := openStore(t, db)
		add(t, writer, m11, hostRange(1, 30)...)
		cfg := quick()
		cfg.ReloadInterval = 50 * time.Millisecond
		cfg.ShrinkConfirm = 500 * time.Millisecond
		s := start(t, cfg, writer, quiet())
		a := s.dial()
		a.subscribe(m11, hostRange(1, 30)...)
		run(emptied(db), bump)
		a.expect(m11)
		if st := s.Stats(); st.ShrinksHeld != 1 || st.ShrinkHeld {
			t.Errorf("%+v", st)
		}
	})
}

// A loop that removes a few hosts at a time stops at half of them.
func TestDeleteInSteps(t *testing.T) {
	engines(t, func(t *testing.T, db store.Config, _ func(...string)) {
		writer := openStore(t, db)
		add(t, writer, m11, hostRange(1, 40)...)
		cfg := quick()
		cfg.ShrinkConfirm = time.Hour
		s := start(t, cfg, writer, quiet())
		a := s.dial()
		a.subscribe(m11, hostRange(1, 40)...)
		for n := 1; n <= 36; n++ {
			remove(t, writer, m11, hostN(n))
			if n <= 20 {
				a.expect(m11, hostRange(n+1, 40-n)...)
			}
		}
		s.eventually("the rest is held back", func(st dns.Stats) bool { return st.HeldHosts == 16 && st.HeldOf == 40 })
		a.expectNothing(module(50, 50))
		if _, err := s.Accept(t.Context()); err != nil {
			t.Fatal(err)
		}
		a.expect(m11, hostRange(37, 4)...)
	})
}

// What operators ask for over HTTP.
func TestAcceptOverHTTP(t *testing.T) {
	db := sqlite(t)
	writer := openStore(t, db)
	add(t, writer, m11, hostRange(1, 30)...)
	source := &switchable{Source: writer}
	log := new(logBuffer)
	s := start(t, quick(), source, log.logger())
	mux := http.NewServeMux()
	s.Route(mux)
	accept := func() (status int, answer dns.Accepted, why string) {
		t.Helper()
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/accept", nil))
		var body struct {
			dns.Accepted
			Error string
		}
		if err := json.Unmarshal(w.Body.Bytes(), &body); err != nil {
			t.Fatalf("%v: %s", err, w.Body)
		}
		return w.Code, body.Accepted, body.Error
	}
	if status, _, why := accept(); status != http.StatusConflict || why != "no routes are held back" {
		t.Errorf("nothing to accept: %d %q", status, why)
	}
	a := s.dial()
	a.subscribe(m11, hostRange(1, 30)...)
	plainSQL(t, db, "DELETE FROM RouteData", bump)
	s.eventually("it is held back", func(st dns.Stats) bool { return st.ShrinkHeld })
	source.down.Store(true) // which is no hindrance
	status, answer, _ := accept()
	if status != http.StatusOK || answer.Removed != 30 || answer.Of != 30 {
		t.Errorf("%d %+v", status, answer)
	}
	a.expect(m11, []route.Node{}...)
	if log.count("an operator accepts") != 1 {
		t.Error("it is not logged")
	}
}
