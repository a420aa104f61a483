package larstest_test

import (
	"os"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lars-lb/lars/api/lars"
	"github.com/lars-lb/lars/internal/eventually"
	"github.com/lars-lb/lars/internal/larstest"
	"github.com/lars-lb/lars/internal/store"
)

// newStaticClient returns a client as programs have it, which remembers.
func newStaticClient(t *testing.T, s *larstest.Suite, onStale func(lars.StaleEvent)) *lars.Client {
	t.Helper()
	c, err := lars.NewClient(lars.Config{Agent: s.AgentAddr.String(), OnStale: onStale})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// TestAgentKilledUnderCallers kills the agent under load, once with its file of
// routes lost and lars-dns away as well: no caller is refused, and the calls
// made meanwhile are counted once it is back.
func TestAgentKilledUnderCallers(t *testing.T) {
	s := larstest.NewSuite(t, programs, larstest.Options{})
	st := s.Store()
	addHosts(t, st, entry(t, module1, "10.0.0.1:1"), entry(t, module1, "10.0.0.2:2"))
	s.Start()
	var begins, ends atomic.Int32
	c := newStaticClient(t, s, func(e lars.StaleEvent) {
		if e.Stale {
			begins.Add(1)
		} else {
			ends.Add(1)
		}
	})
	eventually.True(t, patience, "the module is served", func() bool { _, err := c.GetHost(t.Context(), 1, 1); return err == nil })

	stop := make(chan struct{})
	var callers sync.WaitGroup
	endCallers := sync.OnceFunc(func() { close(stop); callers.Wait() })
	defer endCallers()
	var calls, stale atomic.Int64
	for range 8 {
		callers.Go(func() {
			tick := time.NewTicker(time.Millisecond)
			defer tick.Stop()
			for {
				select {
				case <-stop:
					return
				case <-tick.C:
				}
				a, err := c.Ask(t.Context(), 1, 1)
				if err == nil {
					err = c.Report(1, 1, a.Host, lars.Success, time.Millisecond)
				}
				if err != nil {
					t.Errorf("a call failed: %v", err)
					return
				}
				calls.Add(1)
				if a.Stale {
					stale.Add(1)
				}
			}
		})
	}
	fresh := func(what string) {
		t.Helper()
		eventually.True(t, patience, what, func() bool {
			a, err := c.Ask(t.Context(), 1, 1)
			return err == nil && !a.Stale
		})
	}
	for i := range 3 {
		before := stale.Load()
		s.Agent.Kill()
		eventually.True(t, patience, "hosts come from memory", func() bool { return stale.Load() > before+100 })
		if i == 2 {
			if err := os.Remove(s.AgentRoutes); err != nil {
				t.Fatal(err)
			}
			s.DNS.Kill()
		}
		s.Agent.Serve()
		if i == 2 {
			missing := c.Stats().NotExist
			eventually.True(t, patience, "the new agent knows nothing", func() bool { return c.Stats().NotExist > missing+10 })
			s.DNS.Serve()
		}
		fresh("the agent answers again")
	}
	before := calls.Load()
	eventually.True(t, patience, "calls go on", func() bool { return calls.Load() > before+100 })
	endCallers()
	eventually.True(t, patience, "no report waits", func() bool {
		_, err := c.GetHost(t.Context(), 1, 1)
		return err == nil && c.Stats().ReportsWaiting == 0
	})
	waitStatus(t, st, module1)
	stats := c.Stats()
	if stats.AgentDown < 3 || stats.ReportsKept == 0 || stats.ReportsDropped != 0 || stats.Stale == 0 {
		t.Errorf("%+v", stats)
	}
	if begins.Load() == 0 || begins.Load() != ends.Load() {
		t.Errorf("the module was said to be stale %d times, and fresh again %d times", begins.Load(), ends.Load())
	}
}

// TestReportsReachTheNextAgent makes calls between an agent that was killed and
// its successor: every one of them is counted.
func TestReportsReachTheNextAgent(t *testing.T) {
	s := larstest.NewSuite(t, programs, larstest.Options{ReportTimeout: "60s"})
	st := s.Store()
	addHosts(t, st, entry(t, module1, "10.0.0.1:1"))
	s.Start()
	c := newStaticClient(t, s, nil)
	eventually.True(t, patience, "the module is served", func() bool { _, err := c.GetHost(t.Context(), 1, 1); return err == nil })
	s.Agent.Kill()
	const calls = 300
	for range calls {
		a, err := c.Ask(t.Context(), 1, 1)
		if err != nil || !a.Stale {
			t.Fatalf("Ask = %+v, %v", a, err)
		}
		if err := c.Report(1, 1, a.Host, lars.Success, 0); err != nil {
			t.Fatal(err)
		}
	}
	s.Agent.Serve()
	eventually.True(t, patience, "no report waits", func() bool {
		a, err := c.Ask(t.Context(), 1, 1)
		return err == nil && !a.Stale && c.Stats().ReportsWaiting == 0
	})
	if code, _ := s.Agent.Stop(); code != 0 { // which reports what it counted
		t.Errorf("the agent ended with %d", code)
	}
	eventually.True(t, patience, "every call is counted", func() bool {
		rows, err := st.ListStatuses(t.Context(), store.Filter{})
		return err == nil && len(rows) == 1 && rows[0].Succ == calls
	})
	if stats := c.Stats(); stats.ReportsKept != calls {
		t.Errorf("%+v", stats)
	}
}
