package larstest_test

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/lars-lb/lars/api/lars"
	"github.com/lars-lb/lars/internal/eventually"
	"github.com/lars-lb/lars/internal/larstest"
	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/store"
)

var module1 = route.Module{ModID: 1, CmdID: 1}

func TestStartOrderDoesNotMatter(t *testing.T) {
	orders := [][3]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}}
	for _, order := range orders {
		t.Run(fmt.Sprint(order), func(t *testing.T) {
			s := larstest.NewSuite(t, programs, larstest.Options{})
			st := s.Store()
			addHosts(t, st, entry(t, module1, "192.168.1.177:7777"))
			c := newClient(t, s.AgentAddr)
			daemons := [3]*larstest.Daemon{s.DNS, s.Reporter, s.Agent}
			for _, i := range order {
				daemons[i].Serve()
				// A caller is there from the start: what the agent learnt too
				// early must not stick.
				_, _ = c.GetHost(t.Context(), 1, 1)
			}
			waitHost(t, c, module1, "192.168.1.177:7777")
			h, err := c.GetHost(t.Context(), 1, 1)
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Report(1, 1, h, lars.Success, time.Millisecond); err != nil {
				t.Fatal(err)
			}
			waitStatus(t, st, module1)
		})
	}
}

func TestKilledDNSComesBack(t *testing.T) {
	s := larstest.NewSuite(t, programs, larstest.Options{})
	st := s.Store()
	other := route.Module{ModID: 2, CmdID: 1}
	addHosts(t, st, entry(t, module1, "10.0.0.1:1"), entry(t, other, "10.0.0.2:2"))
	s.Start()
	c := newClient(t, s.AgentAddr)
	waitHost(t, c, module1, "10.0.0.1:1")
	s.DNS.Kill()
	for range 100 {
		mustServe(t, c, module1)
	}
	if _, err := c.GetHost(t.Context(), 2, 1); !errors.Is(err, lars.ErrNotExist) { // a pull is under way now
		t.Errorf("a module never pulled: %v", err)
	}
	addHosts(t, st, entry(t, module1, "10.0.0.3:3"))
	s.DNS.Serve()
	waitHost(t, c, other, "10.0.0.2:2")
	waitRoute(t, c, module1, "10.0.0.1:1", "10.0.0.3:3")
	addHosts(t, st, entry(t, module1, "10.0.0.4:4")) // subscriptions are back too
	waitRoute(t, c, module1, "10.0.0.1:1", "10.0.0.3:3", "10.0.0.4:4")
}

// TestDNSKilledAtAnyMoment kills lars-dns again and again while callers ask
// for modules the agent has never heard of.
func TestDNSKilledAtAnyMoment(t *testing.T) {
	const modules, kills = 200, 6
	s := larstest.NewSuite(t, programs, larstest.Options{})
	st := s.Store()
	for i := range int32(modules) {
		addHosts(t, st, entry(t, route.Module{ModID: i, CmdID: 7}, fmt.Sprintf("10.0.1.%d:80", i+1)))
	}
	s.Start()
	c := newClient(t, s.AgentAddr)
	waitHost(t, c, route.Module{CmdID: 7}, "10.0.1.1:80")

	ctx, cancel := context.WithCancel(t.Context())
	var callers sync.WaitGroup
	callers.Go(func() {
		for i := int32(0); ctx.Err() == nil; i = (i + 1) % modules {
			short, done := context.WithTimeout(ctx, 10*time.Millisecond)
			_, _ = c.GetHost(short, i, 7)
			done()
			if _, err := c.GetHost(ctx, 0, 7); err != nil && ctx.Err() == nil {
				t.Errorf("a known module is refused: %v", err)
			}
		}
	})
	for range kills {
		s.DNS.Kill()
		s.DNS.Serve()
	}
	for i := range int32(modules) {
		waitHost(t, c, route.Module{ModID: i, CmdID: 7}, fmt.Sprintf("10.0.1.%d:80", i+1))
	}
	cancel()
	callers.Wait()
}

func TestKilledReporterComesBack(t *testing.T) {
	s := larstest.NewSuite(t, programs, larstest.Options{})
	st := s.Store()
	addHosts(t, st, entry(t, module1, "10.0.0.1:1"))
	s.Start()
	c := newClient(t, s.AgentAddr)
	waitHost(t, c, module1, "10.0.0.1:1")
	h, err := c.GetHost(t.Context(), 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Report(1, 1, h, lars.Success, 0); err != nil {
		t.Fatal(err)
	}
	waitStatus(t, st, module1)
	s.Reporter.Kill()
	s.Agent.WaitFor("connection lost, reconnecting")
	for range 50 { // counted while nobody listens
		if err := c.Report(1, 1, h, lars.Success, 0); err != nil {
			t.Fatal(err)
		}
	}
	mustServe(t, c, module1)
	s.Reporter.Serve()
	eventually.True(t, patience, "the counts of the meantime arrive", func() bool {
		rows, err := st.ListStatuses(t.Context(), store.Filter{})
		return err == nil && len(rows) == 1 && rows[0].Succ == 50
	})
}
