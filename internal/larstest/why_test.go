package larstest_test

import (
	"errors"
	"net"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/lars-lb/lars/api/lars"
	"github.com/lars-lb/lars/internal/eventually"
	"github.com/lars-lb/lars/internal/larstest"
)

// takeConnections takes connections at an address of its own, and closes them.
func takeConnections(t *testing.T) net.Listener {
	t.Helper()
	ln, err := net.Listen("tcp", larstest.FreeTCP(t).String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			_ = c.Close()
		}
	}()
	return ln
}

// callOnce calls a host: a connection has to be made.
func callOnce(t *testing.T, c *lars.Client) (called string) {
	t.Helper()
	h, err := c.GetHost(t.Context(), 1, 1)
	if err != nil {
		if !errors.Is(err, lars.ErrOverload) {
			t.Fatal(err)
		}
		return ""
	}
	start, code := time.Now(), lars.Success
	conn, err := net.Dial("tcp", h.String())
	if err != nil {
		code = lars.Failure
	} else {
		_ = conn.Close()
	}
	if err := c.Report(1, 1, h, code, time.Since(start)); err != nil {
		t.Fatal(err)
	}
	return h.String()
}

// An operator who wonders why a host is not called asks the agent, and is told.
func TestWhyAHostIsNotCalled(t *testing.T) {
	s := larstest.NewSuite(t, programs, larstest.Options{Policy: "adaptive"})
	st := s.Store()
	_, stderr, code := s.Run("lars", "agent", "hosts", "1", "1")
	if code != 1 || !strings.Contains(stderr, "no agent answers at its admin address "+s.AdminAddr.String()) {
		t.Errorf("without an agent: code %d, %q", code, stderr)
	}
	s.Start()
	_, stderr, code = s.Run("lars", "agent", "hosts", "1", "1")
	if code != 1 || !strings.Contains(stderr, "the agent has no hosts of module (1,1)") {
		t.Errorf("an unknown module: code %d, %q", code, stderr)
	}

	var listeners []net.Listener
	for range 4 {
		ln := takeConnections(t)
		listeners = append(listeners, ln)
		addHosts(t, st, entry(t, module1, ln.Addr().String()))
	}
	c := newClient(t, s.AgentAddr)
	drained, bad := listeners[2].Addr().String(), listeners[3].Addr().String()
	s.MustRun("lars", "route", "drain", "1", "1", drained)
	eventually.True(t, patience, "the agent has the route", func() bool {
		hosts, err := c.GetRoute(t.Context(), 1, 1)
		return err == nil && len(hosts) == 4
	})
	// line is what the operator is shown about a host.
	line := func(host string) string {
		for line := range strings.Lines(s.MustRun("lars", "agent", "hosts", "1", "1")) {
			if strings.HasPrefix(line, host+" ") {
				return strings.Join(strings.Fields(line), " ")
			}
		}
		return ""
	}
	eventually.True(t, patience, "the drained host is shown so", func() bool { return strings.HasSuffix(line(drained), " drained: weight 0") })
	for range 200 {
		callOnce(t, c)
	}
	if got := line(bad); !strings.Contains(got, " 100 idle ") || !strings.HasSuffix(got, " ok") {
		t.Errorf("before the fault: %q", got)
	}

	_ = listeners[3].Close()
	eventually.True(t, patience, "the host is out", func() bool { callOnce(t, c); return s.Agent.Said("host ejected") })
	got := line(bad)
	if !strings.Contains(got, bad+" 100 out ") || !strings.Contains(got, " calls bad") ||
		!strings.Contains(got, "failing: ") && !strings.Contains(got, "unreachable: ") {
		t.Errorf("after the fault: %q", got)
	}
	if out := s.MustRun("lars", "agent", "modules"); !strings.Contains(strings.Join(strings.Fields(out), " "), " 1 1 adaptive 4 2 1 1 ") {
		t.Errorf("modules:\n%s", out)
	}

	ln, err := net.Listen("tcp", bad)
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	eventually.True(t, patience, "the host is back", func() bool { callOnce(t, c); return s.Agent.Said("host is back") })
	if got := line(bad); !strings.Contains(got, " returning ") || !strings.Contains(got, "back: probes were good") {
		t.Errorf("after the return: %q", got)
	}
	called := make([]string, 300)
	for i := range called {
		called[i] = callOnce(t, c)
	}
	if !slices.Contains(called, bad) || slices.Contains(called, drained) {
		t.Error("a host that is back is not called, or one that is drained")
	}
	if strings.Count(s.Agent.Log(), `"msg":"host ejected"`) != 1 {
		t.Errorf("log:\n%s", s.Agent.Log())
	}
}

// Another policy holds from a reload on, for hosts that are there.
func TestPolicyChangesOnReload(t *testing.T) {
	s := larstest.NewSuite(t, programs, larstest.Options{})
	addHosts(t, s.Store(), entry(t, module1, "127.0.0.1:1"))
	s.Start()
	c := newClient(t, s.AgentAddr)
	waitHost(t, c, module1, "127.0.0.1:1")
	if out := s.MustRun("lars", "agent", "hosts", "1", "1"); !strings.Contains(out, "policy classic") || !strings.Contains(out, "ok: 0 of 0 calls bad in this window") {
		t.Errorf("before:\n%s", out)
	}
	replaceInFile(t, s.Agent.Conf(), "policy = classic\n", "policy = adaptive\ncheck_none = 1:1\n")
	s.Agent.Signal(syscall.SIGHUP)
	s.Agent.WaitFor("reloaded")
	if log := s.Agent.Log(); !strings.Contains(log, `"applied":"[loadbalance] policy, [loadbalance] check_none"`) {
		t.Errorf("log:\n%s", log)
	}
	if out := s.MustRun("lars", "agent", "hosts", "1", "1", "--json"); !strings.Contains(out, `"policy": "adaptive"`) || !strings.Contains(out, `"tcp_check": false`) {
		t.Errorf("after:\n%s", out)
	}
	mustServe(t, c, module1)
}
