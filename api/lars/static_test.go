package lars_test

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lars-lb/lars/api/lars"
	"github.com/lars-lb/lars/api/lars/fakeagent"
	"github.com/lars-lb/lars/internal/eventually"
)

// restart starts an agent where gone was, with the hosts it had of (1,1).
func restart(t testing.TB, gone *fakeagent.Agent, hosts ...string) *fakeagent.Agent {
	t.Helper()
	agent, err := fakeagent.StartAt(gone.Addr())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(agent.Close)
	agent.SetRoute(1, 1, hosts...)
	return agent
}

// learn asks n times for a host of (1,1), which the agent must name.
func learn(t testing.TB, c *lars.Client, n int) {
	t.Helper()
	for range n {
		if a, err := c.Ask(t.Context(), 1, 1); err != nil || a.Stale || a.Age != 0 {
			t.Fatalf("Ask = %+v, %v; want a fresh answer", a, err)
		}
	}
}

// waitFresh asks until the agent answers again. No call may fail.
func waitFresh(t testing.TB, c *lars.Client) {
	t.Helper()
	eventually.True(t, patience, "the agent is back", func() bool {
		a, err := c.Ask(t.Context(), 1, 1)
		if err != nil {
			t.Errorf("Ask = %v", err)
		}
		return err == nil && !a.Stale
	})
}

// TestStaleSpread answers from memory in the proportion in which the agent gave
// the hosts, and with a Host that equals the agent's.
func TestStaleSpread(t *testing.T) {
	agent, c := start(t)
	agent.SetRoute(1, 1, "10.0.0.1:80", "10.0.0.1:80", "10.0.0.1:80", "10.0.0.2:80")
	learn(t, c, 64)
	agent.Close()
	got := map[lars.Host]int{}
	for range 640 {
		a, err := c.Ask(t.Context(), 1, 1)
		if err != nil || !a.Stale || !a.Host.Stale() || a.Age <= 0 {
			t.Fatalf("Ask = %+v, %v; want a stale answer", a, err)
		}
		got[a.Host]++
	}
	if got[hostOf(t, "10.0.0.1:80")] != 480 || got[hostOf(t, "10.0.0.2:80")] != 160 {
		t.Errorf("named %v, want 480 and 160 times", got)
	}
	if s := c.Stats(); s.Stale != 640 || s.AgentDown != 1 || s.PortsDown != 1 || s.Hosts != 64 || s.Modules != 1 {
		t.Errorf("%+v", s)
	}
	_, err := c.GetHost(t.Context(), 2, 2)
	checkKind(t, err, lars.ErrAgentDown)
}

// TestStaleForgets drains a host of a busy module: memory does without it soon.
func TestStaleForgets(t *testing.T) {
	agent, c := start(t)
	agent.SetRoute(1, 1, "10.0.0.9:80")
	learn(t, c, 100)
	agent.SetRoute(1, 1, "10.0.0.1:80", "10.0.0.2:80")
	learn(t, c, 3000) // of which one in 16 is recorded at the least
	agent.Close()
	for range 100 {
		if h, err := c.GetHost(t.Context(), 1, 1); err != nil || h == hostOf(t, "10.0.0.9:80") {
			t.Fatalf("GetHost = %v, %v", h, err)
		}
	}
}

// TestStaleEnds waits until what is known is too old.
func TestStaleEnds(t *testing.T) {
	agent := startAgent(t)
	agent.SetRoute(1, 1, "10.0.0.1:80")
	c := newClient(t, lars.Config{Agent: agent.Addr(), Timeout: patience, StaleFor: time.Second})
	learn(t, c, 1)
	agent.Close()
	var age time.Duration
	eventually.True(t, patience, "memory is too old", func() bool {
		a, err := c.Ask(t.Context(), 1, 1)
		if err != nil {
			checkKind(t, err, lars.ErrAgentDown)
			return true
		}
		age = a.Age
		return false
	})
	if age <= 0 || age > time.Second {
		t.Errorf("the last answer was %v old", age)
	}
}

// TestStaleOff is what the library did before it remembered.
func TestStaleOff(t *testing.T) {
	agent := startAgent(t)
	agent.SetRoute(1, 1, "10.0.0.1:80")
	c := newClient(t, lars.Config{Agent: agent.Addr(), Timeout: patience, StaleFor: -1})
	learn(t, c, 3)
	if _, err := c.GetRoute(t.Context(), 1, 1); err != nil {
		t.Fatal(err)
	}
	agent.Close()
	_, err := c.GetHost(t.Context(), 1, 1)
	checkKind(t, err, lars.ErrAgentDown)
	_, err = c.GetRoute(t.Context(), 1, 1)
	checkKind(t, err, lars.ErrAgentDown)
	if s := c.Stats(); s.Modules != 0 || s.Stale != 0 {
		t.Errorf("%+v", s)
	}
}

// TestStaleRoute covers GetRoute, and that Register waits for the agent itself.
func TestStaleRoute(t *testing.T) {
	agent, c := start(t)
	agent.SetRoute(1, 1, "10.0.0.1:80", "10.0.0.2:80")
	if err := c.Register(t.Context(), 1, 1); err != nil {
		t.Fatal(err)
	}
	if r, err := c.AskRoute(t.Context(), 1, 1); err != nil || r.Stale || r.Age != 0 {
		t.Errorf("AskRoute = %+v, %v", r, err)
	}
	agent.Close()
	for range 3 {
		r, err := c.AskRoute(t.Context(), 1, 1)
		if err != nil || !r.Stale || r.Age <= 0 || len(r.Hosts) != 2 || r.Hosts[1].String() != "10.0.0.2:80" {
			t.Errorf("AskRoute = %+v, %v", r, err)
		}
		clear(r.Hosts) // the caller's
	}
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := c.Register(ctx, 1, 1); err == nil {
		t.Error("registered with no agent")
	}
	restart(t, agent, "10.0.0.3:80")
	eventually.True(t, patience, "the new route comes", func() bool {
		r, err := c.AskRoute(t.Context(), 1, 1)
		return err == nil && !r.Stale && len(r.Hosts) == 1
	})
}

