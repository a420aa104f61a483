package lbagent_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/eventually"
	"github.com/lars-lb/lars/internal/inspect"
	"github.com/lars-lb/lars/internal/lbagent"
	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/snapshot"
	pb "github.com/lars-lb/lars/proto/larspb"
)

var module2 = route.Module{ModID: 2, CmdID: 2}

// savedRoutes runs an agent until its file has the routes of two modules, and
// returns its path. The second module has a drained host and one of weight 7.
func savedRoutes(t *testing.T, dns *fakeDNS) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "routes")
	dns.set(module1, hostA)
	dns.setInfos(module2, weightedInfo(hostA, 0), weightedInfo(hostB, 7))
	a, stop := startAgent(t, dns.addr, nowhere, func(c *lbagent.Config) { c.Snapshot = path })
	callerOf(t, a, module1).waitFor(module1)
	callerOf(t, a, module2).waitFor(module2)
	stop()
	if _, err := snapshot.Read(path, "lars-lb-agent", func(route.Module, []route.Node) {}); err != nil {
		t.Fatal(err)
	}
	return path
}

// sum adds up what the RouteLBs count.
func sum(a *lbagent.Agent) (s lbagent.RouteStats) {
	for _, r := range a.Stats().Routes {
		s.Modules += r.Modules
		s.Stale += r.Stale
		s.Unsure += r.Unsure
		s.StaleServed += r.StaleServed
		s.NoExist += r.NoExist
	}
	return s
}

func (c *caller) isStale(id route.Module) bool {
	c.t.Helper()
	var resp pb.GetRouteResponse
	if err := resp.UnmarshalVT(c.routeAnswer(id)); err != nil {
		c.t.Fatal(err)
	}
	return resp.Stale
}

func TestAgentServesFromItsFileUntilLarsDNSAnswers(t *testing.T) {
	dns := newFakeDNS(t)
	path := savedRoutes(t, dns)
	dns.stop()
	log := new(logBuffer)
	a := startLoggingAgent(t, dns.addr, log, func(c *lbagent.Config) { c.Snapshot = path })
	c := callerOf(t, a, module1)
	for seq := range uint32(3) {
		if h := c.getHost(seq, module1).Host; h == nil || uint32(h.Ip) != hostA.IP {
			t.Fatalf("answered %v", h)
		}
		if h := c.getHost(seq, module2).Host; h == nil || uint32(h.Ip) != hostB.IP { // the other one is drained
			t.Fatalf("answered %v", h)
		}
	}
	if !c.isStale(module1) || c.isStale(route.Module{ModID: 9}) {
		t.Error("GetRoute does not tell which route is stale")
	}
	var shown inspect.Modules
	adminOf(t, a)("/modules", &shown)
	if len(shown.Modules) != 2 || !shown.Modules[0].Stale || shown.Modules[0].RouteAgeMS < 0 {
		t.Errorf("shown: %+v", shown)
	}
	if s := sum(a); s.Stale != 2 || s.StaleServed != 6 || s.NoExist != 0 {
		t.Errorf("stats %+v", s)
	}
	if s := a.Stats(); s.DNSDisconnectedMS <= 0 || s.SnapshotModules != 2 || s.Snapshot.Failures != 0 {
		t.Errorf("stats %+v", s)
	}
	if n := len(log.lines(`msg="serving from the snapshot"`)); n != 1 {
		t.Errorf("said %d times that it serves from the file", n)
	}

	dns.set(module1, hostB) // changed meanwhile
	dns.set(module2)
	dns.start()
	eventually.True(t, patience, "the new routes arrive", func() bool {
		return slices.Equal(c.getRoute(module1), []route.Host{hostB}) && c.getHost(1, module2).Retcode == noExist
	})
	if c.isStale(module1) || sum(a).Stale != 0 || a.Stats().DNSDisconnectedMS != 0 {
		t.Errorf("stale although lars-dns has answered: %+v", a.Stats())
	}
	eventually.True(t, patience, "the log says so", func() bool { return len(log.lines(`msg="all routes are current again"`)) == 1 })
	eventually.True(t, patience, "the file is the new routes", func() bool {
		var hosts []route.Node
		info, err := snapshot.Read(path, "lars-lb-agent", func(_ route.Module, nodes []route.Node) { hosts = slices.Clone(nodes) })
		return err == nil && info.Modules == 1 && hosts[0].Host() == hostB && a.Stats().Snapshot.Saves > 0
	})
}

