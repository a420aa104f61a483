package larstest_test

import (
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/eventually"
	"github.com/lars-lb/lars/internal/larstest"
	"github.com/lars-lb/lars/internal/mariadbtest"
	"github.com/lars-lb/lars/internal/store"
)

// The node that lars-reporter writes to is killed, frozen and cut off while
// reports come, and lars-reporter itself is killed with reports that it has
// taken. Each call is counted once, on every node.
func TestReportsOnAClusterCountOnce(t *testing.T) {
	c := mariadbtest.StartCluster(t)
	cfg := c.NewDatabase(t)
	s := larstest.NewSuite(t, programs, larstest.Options{Store: cfg, ReportTimeout: "100ms"})
	st := s.Store()
	addReportedModules(t, st)
	c.WaitSynced(t)
	s.Start()
	stop := reportAlways(t, s, newClient(t, s.AgentAddr))
	defer stop()
	first := c.Node(0)
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	others, err := store.Open(c.Config(cfg.Name, 1, 2))
	do(err)
	defer others.Close()
	for _, fault := range []struct {
		name       string
		hurt, heal func()
	}{
		{"killed", first.Kill, func() { do(first.Restart()) }},
		{"frozen", func() { do(first.Freeze()) }, func() { do(first.Thaw()) }},
		{"cut off", func() { first.CutOff(t) }, func() { first.Heal(t) }},
	} {
		before := counted(t, st)
		eventually.True(t, patience, "calls are counted", func() bool { return counted(t, st) > before })
		start := time.Now()
		fault.hurt()
		for i := range 10 { // some of them between a COMMIT and what the agent is told
			s.Reporter.Kill()
			s.Reporter.Start()
			before = counted(t, others)
			eventually.True(t, patience, fault.name+": calls are counted by the other nodes", func() bool { return counted(t, others) > before })
			if i == 0 {
				t.Logf("%s: calls were counted again after %v", fault.name, time.Since(start))
			}
		}
		fault.heal()
		c.WaitSynced(t)
	}
	stop()
	checkExact(t, s, st)
	c.WaitSynced(t)
	for i := range mariadbtest.Nodes {
		node, err := store.Open(c.Config(cfg.Name, i))
		do(err)
		defer node.Close()
		if got, want := counted(t, node), reportStatsOf(t, s).Accepted; got != want {
			t.Errorf("node %d: %d calls are counted, %d were reported", i, got, want)
		}
	}
}
