package larstest_test

import (
	"fmt"
	"io"
	"maps"
	"net"
	"net/http"
	"net/netip"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/lars-lb/lars/api/lars"
	"github.com/lars-lb/lars/internal/eventually"
	"github.com/lars-lb/lars/internal/larstest"
	"github.com/lars-lb/lars/internal/mariadbtest"
	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/wire"
)

// scrape asks a daemon for its metrics. A daemon that does not answer is down.
func scrape(t *testing.T, addr netip.AddrPort) samples {
	t.Helper()
	client := http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := client.Get(fmt.Sprintf("http://%v/metrics", addr))
	if err != nil {
		return samples{"up": 0}
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		return samples{"up": 0}
	}
	s, err := readSamples(string(text))
	if err != nil {
		t.Fatal(err)
	}
	s["up"] = 1
	return s
}

// alerts are the rules, and which of them a test has caused.
type alerts struct {
	t      *testing.T
	rules  map[string]*alertRule
	caused map[string]bool
}

// from waits until a rule does not hold at a target, causes what it tells of
// and waits until it holds.
func (a *alerts) from(rule string, at netip.AddrPort, cause func()) {
	a.t.Helper()
	r := a.rules[rule]
	if r == nil {
		a.t.Fatalf("docs/alerts.yml has no %s", rule)
	}
	var before samples
	eventually.True(a.t, patience, rule+" does not hold before", func() bool {
		was := before
		before = scrape(a.t, at)
		return r.names(before) && !r.holds(was, before)
	})
	cause()
	eventually.True(a.t, patience, rule+" holds", func() bool { return r.holds(before, scrape(a.t, at)) })
	a.caused[rule] = true
}

