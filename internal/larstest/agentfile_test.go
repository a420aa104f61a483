package larstest_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/lars-lb/lars/internal/eventually"
	"github.com/lars-lb/lars/internal/larstest"
	"github.com/lars-lb/lars/internal/mariadbtest"
	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/snapshot"
	"github.com/lars-lb/lars/internal/store"
)

const agentOwner = "lars-lb-agent"

// agentSavedHosts is what the agent's file has; nil if there is none. A file that is
// not good fails the test.
func agentSavedHosts(t *testing.T, s *larstest.Suite) map[route.Module][]string {
	t.Helper()
	saved := make(map[route.Module][]string)
	_, err := snapshot.Read(s.AgentRoutes, agentOwner, func(m route.Module, nodes []route.Node) {
		for _, n := range nodes {
			saved[m] = append(saved[m], n.Host().String())
		}
	})
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	return saved
}

func waitAgentSaved(t *testing.T, s *larstest.Suite, id route.Module, want ...string) {
	t.Helper()
	eventually.True(t, patience, "the agent's file has the route of "+id.String(), func() bool {
		return slices.Equal(agentSavedHosts(t, s)[id], want)
	})
}

// agentStats are those at /stats that matter here, the RouteLBs' added up.
type agentStats struct {
	Stale, StaleServed, NoExist int
	SnapshotModules             int
	SnapshotAgeMS, Disconnected int64
}

func agentStatsOf(t *testing.T, s *larstest.Suite) (sum agentStats) {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.AdminAddr.String()+"/stats", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var all struct {
		Routes []struct {
			Stale       int `json:"stale_modules"`
			StaleServed int `json:"stale_served"`
			NoExist     int `json:"no_exist"`
		} `json:"routes"`
		Modules      int   `json:"snapshot_modules"`
		Age          int64 `json:"snapshot_age_ms"`
		Disconnected int64 `json:"dns_disconnected_ms"`
	}
	if err := json.NewDecoder(response.Body).Decode(&all); err != nil {
		t.Fatal(err)
	}
	for _, r := range all.Routes {
		sum.Stale += r.Stale
		sum.StaleServed += r.StaleServed
		sum.NoExist += r.NoExist
	}
	sum.SnapshotModules, sum.SnapshotAgeMS, sum.Disconnected = all.Modules, all.Age, all.Disconnected
	return sum
}

// TestKilledAgentServesWithNobodyThere kills everything, and the agent finds
// nobody when it starts: it answers the first question from its file.
func TestKilledAgentServesWithNobodyThere(t *testing.T) {
	db := mariadbtest.Start(t)
	s := larstest.NewSuite(t, programs, larstest.Options{Store: db.NewDatabase(t)})
	st := s.Store()
	gone := route.Module{ModID: 2, CmdID: 1}
	addHosts(t, st, entry(t, module1, "10.0.0.1:1"), entry(t, gone, "10.0.0.2:2"))
	s.Start()
	c := newClient(t, s.AgentAddr)
	waitHost(t, c, module1, "10.0.0.1:1")
	waitHost(t, c, gone, "10.0.0.2:2")
	waitAgentSaved(t, s, module1, "10.0.0.1:1")
	waitAgentSaved(t, s, gone, "10.0.0.2:2")

	s.Agent.Kill()
	addHosts(t, st, entry(t, module1, "10.0.0.3:3")) // edited while the agent is down
	removed := []store.Entry{entry(t, gone, "10.0.0.2:2")}
	if _, err := st.RemoveHosts(t.Context(), removed); err != nil {
		t.Fatal(err)
	}
	s.DNS.Kill()
	s.Reporter.Kill()
	if err := db.Shutdown(); err != nil {
		t.Fatal(err)
	}
	for range 2 { // twice, as the file must outlive its use
		s.Agent.Serve()
		mustServe(t, c, module1)
		mustServe(t, c, gone)
		stats := agentStatsOf(t, s)
		if stats.Stale != 2 || stats.StaleServed != 2 || stats.NoExist != 0 || stats.SnapshotModules != 2 || stats.Disconnected <= 0 {
			t.Errorf("stats %+v", stats)
		}
		if out := s.MustRun("lars", "agent", "modules"); strings.Count(out, " stale\n") != 2 {
			t.Errorf("lars agent modules:\n%s", out)
		}
		if !s.Agent.Said("serving from the snapshot") {
			t.Error(s.Agent.Log())
		}
		s.Agent.Kill()
	}
	s.Agent.Serve()
	if err := db.Restart(); err != nil {
		t.Fatal(err)
	}
	s.DNS.Serve()
	waitRoute(t, c, module1, "10.0.0.1:1", "10.0.0.3:3")
	waitRoute(t, c, gone)
	s.Agent.WaitFor("all routes are current again")
	if stats := agentStatsOf(t, s); stats.Stale != 0 || stats.Disconnected != 0 {
		t.Errorf("stats %+v", stats)
	}
	waitAgentSaved(t, s, module1, "10.0.0.1:1", "10.0.0.3:3")
	waitAgentSaved(t, s, gone)
}

