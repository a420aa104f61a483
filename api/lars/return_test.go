package lars_test

import (
	"context"
	"errors"
	"testing"

	"github.com/lars-lb/lars/api/lars"
	"github.com/lars-lb/lars/api/lars/fakeagent"
	"github.com/lars-lb/lars/internal/eventually"
)

// lose kills the agent of a client that then knows, and makes n reports.
func lose(t *testing.T, n int) (*fakeagent.Agent, *lars.Client) {
	t.Helper()
	agent, c := start(t)
	agent.SetRoute(1, 1, "10.0.0.1:80")
	learn(t, c, 1)
	agent.Close()
	if _, err := c.GetHost(t.Context(), 1, 1); err != nil {
		t.Fatal(err)
	}
	reportCodes(t, c, 1, n)
	return agent, c
}

// reportCodes reports failures with the codes from first on.
func reportCodes(t *testing.T, c *lars.Client, first, n int) {
	t.Helper()
	for i := range n {
		if err := c.Report(1, 1, hostOf(t, "10.0.0.1:80"), lars.Code(first+i), 0); err != nil {
			t.Errorf("report %d: %v", first+i, err)
		}
	}
}

// checkCodes wants a report of each code from 1 to n, once.
func checkCodes(t *testing.T, agent *fakeagent.Agent, n int) {
	t.Helper()
	seen := make(map[int32]int)
	for _, r := range waitReports(t, agent, n) {
		seen[r.Retcode]++
	}
	for code := range int32(n) {
		if seen[code+1] != 1 {
			t.Errorf("report %d arrived %d times", code+1, seen[code+1])
		}
	}
}

// TestReportsWaitForTheRoute has the agent come back without its routes: it
// ignores reports on a module that it does not know yet.
func TestReportsWaitForTheRoute(t *testing.T) {
	for name, before := range map[string]int{"kept": 1, "first": 0} {
		t.Run(name, func(t *testing.T) {
			gone, c := lose(t, before)
			back := restart(t, gone)
			eventually.True(t, patience, "the agent is back, and says that there is no such module", func() bool {
				if _, err := c.GetHost(t.Context(), 1, 1); err != nil {
					t.Error(err)
				}
				return c.Stats().NotExist > 2
			})
			reportCodes(t, c, before+1, 1)
			if s := c.Stats(); s.ReportsWaiting != before+1 {
				t.Errorf("%+v, want %d reports that wait", s, before+1)
			}
			back.SetRoute(1, 1, "10.0.0.1:80")
			learn(t, c, 1)
			checkCodes(t, back, before+1)
		})
	}
}

// TestReportsAlone makes nothing but reports: they find out by themselves that
// the agent is back.
func TestReportsAlone(t *testing.T) {
	const before = 10
	gone, c := lose(t, before)
	back := restart(t, gone, "10.0.0.1:80")
	n := before
	eventually.True(t, patience, "nothing waits", func() bool {
		n++
		reportCodes(t, c, n, 1)
		return c.Stats().ReportsWaiting == 0
	})
	checkCodes(t, back, n)
}

// TestCloseHandsOver lets a program that ends leave its reports with an agent
// that has just come back.
func TestCloseHandsOver(t *testing.T) {
	const reports = 100
	gone, c := lose(t, reports)
	back := restart(t, gone, "10.0.0.1:80")
	c.Close()
	s := c.Stats()
	if s.ReportsWaiting != 0 || s.ReportsSent+s.ReportsDropped != reports {
		t.Errorf("%+v, want none that waits", s)
	}
	if s.ReportsSent == 0 { // how many depends on how busy the machine is
		t.Errorf("%+v, though the agent was back", s)
	}
	checkCodes(t, back, int(s.ReportsSent))
}

// TestDoCauses takes a caller's own deadline for one, and nothing else.
func TestDoCauses(t *testing.T) {
	agent, c := start(t)
	agent.SetRoute(1, 1, "10.0.0.1:80")
	for _, cause := range []error{errors.New("no longer wanted"), context.DeadlineExceeded} {
		ctx, cancel := context.WithCancelCause(t.Context())
		err := c.Do(ctx, 1, 1, func(ctx context.Context, _ string) error { cancel(cause); return ctx.Err() })
		if err != context.Canceled {
			t.Errorf("Do = %v", err)
		}
	}
	if err := c.Do(t.Context(), 1, 1, func(context.Context, string) error { return nil }); err != nil {
		t.Errorf("Do = %v", err)
	}
	if got := waitReports(t, agent, 2); len(got) != 2 || got[0].Retcode == 0 || got[1].Retcode != 0 {
		t.Errorf("reported %+v, want the failure of the deadline, and the success", got)
	}
}
