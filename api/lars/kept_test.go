package lars_test

import (
	"sync"
	"testing"

	"github.com/lars-lb/lars/api/lars"
	"github.com/lars-lb/lars/internal/eventually"
)

// TestKeptReports loses the agent between calls: every report arrives, once,
// also the one that was sent before anybody could know.
func TestKeptReports(t *testing.T) {
	agent, c := start(t)
	agent.SetRoute(1, 1, "10.0.0.1:80")
	learn(t, c, 1)
	h, _ := lars.ParseHost("10.0.0.1:80")
	agent.Close()
	const reports = 200
	for i := range reports {
		if err := c.Report(1, 1, h, lars.Code(i+1), 0); err != nil {
			t.Fatal(err)
		}
		if i >= reports/2 {
			if _, err := c.GetHost(t.Context(), 1, 1); err != nil {
				t.Fatal(err)
			}
		}
	}
	back := restart(t, agent, "10.0.0.1:80")
	eventually.True(t, patience, "nothing waits", func() bool {
		if _, err := c.GetHost(t.Context(), 1, 1); err != nil {
			t.Error(err)
		}
		return c.Stats().ReportsWaiting == 0
	})
	seen := map[int32]int{}
	for _, r := range waitReports(t, back, reports) {
		seen[r.Retcode]++
	}
	for i := range int32(reports) {
		if seen[i+1] != 1 {
			t.Errorf("report %d arrived %d times", i, seen[i+1])
		}
	}
	if s := c.Stats(); s.ReportsDropped != 0 || s.ReportsKept < reports {
		t.Errorf("%+v", s)
	}
}

// TestReportedOnce loses the agent after a report that it has, and after one
// that it has not: the second is kept, whatever its socket is next used for.
func TestReportedOnce(t *testing.T) {
	for name, ask := range map[string]func(*lars.Client) error{
		"GetHost":  func(c *lars.Client) error { _, err := c.GetHost(t.Context(), 1, 1); return err },
		"GetRoute": func(c *lars.Client) error { _, err := c.GetRoute(t.Context(), 1, 1); return err },
	} {
		t.Run(name, func(t *testing.T) {
			agent := startAgent(t)
			agent.SetRoute(1, 1, "10.0.0.1:80")
			c := newClient(t, lars.Config{Agent: agent.Addr(), Timeout: patience, MaxSockets: 1})
			learn(t, c, 1)
			if _, err := c.GetRoute(t.Context(), 1, 1); err != nil {
				t.Fatal(err)
			}
			for kept := range uint64(2) {
				if kept == 1 {
					agent.Close()
				}
				if err := c.Report(1, 1, hostOf(t, "10.0.0.1:80"), lars.Code(kept), 0); err != nil {
					t.Fatal(err)
				}
				if kept == 0 {
					waitReports(t, agent, 1)
					agent.Close()
				}
				if err := ask(c); err != nil {
					t.Error(err)
				}
				if s := c.Stats(); s.ReportsKept != kept {
					t.Errorf("%d reports kept, want %d", s.ReportsKept, kept)
				}
				if kept == 0 {
					agent = restart(t, agent, "10.0.0.1:80")
					waitFresh(t, c)
				}
			}
		})
	}
}

// TestKeptReportsBound drops the oldest of too many.
func TestKeptReportsBound(t *testing.T) {
	agent, c := start(t)
	agent.SetRoute(1, 1, "10.0.0.1:80")
	learn(t, c, 1)
	agent.Close()
	a, err := c.Ask(t.Context(), 1, 1)
	if err != nil || !a.Stale {
		t.Fatalf("Ask = %+v, %v", a, err)
	}
	const bound, more = 4096, 10
	for i := range bound + more {
		if err := c.Report(1, 1, a.Host, lars.Code(i+1), 0); err != nil {
			t.Fatal(err)
		}
	}
	if s := c.Stats(); s.ReportsWaiting != bound || s.ReportsDropped != more || s.ReportsKept != bound+more {
		t.Errorf("%+v", s)
	}
	back := restart(t, agent, "10.0.0.1:80")
	eventually.True(t, patience, "nothing waits", func() bool {
		_, _ = c.GetHost(t.Context(), 1, 1)
		return c.Stats().ReportsWaiting == 0
	})
	for _, r := range waitReports(t, back, 1) {
		if r.Retcode <= more {
			t.Errorf("report %d was not the oldest", r.Retcode)
		}
	}
}