func TestAgentWithADamagedFile(t *testing.T) {
	s := larstest.NewSuite(t, programs, larstest.Options{})
	addHosts(t, s.Store(), entry(t, module1, "10.0.0.1:1"))
	s.Start()
	c := newClient(t, s.AgentAddr)
	waitHost(t, c, module1, "10.0.0.1:1")
	waitAgentSaved(t, s, module1, "10.0.0.1:1")
	s.Agent.Kill()
	if err := os.Truncate(s.AgentRoutes, 40); err != nil {
		t.Fatal(err)
	}
	s.Agent.Serve()
	if !s.Agent.Said("the saved routes cannot be used and were set aside") {
		t.Error(s.Agent.Log())
	}
	waitHost(t, c, module1, "10.0.0.1:1")
	waitAgentSaved(t, s, module1, "10.0.0.1:1")
	if st, err := os.Stat(s.AgentRoutes + ".bad"); err != nil || st.Size() != 40 {
		t.Errorf("%v, %v", st, err)
	}
}

// TestAgentKilledAtAnyMoment kills an agent again and again while routes change:
// what it finds in its file is whole each time, and serves until lars-dns, which
// is away at each start, has what is current.
func TestAgentKilledAtAnyMoment(t *testing.T) {
	const modules, kills = 50, 6
	s := larstest.NewSuite(t, programs, larstest.Options{})
	st := s.Store()
	id := func(i int) route.Module { return route.Module{ModID: int32(i), CmdID: 7} }
	for i := range modules {
		addHosts(t, st, entry(t, id(i), fmt.Sprintf("10.0.1.%d:80", i+1)))
	}
	s.Start()
	c := newClient(t, s.AgentAddr)
	for i := range modules {
		waitHost(t, c, id(i), fmt.Sprintf("10.0.1.%d:80", i+1))
	}
	eventually.True(t, patience, "every module is saved", func() bool { return len(agentSavedHosts(t, s)) == modules })
	for kill := range kills {
		ctx, cancel := context.WithCancel(t.Context())
		var editor sync.WaitGroup
		editor.Go(func() {
			for i := 0; ctx.Err() == nil; i = (i + 1) % modules {
				e := store.Entry{Module: id(i), Host: route.Host{IP: 0x0a000200 + uint32(kill), Port: uint16(i + 1)}}
				if _, err := st.AddHosts(ctx, []store.Entry{e}); err != nil && ctx.Err() == nil {
					t.Error(err)
				}
			}
		})
		eventually.True(t, patience, "routes change", func() bool { return s.Agent.Said("routes saved") })
		s.Agent.Kill()
		s.DNS.Kill()
		cancel()
		editor.Wait()
		if saved := agentSavedHosts(t, s); len(saved) != modules {
			t.Errorf("%d modules are saved", len(saved))
		}
		s.Agent.Serve()
		for i := range modules {
			mustServe(t, c, id(i))
		}
		s.DNS.Serve()
		routed, err := st.ListRoutes(t.Context(), store.Filter{ModID: new(int32), CmdID: new(int32(7))})
		if err != nil {
			t.Fatal(err)
		}
		var want []string
		for _, h := range routed {
			want = append(want, h.Host.String())
		}
		waitRoute(t, c, id(0), want...)
	}
}
