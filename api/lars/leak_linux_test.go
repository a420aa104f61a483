package lars_test

import (
	"os"
	"testing"

	"github.com/lars-lb/lars/api/lars"
	"github.com/lars-lb/lars/internal/eventually"
)

// openFiles counts the descriptors of this process.
func openFiles(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}

// TestFlappingLeaksNothing loses the agent in every way, again and again: a
// client of one socket a port has at most two open, and none once it is closed.
func TestFlappingLeaksNothing(t *testing.T) {
	agent := startAgent(t)
	agent.SetRoute(1, 1, "10.0.0.1:80")
	before := openFiles(t)
	c, err := lars.NewClient(lars.Config{Agent: agent.Addr(), MaxSockets: 1})
	if err != nil {
		t.Fatal(err)
	}
	learn(t, c, 1)
	missed := func() {
		was := c.Stats().AgentDown
		eventually.True(t, patience, "the agent is missed", func() bool {
			a, err := c.Ask(t.Context(), 1, 1)
			if err == nil {
				err = c.Report(1, 1, a.Host, lars.Success, 0)
			}
			if err != nil {
				t.Error(err)
			}
			return c.Stats().AgentDown > was
		})
	}
	for range 3 {
		agent.Freeze()
		missed()
		agent.Thaw()
		waitFresh(t, c)
		agent.Close()
		missed()
		agent = restart(t, agent, "10.0.0.1:80")
		waitFresh(t, c)
		if n := openFiles(t) - before; n > 2 {
			t.Errorf("%d descriptors more than before the client", n)
		}
	}
	agent.Freeze()
	missed()
	c.Close()
	if n := openFiles(t); n > before {
		t.Errorf("%d descriptors, %d before the client", n, before)
	}
	if s := c.Stats(); s.Hosts == 0 || s.ReportsSent == 0 {
		t.Errorf("a closed client forgot what it counted: %+v", s)
	}
}