// TestFailingHostIsShunned reports failures of one host while the agent is
// away: the others are named, evenly, until there is none.
func TestFailingHostIsShunned(t *testing.T) {
	agent, c := start(t)
	agent.SetRoute(1, 1, "10.0.0.1:80", "10.0.0.2:80", "10.0.0.3:80")
	learn(t, c, 63)
	agent.Close()
	if _, err := c.GetHost(t.Context(), 1, 1); err != nil {
		t.Fatal(err)
	}
	bad, _ := lars.ParseHost("10.0.0.2:80")
	report := func(h lars.Host, codes ...lars.Code) {
		for _, code := range codes {
			if err := c.Report(1, 1, h, code, 0); err != nil {
				t.Fatal(err)
			}
		}
	}
	count := func(n int) map[lars.Host]int {
		got := map[lars.Host]int{}
		for range n {
			h, err := c.GetHost(t.Context(), 1, 1)
			if err != nil {
				t.Fatal(err)
			}
			got[h]++
		}
		return got
	}
	report(bad, 1, 1, lars.Success, 1, 1)
	if got := count(63); got[bad] != 21 {
		t.Errorf("two failures in a row: %v", got)
	}
	report(bad, 1)
	if got := count(84); got[bad] != 0 || len(got) != 2 || min(got[hostOf(t, "10.0.0.1:80")], got[hostOf(t, "10.0.0.3:80")]) < 40 {
		t.Errorf("three failures in a row: %v", got)
	}
	report(hostOf(t, "10.0.0.1:80"), 1, 1, 1)
	report(hostOf(t, "10.0.0.3:80"), 1, 1, 1)
	if got := count(63); len(got) != 3 || got[bad] != 21 {
		t.Errorf("all fail: %v", got)
	}
}

func hostOf(t testing.TB, s string) lars.Host {
	t.Helper()
	h, err := lars.ParseHost(s)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

// TestNotExistAfterRestart restarts an agent that lost everything: what it does
// not know yet is answered from memory, what it says later is believed.
func TestNotExistAfterRestart(t *testing.T) {
	agent, c := start(t)
	agent.SetRoute(1, 1, "10.0.0.1:80")
	learn(t, c, 1)
	if _, err := c.GetRoute(t.Context(), 1, 1); err != nil {
		t.Fatal(err)
	}
	agent.Close()
	if _, err := c.GetHost(t.Context(), 1, 1); err != nil {
		t.Fatal(err)
	}
	back := restart(t, agent)
	before := c.Stats().NotExist
	eventually.True(t, patience, "the new agent is asked", func() bool {
		a, err := c.Ask(t.Context(), 1, 1)
		if err != nil || !a.Stale {
			t.Errorf("Ask = %+v, %v", a, err)
		}
		return c.Stats().NotExist > before
	})
	if r, err := c.AskRoute(t.Context(), 1, 1); err != nil || !r.Stale {
		t.Errorf("AskRoute = %+v, %v", r, err)
	}
	back.SetRoute(1, 1, "10.0.0.2:80")
	learn(t, c, 1)
}

// TestNotExistIsBelieved removes a module while the agent runs.
func TestNotExistIsBelieved(t *testing.T) {
	agent, c := start(t)
	agent.SetRoute(1, 1, "10.0.0.1:80")
	learn(t, c, 5)
	agent.SetRoute(1, 1)
	_, err := c.GetHost(t.Context(), 1, 1)
	checkKind(t, err, lars.ErrNotExist)
	agent.Close()
	_, err = c.GetHost(t.Context(), 1, 1)
	checkKind(t, err, lars.ErrAgentDown)
}

// TestOnStale hears of each module, in order, and may use the client.
func TestOnStale(t *testing.T) {
	agent := startAgent(t)
	var mu sync.Mutex
	var got []lars.StaleEvent
	var c *lars.Client
	c = newClient(t, lars.Config{Agent: agent.Addr(), Timeout: patience, OnStale: func(e lars.StaleEvent) {
		if _, err := c.GetHost(t.Context(), e.ModID, e.CmdID); err != nil {
			t.Error(err)
		}
		mu.Lock()
		defer mu.Unlock()
		got = append(got, e)
	}})
	agent.SetRoute(1, 1, "10.0.0.1:80")
	agent.SetRoute(4, 1, "10.0.0.4:80")
	ask := func() {
		for _, m := range []int32{1, 4} {
			if _, err := c.GetHost(t.Context(), m, 1); err != nil {
				t.Error(err)
			}
		}
	}
	ask()
	agent.Close()
	ask()
	ask()
	back := restart(t, agent, "10.0.0.1:80")
	back.SetRoute(4, 1, "10.0.0.4:80")
	eventually.True(t, patience, "both are fresh", func() bool {
		ask()
		mu.Lock()
		defer mu.Unlock()
		return len(got) >= 4
	})
	if len(got) != 4 || got[0] != (lars.StaleEvent{ModID: 1, CmdID: 1, Stale: true}) || got[1] != (lars.StaleEvent{ModID: 4, CmdID: 1, Stale: true}) || got[2].Stale || got[3].Stale {
		t.Errorf("heard %+v", got)
	}
}