func TestLarsDNSServesFromItsFile(t *testing.T) {
	dns := newFakeDNS(t)
	path := savedRoutes(t, dns)
	dns.stop()
	dns.setStale(true)
	dns.set(module1) // a file that lacks one, differs in one, and knows one more
	dns.set(module2, hostA, hostB)
	dns.set(route.Module{ModID: 3}, hostB)
	dns.start()
	log := new(logBuffer)
	a := startLoggingAgent(t, dns.addr, log, func(c *lbagent.Config) {
		c.Snapshot, c.Settings.UpdateTimeout = path, 200*time.Millisecond
	})
	c := callerOf(t, a, module1)
	c.waitFor(route.Module{ModID: 3})
	eventually.True(t, patience, "what its file has arrives", func() bool { return len(log.lines("using routes of its file")) == 1 })
	if h := c.waitFor(module1); h != hostA {
		t.Errorf("host = %v", h)
	}
	if got := c.getRoute(module2); !slices.Equal(got, []route.Host{hostB, hostA}) || !c.isStale(module2) {
		t.Errorf("route %v", got)
	}
	if s := sum(a); s.Stale != 3 {
		t.Errorf("stats %+v", s)
	}
	dns.setStale(false) // it reaches its database, which has what its file has: it tells nobody
	eventually.True(t, patience, "every route is current", func() bool { s := sum(a); return s.Stale == 0 && s.Unsure == 0 })
	if r := c.getHost(1, module1); r.Retcode != noExist {
		t.Errorf("a module that is gone: %v", r)
	}
}

// What a live lars-dns has said stands, when another serves from an older file.
func TestAnOlderFileOfLarsDNSChangesNothing(t *testing.T) {
	dns := newFakeDNS(t)
	dns.set(module1, hostA, hostB)
	a, _ := startAgent(t, dns.addr, nowhere, func(c *lbagent.Config) { c.Settings.UpdateTimeout = 200 * time.Millisecond })
	c := callerOf(t, a, module1)
	c.waitFor(module1)
	dns.stop()
	dns.setStale(true)
	dns.set(module1, hostB)
	before := dns.pulled(module1)
	dns.start()
	eventually.True(t, patience, "the older route comes, again and again", func() bool { return dns.pulled(module1) >= before+3 })
	if got := c.getRoute(module1); len(got) != 2 || c.isStale(module1) {
		t.Errorf("route %v", got)
	}
	dns.setStale(false)
	eventually.True(t, patience, "the database's word holds", func() bool { return len(c.getRoute(module1)) == 1 })
}

func TestUnusableFilesDoNotStopAnAgent(t *testing.T) {
	dns := newFakeDNS(t)
	damaged := savedRoutes(t, dns)
	content, err := os.ReadFile(damaged)
	if err != nil {
		t.Fatal(err)
	}
	content[20] ^= 1
	if err := os.WriteFile(damaged, content, 0o600); err != nil {
		t.Fatal(err)
	}
	inAFile := filepath.Join(damaged+".bad", "routes")
	for _, c := range []struct{ path, says string }{
		{damaged, `msg="the saved routes cannot be used and were set aside"`},
		{inAFile, `msg="the routes cannot be saved, trying again"`}, // its folder is the file that was set aside
		{t.TempDir(), `msg="the saved routes cannot be used"`},
	} {
		log := new(logBuffer)
		a := startLoggingAgent(t, dns.addr, log, func(cfg *lbagent.Config) { cfg.Snapshot = c.path })
		if h := callerOf(t, a, module1).waitFor(module1); h != hostA {
			t.Errorf("host = %v", h)
		}
		eventually.True(t, patience, c.says, func() bool { return len(log.lines(c.says)) == 1 })
		if c.path != damaged {
			eventually.True(t, patience, "failures are counted", func() bool { return a.Stats().Snapshot.Failures > 0 })
		}
	}
	if aside, err := os.ReadFile(damaged + ".bad"); err != nil || !bytes.Equal(aside, content) {
		t.Errorf("aside: %d bytes, %v", len(aside), err)
	}
}

// Two agents were given one file: the second one goes without.
func TestTwoAgentsOfOneFile(t *testing.T) {
	dns := newFakeDNS(t)
	path := savedRoutes(t, dns)
	var agents [2]*lbagent.Agent
	log := new(logBuffer)
	for i := range agents {
		agents[i] = startLoggingAgent(t, dns.addr, log, func(c *lbagent.Config) { c.Snapshot = path })
		callerOf(t, agents[i], module1).waitFor(module1)
		if i == 0 {
			eventually.True(t, patience, "the first one writes", func() bool { return agents[0].Stats().Snapshot.Saves > 0 })
		}
	}
	eventually.True(t, patience, "the second one does not", func() bool { return agents[1].Stats().Snapshot.Failures > 0 })
	if s := agents[1].Stats(); s.SnapshotModules != 0 || s.Snapshot.Saves != 0 {
		t.Errorf("the second: %+v", s.Snapshot)
	}
	eventually.True(t, patience, "it says so when it would read, and when it would write", func() bool {
		return len(log.lines("give each daemon a path of its own")) == 2
	})
}
