package dns_test

import (
	"net/netip"
	"strings"
	"testing"

	"github.com/lars-lb/lars/internal/dns"
	"github.com/lars-lb/lars/internal/mariadbtest"
	"github.com/lars-lb/lars/internal/store"
)

// Nobody is told that a module does not exist because it is not loaded yet.
func TestDatabaseDownAtStart(t *testing.T) {
	db := openStore(t, sqlite(t))
	add(t, db, m11, hostN(1))
	source := &switchable{Source: db}
	source.down.Store(true)
	log := new(logBuffer)
	s := start(t, quick(), source, log.logger())
	a := s.dial()
	a.ask(m11)
	s.eventually("some tries have failed", func(st dns.Stats) bool { return st.DatabaseErrors >= 2 })
	if log.count("waiting for the database") != 1 || s.Stats().Ready {
		t.Errorf("ready: %v", s.Stats().Ready)
	}
	source.down.Store(false)
	a.expect(m11, hostN(1))
}

func TestStopWhileWaitingForTheDatabase(t *testing.T) {
	source := &switchable{Source: oneHost()}
	source.down.Store(true)
	s := start(t, quick(), source, quiet())
	s.eventually("a try has failed", func(st dns.Stats) bool { return st.DatabaseErrors >= 1 })
	s.stop()
}

func TestDatabaseGoesAway(t *testing.T) {
	db := openStore(t, sqlite(t))
	add(t, db, m11, hostN(1))
	source := &switchable{Source: db}
	s := start(t, quick(), source, quiet())
	a := s.dial()
	a.subscribe(m11, hostN(1))
	source.down.Store(true)
	s.eventually("some tries have failed", func(st dns.Stats) bool { return st.DatabaseErrors >= 2 })
	add(t, db, m11, hostN(2))
	s.dial().subscribe(m11, hostN(1)) // the last known routes are served
	source.down.Store(false)
	a.expect(m11, hostRange(1, 2)...)
}

func TestMariaDB(t *testing.T) {
	server := mariadbtest.Start(t)
	cfg := server.NewDatabase(t)
	writer := openStore(t, cfg)
	add(t, writer, m11, hostN(1))
	source, err := store.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = source.Close() })
	s := start(t, quick(), source, quiet())
	a := s.dial()
	a.subscribe(m11, hostN(1))
	add(t, writer, m11, hostN(2))
	a.expect(m11, hostRange(1, 2)...)
	server.Exec(t, "UPDATE "+cfg.Name+".RouteData SET serverport = 81", "UPDATE "+cfg.Name+".RouteVersion SET version = version + 1")
	want := hostRange(1, 2)
	want[0].Port, want[1].Port = 81, 81
	a.expect(m11, want...)

	server.Kill()
	s.eventually("its loss is noticed", func(st dns.Stats) bool { return st.DatabaseErrors >= 2 })
	s.dial().subscribe(m11, want...)
	late := start(t, quick(), source, quiet()) // begins while there is no database
	lateAgent := dial(t, netip.AddrPort(late.Addr()), 0)
	lateAgent.ask(m11)
	if err := server.Restart(); err != nil {
		t.Fatal(err)
	}
	lateAgent.expect(m11, want...)
	remove(t, writer, m11, want[0])
	a.expect(m11, want[1])
	lateAgent.expect(m11, want[1])
}

// What is the matter is said: before there are routes, while the database is
// away, and no more once it is back.
func TestExplain(t *testing.T) {
	source := oneHost()
	source.do(func(s *memory) { s.down = true })
	s := start(t, quick(), source, quiet())
	says := func(text string) func(dns.Stats) bool {
		return func(dns.Stats) bool {
			reasons := s.Explain()
			return len(reasons) == 1 && strings.Contains(reasons[0], text)
		}
	}
	s.eventually("it says that it waits", says("there are no routes to serve yet"))
	if st := s.Stats(); !st.DatabaseFails || st.RoutesAge != nil {
		t.Errorf("without routes: %+v", st)
	}
	source.do(func(s *memory) { s.down = false })
	s.eventually("all is well", func(st dns.Stats) bool {
		return st.Ready && s.Explain() == nil && !st.DatabaseFails && st.RoutesAge != nil && *st.RoutesAge < 5
	})
	source.do(func(s *memory) { s.down = true })
	s.eventually("it says that it serves old routes", says("ago are served, and changes do not arrive"))
	source.do(func(s *memory) { s.down = false })
	s.eventually("all is well again", func(dns.Stats) bool { return s.Explain() == nil })
}