// TestRestartUnderLoad kills and restarts the agent again and again under many
// callers: none is refused.
func TestRestartUnderLoad(t *testing.T) {
	agent := startAgent(t)
	agent.SetRoute(1, 1, "10.0.0.1:80", "10.0.0.2:80")
	var begins, ends atomic.Int32
	c := newClient(t, lars.Config{Agent: agent.Addr(), MaxSockets: 16, OnStale: func(e lars.StaleEvent) {
		if e.Stale {
			begins.Add(1)
		} else {
			ends.Add(1)
		}
	}})
	learn(t, c, 8)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	end := sync.OnceFunc(func() { close(stop); wg.Wait() })
	defer end()
	var calls atomic.Int64
	for range 100 {
		wg.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
				}
				h, err := c.GetHost(t.Context(), 1, 1)
				if err == nil {
					err = c.Report(1, 1, h, lars.Success, time.Millisecond)
				}
				if err != nil {
					t.Errorf("a call failed: %v", err)
					return
				}
				calls.Add(1)
			}
		})
	}
	for i := range 8 {
		before := c.Stats()
		if i%2 == 0 {
			agent.Close()
		} else {
			agent.Freeze()
		}
		eventually.True(t, patience, "the agent is missed", func() bool { return c.Stats().Stale > before.Stale+1000 })
		if i%2 == 0 {
			agent = restart(t, agent, "10.0.0.1:80", "10.0.0.2:80")
		} else {
			agent.Thaw()
		}
		eventually.True(t, patience, "the agent is back", func() bool { return c.Stats().Hosts > before.Hosts+100 })
	}
	end()
	waitFresh(t, c)
	s := c.Stats()
	if calls.Load() < 8000 || s.AgentDown < 4 || begins.Load() == 0 || begins.Load() != ends.Load() {
		t.Errorf("%d calls, %d begins, %d ends, %+v", calls.Load(), begins.Load(), ends.Load(), s)
	}
}

// TestFrozen freezes the agent: a first call waits a moment, those that follow
// do not, and no call waits past its deadline. When it goes on, so do they.
func TestFrozen(t *testing.T) {
	agent, c := start(t)
	agent.SetRoute(1, 1, "10.0.0.1:80")
	learn(t, c, 2)
	agent.Freeze()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for range 2000 { // of a quarter of a second each, these would not end in time
		if a, err := c.Ask(ctx, 1, 1); err != nil || !a.Stale {
			t.Fatalf("Ask = %+v, %v", a, err)
		}
	}
	if s := c.Stats(); s.AgentDown != 1 {
		t.Errorf("%+v", s)
	}
	agent.Thaw()
	waitFresh(t, c)
}

// TestFrozenShortDeadlines has callers that never wait long enough to know.
func TestFrozenShortDeadlines(t *testing.T) {
	agent := startAgent(t)
	agent.SetRoute(1, 1, "10.0.0.1:80")
	c := newClient(t, lars.Config{Agent: agent.Addr(), Timeout: 10 * time.Millisecond})
	eventually.True(t, patience, "a host is named", func() bool { _, err := c.GetHost(t.Context(), 1, 1); return err == nil })
	agent.Freeze()
	eventually.True(t, patience, "the agent is missed", func() bool {
		a, err := c.Ask(t.Context(), 1, 1)
		if err != nil || !a.Stale {
			t.Errorf("Ask = %+v, %v", a, err)
		}
		return c.Stats().PortsDown == 1
	})
}

// TestSlowAgent answers a question when the next one is asked, which is later
// than any probe waits: the client finds it nevertheless, and then waits for it.
func TestSlowAgent(t *testing.T) {
	agent, c := start(t)
	agent.SetRoute(1, 1, "10.0.0.1:80")
	learn(t, c, 1)
	var late []byte
	agent.Tap(func(fakeagent.Request, []byte) [][]byte { return nil })
	eventually.True(t, patience, "the agent is missed", func() bool {
		_, _ = c.GetHost(t.Context(), 1, 1)
		return c.Stats().PortsDown == 1
	})
	agent.Tap(func(_ fakeagent.Request, answer []byte) [][]byte {
		out := [][]byte{late}
		late = answer
		return out
	})
	eventually.True(t, patience, "the agent is found", func() bool {
		_, _ = c.GetHost(t.Context(), 1, 1)
		return c.Stats().PortsDown == 0
	})
	waitFresh(t, c)
}

// TestCancelIsNoSilence cancels calls of a silent agent: that must not count.
func TestCancelIsNoSilence(t *testing.T) {
	agent, c := start(t)
	agent.SetRoute(1, 1, "10.0.0.1:80")
	learn(t, c, 1)
	asked := make(chan struct{}, 16)
	agent.Tap(func(fakeagent.Request, []byte) [][]byte { asked <- struct{}{}; return nil })
	for range 50 {
		ctx, cancel := context.WithCancel(t.Context())
		done := make(chan error)
		go func() { _, err := c.GetHost(ctx, 1, 1); done <- err }()
		<-asked
		cancel()
		if err := <-done; err != nil && !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
		for len(asked) > 0 {
			<-asked
		}
	}
	if s := c.Stats(); s.AgentDown != 0 {
		t.Errorf("cancelled calls count as an agent that is down: %+v", s)
	}
	agent.Tap(nil)
}
