package lbagent_test

import (
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/balance"
	"github.com/lars-lb/lars/internal/eventually"
	"github.com/lars-lb/lars/internal/inspect"
	"github.com/lars-lb/lars/internal/lbagent"
	"github.com/lars-lb/lars/internal/route"
)

// adminOf asks the routes that an agent adds to its admin server.
func adminOf(t *testing.T, a *lbagent.Agent) func(path string, value any) (status int) {
	t.Helper()
	mux := http.NewServeMux()
	a.Route(mux)
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	return func(path string, value any) int {
		t.Helper()
		response, err := server.Client().Get(server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(body, value); err != nil || response.Header.Get("Content-Type") != "application/json" {
			t.Fatalf("%s is answered %d %q: %v", path, response.StatusCode, body, err)
		}
		return response.StatusCode
	}
}

func TestAdminModules(t *testing.T) {
	dns := newFakeDNS(t)
	a, _ := startAgent(t, dns.addr, nowhere, func(c *lbagent.Config) {
		c.Settings.Balance.Policy = balance.Adaptive
		c.Settings.Checks = map[route.Module]bool{{ModID: -5, CmdID: 1}: false}
	})
	get := adminOf(t, a)
	var answer inspect.Modules
	if status := get("/modules", &answer); status != http.StatusOK || answer.Modules == nil || len(answer.Modules) != 0 {
		t.Errorf("without modules: %d %+v", status, answer)
	}
	const others = 300 // on more than one line, and of all RouteLBs
	for i := range int32(others) {
		id := route.Module{ModID: 100, CmdID: i}
		dns.set(id, hostA)
		callerOf(t, a, id).getHost(1, id)
	}
	dns.set(module1, hostA, hostB)
	dns.set(route.Module{ModID: -5, CmdID: 1}, hostB)
	for _, id := range []route.Module{module1, {ModID: -5, CmdID: 1}, {ModID: 9, CmdID: 9}} {
		callerOf(t, a, id).getHost(1, id)
	}
	eventually.True(t, patience, "all routes are there", func() bool {
		get("/modules", &answer)
		return len(answer.Modules) == others+2
	})
	first, second := answer.Modules[0], answer.Modules[1]
	if first.ModID != -5 || first.Policy != "adaptive" || first.TCPCheck || first.Hosts != 1 || first.RouteAgeMS < 0 || first.RouteAgeMS > patience.Milliseconds() {
		t.Errorf("first is %+v", first)
	}
	if second.ModID != 1 || !second.TCPCheck || second.Hosts != 2 || second.Idle != 2 || second.Mood != inspect.Calm || second.NormalBadShare != 0.01 {
		t.Errorf("second is %+v", second)
	}
	for i, m := range answer.Modules[2:] {
		if m.ModID != 100 || m.CmdID != int32(i) {
			t.Fatalf("module %d is (%d,%d)", i, m.ModID, m.CmdID)
		}
	}
}

func TestAdminHosts(t *testing.T) {
	dns := newFakeDNS(t)
	dns.set(module1, hostA, hostB, route.Host{IP: 0x0a000003, Port: 82})
	a, _ := startAgent(t, dns.addr, nowhere, func(c *lbagent.Config) {
		c.Settings.Balance.Policy, c.Settings.Balance.Check = balance.Adaptive, false
	})
	get := adminOf(t, a)
	c := callerOf(t, a, module1)
	c.waitFor(module1)
	var answer inspect.Hosts
	start := time.Now()
	eventually.True(t, patience, "the host that fails is out", func() bool {
		for n := range uint32(30) {
			h := c.getHost(n, module1).Host
			host := route.Host{IP: uint32(h.Ip), Port: uint16(h.Port)}
			c.report(module1, host, map[bool]int32{true: 1}[host == hostA])
		}
		return get("/hosts?modid=1&cmdid=1", &answer) == http.StatusOK && answer.Module.Overload == 1
	})
	m, out, in := answer.Module, answer.Hosts[2], answer.Hosts[0] // by address: 10.0.0.2 is first
	if m.ModID != 1 || m.CmdID != 1 || m.Hosts != 3 || m.Idle != 2 || len(answer.Hosts) != 3 {
		t.Errorf("module is %+v", m)
	}
	if out.Host != hostA.String() || out.State != inspect.Overload || out.Reason.Cause != "failing" ||
		out.Reason.Bad == 0 || !strings.HasPrefix(out.Why, "failing: ") || out.NextProbeMS == nil || out.NeedProbes == 0 || out.Classic != nil {
		t.Errorf("the host that fails is %+v", out)
	}
	if since := time.UnixMilli(out.SinceUnixMS); since.Before(start.Add(-time.Second)) || since.After(time.Now().Add(time.Second)) || out.SinceMS < 0 {
		t.Errorf("it is out since %v, for %d ms", since, out.SinceMS)
	}
	if in.Host != hostB.String() || in.State != inspect.Idle || in.Weight != route.DefaultWeight || in.TrafficShare != 1 || in.Why != "ok" || in.NextProbeMS != nil {
		t.Errorf("a host that works is %+v", in)
	}
}

func TestAdminHostsOfClassic(t *testing.T) {
	dns := newFakeDNS(t)
	dns.set(module1, hostA)
	a, _ := startAgent(t, dns.addr, nowhere, nil)
	get := adminOf(t, a)
	c := callerOf(t, a, module1)
	c.waitFor(module1)
	c.report(module1, hostA, 0)
	c.report(module1, hostA, 1)
	c.getHost(1, module1) // the reports, sent before, are counted now
	var answer inspect.Hosts
	if status := get("/hosts?modid=1&cmdid=1", &answer); status != http.StatusOK || len(answer.Hosts) != 1 {
		t.Fatalf("%d %+v", status, answer)
	}
	h := answer.Hosts[0]
	want := inspect.Classic{VirtualSucc: 181, VirtualErr: 1, Succ: 1, Err: 1, ContinErr: 1}
	if h.Classic == nil || *h.Classic != want || h.Why != "ok: 1 of 2 calls bad in this window" || answer.Module.TCPCheck {
		t.Errorf("%+v, %+v", h, h.Classic)
	}
}

func TestAdminRefusals(t *testing.T) {
	dns := newFakeDNS(t)
	a, _ := startAgent(t, dns.addr, nowhere, nil)
	get := adminOf(t, a)
	for path, want := range map[string]struct {
		status int
		says   string
	}{
		"/hosts?modid=9&cmdid=-9":                 {404, "the agent has no hosts of module (9,-9): nobody has asked it for that yet, or lars-dns has no such route"},
		"/hosts":                                  {400, "want the parameters modid and cmdid, once each, as in /hosts?modid=1&cmdid=1"},
		"/hosts?modid=1":                          {400, "want the parameters modid and cmdid, once each, as in /hosts?modid=1&cmdid=1"},
		"/hosts?modid=1&cmdid=1&cmdid=2":          {400, "want the parameters modid and cmdid, once each, as in /hosts?modid=1&cmdid=1"},
		"/hosts?modid=x&cmdid=1":                  {400, `modid "x" is not a whole number from -2147483648 to 2147483647`},
		"/hosts?modid=1&cmdid=2147483648":         {400, `cmdid "2147483648" is not a whole number from -2147483648 to 2147483647`},
		"/hosts?modid=1&cmdid=1&limit=5":          {400, `parameter "limit" is unknown`},
		"/modules?modid=1":                        {400, `parameter "modid" is unknown`},
		"/hosts?modid=-2147483648&cmdid=%20%3C1>": {400, `cmdid " <1>" is not a whole number from -2147483648 to 2147483647`},
	} {
		var answer inspect.Error
		if status := get(path, &answer); status != want.status || answer.Error != want.says {
			t.Errorf("%s: %d %q, want %d %q", path, status, answer.Error, want.status, want.says)
		}
	}
}
