package dns_test

import (
	"fmt"
	"io"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/dns"
	"github.com/lars-lb/lars/internal/route"
)

// clog makes the server's output to a stand still: the agent asks for a large
// route until something has to be put off. It returns the number of requests.
func clog(s running, a *agent, large route.Module) int {
	s.t.Helper()
	before := s.Stats().Deferred
	for n := 1; ; n++ {
		a.ask(large)
		s.eventually("the request is answered", func(st dns.Stats) bool { return st.Answers >= uint64(n) })
		if s.Stats().Deferred > before {
			return n
		}
		if n > 2000 {
			s.t.Fatal("100 MB were sent to a peer that does not read")
		}
	}
}

func TestSlowConnectionGetsTheLatestState(t *testing.T) {
	file := sqlite(t)
	db := openStore(t, file)
	large := hostRange(1, route.MaxHosts)
	add(t, db, m11, large...)
	cfg := quick()
	cfg.MaxBuffered = 64 << 10
	cfg.PushTimeout = time.Minute
	cfg.ShrinkConfirm = 0
	s := start(t, cfg, db, quiet())
	a := dial(t, s.Addr(), 32<<10)
	asked := clog(s, a, m11)
	// Asked again and again, it is still put off only once.
	for range 50 {
		a.ask(m11)
	}
	s.eventually("all is asked", func(st dns.Stats) bool { return st.Answers == uint64(asked+50) })
	a.ask(m12)
	s.eventually("two are put off", func(st dns.Stats) bool { return st.Deferred == 2 && st.Waiting == 2 })
	for n := 1; n <= 5; n++ {
		add(t, db, m12, hostN(n))
	}
	plainSQL(t, file, fmt.Sprintf("DELETE FROM RouteData WHERE cmdid = 1 AND serverip <> %d", large[0].IP), bump)
	s.eventually("all changes are read", func(st dns.Stats) bool { return st.Hosts == 6 })
	if st := s.Stats(); st.Deferred != 2 {
		t.Errorf("%d were put off, want each module once", st.Deferred)
	}

	for range asked - 1 { // what had been written before
		a.expect(m11, large...)
	}
	a.expect(m11, large[0])
	a.expect(m12, hostRange(1, 5)...)
	a.expectNothing(module(50, 50))
	if st := s.Stats(); st.SlowClosed != 0 || st.Waiting != 0 {
		t.Errorf("stats: %+v", st)
	}
	// And nothing is put off any more.
	add(t, db, m12, hostN(6))
	a.expect(m12, hostRange(1, 6)...)
}

// More is put off than the output holds: it is sent in parts, as it drains.
func TestSlowConnectionCatchesUp(t *testing.T) {
	t.Parallel() // for it waits for PushTimeout to pass
	const modules = 30
	db := openStore(t, sqlite(t))
	large := hostRange(1, 1000)
	for i := range int32(modules) {
		add(t, db, module(4, i), large...)
	}
	add(t, db, m11, hostRange(1, route.MaxHosts)...)
	cfg := quick()
	cfg.MaxBuffered = 32 << 10
	cfg.PushTimeout = 5 * time.Second
	s := start(t, cfg, db, quiet())
	a := dial(t, s.Addr(), 32<<10)
	asked := clog(s, a, m11)
	for i := range int32(modules) {
		a.ask(module(4, i))
	}
	s.eventually("all are put off", func(st dns.Stats) bool { return st.Deferred == 1+modules })
	for range asked {
		a.expect(m11, hostRange(1, route.MaxHosts)...)
	}
	for i := range int32(modules) {
		a.expect(module(4, i), large...)
	}
	a.expectNothing(module(50, 50))
	for caughtUp := time.Now(); time.Since(caughtUp) < cfg.PushTimeout; {
		a.subscribe(module(4, 1), large...)
	}
	if st := s.Stats(); st.SlowClosed != 0 {
		t.Error("it is closed after it caught up")
	}
}

func TestConnectionThatNeverReadsIsClosed(t *testing.T) {
	file := sqlite(t)
	db := openStore(t, file)
	add(t, db, m11, hostRange(1, route.MaxHosts)...)
	cfg := quick()
	cfg.PushTimeout = 50 * time.Millisecond
	cfg.ShrinkConfirm = 0
	log := new(logBuffer)
	s := start(t, cfg, db, log.logger())
	well := s.dial()
	well.subscribe(m11, hostRange(1, route.MaxHosts)...)
	a := dial(t, s.Addr(), 32<<10)
	for n := 0; s.Stats().SlowClosed == 0; n++ {
		if _, err := a.Write(request(m11)); err != nil {
			break
		}
		if n > 1_000_000 {
			t.Fatal("it is never closed")
		}
	}
	s.eventually("it is closed and forgotten", func(st dns.Stats) bool {
		return st.SlowClosed == 1 && st.Subscriptions == 1 && st.TCP.Open == 1
	})
	if log.count("does not read") != 1 {
		t.Error("it is not logged")
	}
	if n, err := io.Copy(io.Discard, a); n > 16<<20 {
		t.Errorf("%d bytes were waiting for it, %v", n, err)
	}
	plainSQL(t, file, fmt.Sprintf("DELETE FROM RouteData WHERE serverip <> %d", hostN(1).IP), bump)
	well.expect(m11, hostN(1))
}

// Who reads nothing and asks for ever more modules is closed before the list
// of what to tell grows without bound.
func TestDeferredModulesAreBounded(t *testing.T) {
	db := openStore(t, sqlite(t))
	add(t, db, m11, hostRange(1, route.MaxHosts)...)
	cfg := quick()
	cfg.MaxSubscriptions = 100
	cfg.PushTimeout = time.Minute
	s := start(t, cfg, db, quiet())
	a := dial(t, s.Addr(), 32<<10)
	clog(s, a, m11)
	for i := range int32(500) {
		if _, err := a.Write(request(module(6, i))); err != nil {
			break // closed already
		}
	}
	s.eventually("it is closed", func(st dns.Stats) bool { return st.SlowClosed == 1 && st.TCP.Open == 0 && st.Waiting == 0 })
}
