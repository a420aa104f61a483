package lars_test

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/lars-lb/lars/api/lars"
	"github.com/lars-lb/lars/api/lars/fakeagent"
	"github.com/lars-lb/lars/internal/route"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds what a test waits for; nothing takes that long that works.
const patience = 20 * time.Second

// startAgent starts an agent at ports below those that the system gives to
// clients, so that one which is away for a while finds them free again.
func startAgent(t testing.TB) *fakeagent.Agent {
	t.Helper()
	var err error
	for range 200 {
		var addrs []string
		for range route.Shards {
			addrs = append(addrs, fmt.Sprintf("127.0.0.1:%d", 10_000+rand.IntN(20_000)))
		}
		var agent *fakeagent.Agent
		if agent, err = fakeagent.StartAt(strings.Join(addrs, ",")); err == nil {
			t.Cleanup(agent.Close)
			return agent
		}
	}
	t.Fatalf("no free port: %v", err)
	return nil
}

func newClient(t testing.TB, cfg lars.Config) *lars.Client {
	t.Helper()
	c, err := lars.NewClient(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return c
}

// start returns an agent and a patient client of it.
func start(t testing.TB) (*fakeagent.Agent, *lars.Client) {
	t.Helper()
	agent := startAgent(t)
	return agent, newClient(t, lars.Config{Agent: agent.Addr(), Timeout: patience})
}

func TestGetHost(t *testing.T) {
	agent, c := start(t)
	agent.SetRoute(1, 1, "192.168.1.177:7777", "255.255.255.255:65535", "0.0.0.1:1")
	for _, want := range []string{"192.168.1.177:7777", "255.255.255.255:65535", "0.0.0.1:1", "192.168.1.177:7777"} {
		h, err := c.GetHost(t.Context(), 1, 1)
		if err != nil || h.String() != want || h.AddrPort().String() != want {
			t.Errorf("GetHost = %v, %v; want %s", h, err, want)
		}
		parsed, err := lars.ParseHost(want)
		if err != nil || parsed != h {
			t.Errorf("ParseHost(%q) = %v, %v; want %v", want, parsed, err, h)
		}
	}
}

// TestShard sends every module to the port that owns it.
func TestShard(t *testing.T) {
	agent, c := start(t)
	for _, m := range []route.Module{
		{ModID: 0, CmdID: 0}, {ModID: 1, CmdID: 0}, {ModID: 1, CmdID: 1}, {ModID: -5, CmdID: 1}, {ModID: -1, CmdID: 0},
		{ModID: math.MaxInt32, CmdID: 1}, {ModID: math.MinInt32, CmdID: 0}, {ModID: math.MinInt32, CmdID: math.MinInt32},
	} {
		agent.SetRoute(m.ModID, m.CmdID, "10.0.0.1:80")
		if _, err := c.GetHost(t.Context(), m.ModID, m.CmdID); err != nil {
			t.Error(err)
		}
		if _, err := c.GetRoute(t.Context(), m.ModID, m.CmdID); err != nil {
			t.Error(err)
		}
		requests := agent.Requests()
		want := fakeagent.Request{Port: m.Shard(), ModID: m.ModID, CmdID: m.CmdID}
		if got := requests[len(requests)-2]; got != want {
			t.Errorf("GetHost of %v asked %+v, want %+v", m, got, want)
		}
		want.Route = true
		if got := requests[len(requests)-1]; got != want {
			t.Errorf("GetRoute of %v asked %+v, want %+v", m, got, want)
		}
	}
}

func TestGetRoute(t *testing.T) {
	agent, c := start(t)
	var want []string
	for i := range route.MaxHosts {
		want = append(want, route.Host{IP: math.MaxUint32 - uint32(i), Port: math.MaxUint16}.String())
	}
	agent.SetRoute(2, 3, want...)
	hosts, err := c.GetRoute(t.Context(), 2, 3)
	var got []string
	for _, h := range hosts {
		got = append(got, h.String())
	}
	if err != nil || !slices.Equal(got, want) {
		t.Errorf("GetRoute = %d hosts, %v; want the %d hosts set", len(got), err, len(want))
	}
}

func TestReport(t *testing.T) {
	agent, c := start(t)
	h, err := lars.ParseHost("192.168.1.177:7777")
	if err != nil {
		t.Fatal(err)
	}
	table := []struct {
		code lars.Code
		cost time.Duration
		want time.Duration
	}{
		{lars.Success, 3 * time.Millisecond, 3 * time.Millisecond},
		{lars.Failure, 0, 0},
		{-7, -time.Second, 0},
		{lars.Success, 1, time.Microsecond},
		{lars.Success, 1001, 2 * time.Microsecond},
		{lars.Success, math.MaxInt64, math.MaxUint32 * time.Microsecond},
	}
	for i, row := range table {
		if err := c.Report(-5, 1, h, row.code, row.cost); err != nil {
			t.Fatal(err)
		}
		want := fakeagent.Report{ModID: -5, CmdID: 1, Host: h.String(), Retcode: int32(row.code), Cost: row.want}
		if got := waitReports(t, agent, i+1)[i]; got != want {
			t.Errorf("reported %+v, want %+v", got, want)
		}
	}
	if err := c.Report(1, 1, lars.Host{}, lars.Success, 0); err == nil {
		t.Error("a report on no host succeeded")
	}
}

func waitReports(t *testing.T, agent *fakeagent.Agent, n int) []fakeagent.Report {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	reports, err := agent.Reports(ctx, n)
	if err != nil {
		t.Fatal(err)
	}
	return reports
}

func TestClosed(t *testing.T) {
	agent, c := start(t)
	agent.SetRoute(1, 1, "10.0.0.1:80")
	h, err := c.GetHost(t.Context(), 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := c.Close(); err != nil {
			t.Errorf("Close = %v", err)
		}
	}
	_, getHost := c.GetHost(t.Context(), 1, 1)
	_, getRoute := c.GetRoute(t.Context(), 1, 1)
	for name, err := range map[string]error{
		"GetHost":  getHost,
		"GetRoute": getRoute,
		"Report":   c.Report(1, 1, h, lars.Success, 0),
		"Register": c.Register(t.Context(), 1, 1),
		"Do":       c.Do(t.Context(), 1, 1, func(context.Context, string) error { t.Error("called"); return nil }),
	} {
		if !errors.Is(err, lars.ErrClosed) || errors.Is(err, lars.ErrAgentDown) {
			t.Errorf("%s of a closed client = %v", name, err)
		}
	}
}