// flood sends more datagrams to a process that is stopped than the kernel
// keeps for it.
func flood(t *testing.T, agent *larstest.Daemon, addr netip.AddrPort) {
	t.Helper()
	c, err := net.Dial("udp", addr.String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	frame := wire.AppendFrame(nil, 99, make([]byte, 1000)) // unknown: it is not answered
	agent.Signal(syscall.SIGSTOP)
	for range 10_000 {
		_, _ = c.Write(frame)
	}
	agent.Signal(syscall.SIGCONT)
}

// Every alert of docs/alerts.yml is caused, by what really goes wrong, and tells
// of it.
func TestAlerts(t *testing.T) {
	a := &alerts{t, readAlerts(t), make(map[string]bool)}
	db := mariadbtest.Start(t)
	cfg := db.NewDatabase(t)
	s := larstest.NewSuite(t, programs, larstest.Options{Store: cfg, MaxConn: 3, Policy: "adaptive"})
	st := s.Store()
	addHosts(t, st, entry(t, module1, "127.0.0.1:1"), entry(t, module1, "127.0.0.2:1"))
	s.Start()
	c := newClient(t, s.AgentAddr)
	eventually.True(t, patience, "the agent has the route", func() bool {
		hosts, err := c.GetRoute(t.Context(), 1, 1)
		return err == nil && len(hosts) == 2
	})
	dns, reporter, agent := s.DNS.Admin(), s.Reporter.Admin(), s.Agent.Admin()

	eventually.True(t, patience, "no alert is up while all is well", func() bool {
		up := false
		for _, at := range []netip.AddrPort{dns, reporter, agent} {
			now := scrape(t, at)
			for name, r := range a.rules {
				if r.holds(now, now) {
					t.Logf("%s holds", name)
					up = true
				}
			}
		}
		return !up
	})

	a.from("LarsDNSRefusesAgents", dns, func() {
		for range 4 {
			conn := dial(t, s.DNSAddr)
			t.Cleanup(func() { _ = conn.Close() })
			defer conn.Close()
		}
	})
	a.from("LarsDNSBadRows", dns, func() {
		db.Exec(t, "INSERT INTO "+cfg.Name+".RouteData (modid, cmdid, serverip, serverport) VALUES (5, 5, 1, 0)",
			"UPDATE "+cfg.Name+".RouteVersion SET version = version + 1")
	})
	a.from("LarsSnapshotFails", dns, func() {
		kept := s.DNS.Dir() + "/var"
		if err := os.RemoveAll(kept); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(kept, nil, 0o600); err != nil { // where the folder is wanted
			t.Fatal(err)
		}
		addHosts(t, st, entry(t, route.Module{ModID: 6, CmdID: 6}, "127.0.0.1:1")) // something to save
		eventually.True(t, patience, "it is tried", func() bool {
			return a.rules["LarsSnapshotFails"].holds(samples{"lars_dns_snapshot_failures_total": 0}, scrape(t, dns))
		})
		if err := os.Remove(kept); err != nil {
			t.Fatal(err)
		}
	})
	a.from("LarsAgentModuleDark", agent, func() {
		eventually.True(t, patience, "the module is in the dark", func() bool { callOnce(t, c); return s.Agent.Said("module is in the dark") })
	})
	a.from("LarsAgentDatagramsDropped", agent, func() { flood(t, s.Agent, s.AgentAddr) })
	a.from("LarsAgentPullsUnanswered", agent, func() {
		s.DNS.Signal(syscall.SIGSTOP)
		_, _ = c.GetRoute(t.Context(), 7, 7)
		// The question is put again after a second.
		eventually.True(t, patience, "it is overdue", func() bool {
			return a.rules["LarsAgentPullsUnanswered"].holds(samples{
				`lars_agent_pulls_overdue_total{shard="2"}`: 0}, scrape(t, agent))
		})
		s.DNS.Signal(syscall.SIGCONT)
	})
	a.from("LarsDescriptorsRunOut", reporter, func() {
		limit := uint64(descriptors(t, s.Reporter.PID()) + 1)
		if err := unix.Prlimit(s.Reporter.PID(), unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: limit, Max: limit}, nil); err != nil {
			t.Fatal(err)
		}
	})
	stopDatabase := func() {
		if err := db.Shutdown(); err != nil {
			t.Fatal(err)
		}
	}
	a.from("LarsDNSDatabaseFails", dns, stopDatabase)
	a.from("LarsReporterDatabaseFails", reporter, func() {
		h, err := lars.ParseHost("127.0.0.1:1")
		if err != nil {
			t.Fatal(err)
		}
		eventually.True(t, patience, "counts wait for the database", func() bool {
			if err := c.Report(1, 1, h, lars.Failure, 0); err != nil {
				t.Fatal(err)
			}
			return s.Reporter.Said("database fails, keeping the reports and trying again")
		})
	})
	a.from("LarsAgentWithoutDNS", agent, func() { s.DNS.Kill() })
	a.from("LarsAgentStaleRoutes", agent, func() {
		s.Agent.Stop()
		s.Agent.Serve()
	})
	other := s.NewDNS(larstest.FreeTCP(t))
	at := serveAgain(t, db, other)
	a.from("LarsDNSShrinkHeld", at, func() {
		for n := range 20 {
			addHosts(t, st, entry(t, route.Module{ModID: 8, CmdID: 8}, fmt.Sprintf("10.0.0.1:%d", n+1)))
		}
		eventually.True(t, patience, "all are served", func() bool { return scrape(t, at)["lars_dns_hosts"] >= 22 })
		db.Exec(t, "DELETE FROM "+cfg.Name+".RouteData", "UPDATE "+cfg.Name+".RouteVersion SET version = version + 1")
	})
	a.from("LarsDNSStale", at, func() {
		other.Stop()
		stopDatabase()
		other.Start()
	})
	a.from("LarsDNSNotReady", at, func() {
		other.Kill()
		if err := os.RemoveAll(other.Dir() + "/var"); err != nil {
			t.Fatal(err)
		}
		other.Start()
	})
	a.from("LarsDown", at, func() { other.Kill() })
	a.from("LarsAgentWithoutReporter", agent, func() { s.Reporter.Kill() })

	a.from("LarsLoopStuck", startClogged(t, s), func() {})
	fillReporter(t, a)

	for name := range a.rules {
		if !a.caused[name] {
			t.Errorf("nothing caused %s", name)
		}
	}
	if t.Failed() {
		t.Logf("caused: %s", strings.Join(slices.Sorted(maps.Keys(a.caused)), ", "))
	}
}

// serveAgain has a lars-dns serve, for which the database is started again.
func serveAgain(t *testing.T, db *mariadbtest.Server, d *larstest.Daemon) netip.AddrPort {
	t.Helper()
	if err := db.Restart(); err != nil {
		t.Fatal(err)
	}
	d.Serve()
	return d.Admin()
}
