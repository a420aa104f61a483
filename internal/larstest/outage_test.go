package larstest_test

import (
	"context"
	"sync"
	"testing"

	"github.com/lars-lb/lars/api/lars"
	"github.com/lars-lb/lars/internal/eventually"
	"github.com/lars-lb/lars/internal/larstest"
	"github.com/lars-lb/lars/internal/mariadbtest"
	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/store"
)

func TestDatabaseStopsAndComesBack(t *testing.T) {
	db := mariadbtest.Start(t)
	s := larstest.NewSuite(t, programs, larstest.Options{Store: db.NewDatabase(t)})
	st := s.Store()
	addHosts(t, st, entry(t, module1, "10.0.0.1:1"))
	s.Start()
	c := newClient(t, s.AgentAddr)
	waitHost(t, c, module1, "10.0.0.1:1")

	ctx, cancel := context.WithCancel(t.Context())
	var caller sync.WaitGroup
	var reported uint32 // failures, all in windows of their own
	caller.Go(func() {
		for ctx.Err() == nil {
			if _, err := c.GetHost(ctx, 1, 1); err != nil && ctx.Err() == nil {
				t.Errorf("the agent noticed: %v", err)
			}
		}
	})
	if err := db.Shutdown(); err != nil {
		t.Fatal(err)
	}
	h, err := c.GetHost(t.Context(), 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	for range 40 { // taken over by lars-reporter while the database is down
		if err := c.Report(1, 1, h, lars.Success, 0); err != nil {
			t.Fatal(err)
		}
		reported++
	}
	s.Reporter.WaitFor("database fails, keeping the reports and trying again")
	s.DNS.WaitFor("database error, the last routes are served")
	if err := db.Restart(); err != nil {
		t.Fatal(err)
	}
	eventually.True(t, patience, "what was accepted during the outage is stored", func() bool {
		rows, err := st.ListStatuses(t.Context(), store.Filter{})
		return err == nil && len(rows) == 1 && rows[0].Succ > 0 && rows[0].Succ <= reported
	})
	addHosts(t, st, entry(t, module1, "10.0.0.2:2"))
	waitRoute(t, c, module1, "10.0.0.1:1", "10.0.0.2:2")
	cancel()
	caller.Wait()
}

func TestDaemonsStartWhileTheDatabaseIsDown(t *testing.T) {
	db := mariadbtest.Start(t)
	s := larstest.NewSuite(t, programs, larstest.Options{Store: db.NewDatabase(t)})
	if err := db.Shutdown(); err != nil {
		t.Fatal(err)
	}
	s.DNS.Start()
	s.Reporter.Start()
	s.Agent.Serve()
	c := newClient(t, s.AgentAddr)
	_, _ = c.GetHost(t.Context(), 1, 1)
	s.DNS.WaitFor("waiting for the database")
	if err := db.Restart(); err != nil {
		t.Fatal(err)
	}
	s.DNS.WaitFor("serving")
	st := s.Store()
	addHosts(t, st, entry(t, route.Module{ModID: 1, CmdID: 1}, "10.0.0.1:1"))
	waitHost(t, c, module1, "10.0.0.1:1")
	h, err := c.GetHost(t.Context(), 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Report(1, 1, h, lars.Success, 0); err != nil {
		t.Fatal(err)
	}
	waitStatus(t, st, module1)
}
