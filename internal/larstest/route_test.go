package larstest_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/eventually"
	"github.com/lars-lb/lars/internal/larstest"
	"github.com/lars-lb/lars/internal/route"
)

func TestLargestRouteByPullPushAndGetRoute(t *testing.T) {
	s := larstest.NewSuite(t, programs, larstest.Options{})
	var hosts []string
	csv := "modid,cmdid,ip,port,weight\n" // of the longest weights, too
	for i := range route.MaxHosts {
		hosts = append(hosts, fmt.Sprintf("254.%d.%d.1:65535", i/256, i%256))
		csv += fmt.Sprintf("1,1,254.%d.%d.1,65535,10000\n", i/256, i%256)
	}
	file := filepath.Join(t.TempDir(), "routes.csv")
	if err := os.WriteFile(file, []byte(csv), 0o600); err != nil {
		t.Fatal(err)
	}
	s.MustRun("lars", "db", "init")
	s.MustRun("lars", "route", "import", file)
	if _, stderr, code := s.Run("lars", "route", "add", "1", "1", "10.0.0.1:80"); code == 0 || !strings.Contains(stderr, "3000") {
		t.Errorf("the 3,001st host: exit code %d, %q", code, stderr)
	}
	s.Start()
	c := newClient(t, s.AgentAddr)
	waitRoute(t, c, module1, hosts...)
	s.MustRun("lars", "route", "rm", "1", "1", hosts[7])
	waitRoute(t, c, module1, slices.Delete(slices.Clone(hosts), 7, 8)...)
	s.MustRun("lars", "route", "add", "1", "1", hosts[7])
	waitRoute(t, c, module1, hosts...)
}

func TestTwoReplicasPushToTheirOwnAgents(t *testing.T) {
	s := larstest.NewSuite(t, programs, larstest.Options{})
	st := s.Store()
	addHosts(t, st, entry(t, module1, "10.0.0.1:1"))
	dns2, agent2 := larstest.FreeTCP(t), larstest.FreeUDP(t)
	second, agentOfSecond := s.NewDNS(dns2), s.NewAgent(agent2, dns2)
	s.Start()
	second.Serve()
	agentOfSecond.Serve()
	c1, c2 := newClient(t, s.AgentAddr), newClient(t, agent2)
	waitHost(t, c1, module1, "10.0.0.1:1")
	waitHost(t, c2, module1, "10.0.0.1:1")
	want := []string{"10.0.0.1:1"}
	for i := range 5 {
		h := fmt.Sprintf("10.0.1.%d:80", i+1)
		addHosts(t, st, entry(t, module1, h))
		want = append(want, h)
		waitRoute(t, c1, module1, slices.Clone(want)...)
		waitRoute(t, c2, module1, slices.Clone(want)...)
	}
}

func TestManyUnknownModules(t *testing.T) {
	const modules = 10_000
	s := larstest.NewSuite(t, programs, larstest.Options{})
	addHosts(t, s.Store(), entry(t, module1, "10.0.0.1:1"))
	s.Start()
	c := newClient(t, s.AgentAddr)
	waitHost(t, c, module1, "10.0.0.1:1")
	// The client asks a few times for a module without hosts, in case the
	// agent is still learning its route; a short deadline spares the test that.
	var askers sync.WaitGroup
	for part := range int32(50) {
		askers.Go(func() {
			for i := part; i < modules; i += 50 {
				ctx, done := context.WithTimeout(t.Context(), 20*time.Millisecond)
				if h, err := c.GetHost(ctx, -i-1, 5); err == nil {
					t.Errorf("module %d has host %v", -i-1, h)
				}
				done()
				if i%1000 == 0 {
					mustServe(t, c, module1)
				}
			}
		})
	}
	askers.Wait()
	// One that comes to exist among them is found.
	late := route.Module{ModID: -500, CmdID: 5}
	s.MustRun("lars", "route", "add", "--", "-500", "5", "10.0.0.9:9")
	waitHost(t, c, late, "10.0.0.9:9")
	eventually.True(t, patience, "lars-dns and the agent live", func() bool {
		_, err := c.GetHost(t.Context(), 1, 1)
		return err == nil
	})
}
