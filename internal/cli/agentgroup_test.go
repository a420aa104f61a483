package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/lars-lb/lars/internal/cli"
	"github.com/lars-lb/lars/internal/inspect"
)

// useAdmin starts an admin server that the commands of this test ask, with
// answers by path and query.
func useAdmin(t *testing.T, answers map[string]any) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		answer, ok := answers[r.URL.RequestURI()]
		if !ok {
			w.WriteHeader(http.StatusNotFound)
			answer = inspect.Error{Error: "the agent has no hosts of module (9,9): nobody has asked it"}
		}
		_ = json.NewEncoder(w).Encode(answer)
	}))
	t.Cleanup(server.Close)
	t.Setenv("LARS_ADMIN", server.Listener.Addr().String())
	return server
}

func ms(n int64) *int64 { return &n }

func hostsOfModule1() inspect.Hosts {
	return inspect.Hosts{
		Module: inspect.Module{
			ModID: 1, CmdID: 1, Policy: "adaptive", Hosts: 5, Idle: 3, Overload: 1, Drained: 1,
			Mood: inspect.Calm, NormalBadShare: 0.0021,
		},
		Hosts: []inspect.Host{
			{
				Host: "10.0.0.5:80", Weight: 100, State: inspect.Idle, SinceMS: 3_600_000, TrafficShare: 1, RecentCalls: 500,
				BadShare: 0.002, NormalBadShare: 0.0021, CostUS: 2600, PeerCostUS: 2700, Unreported: 3, Why: "ok",
			},
			{
				Host: "10.0.0.6:80", Weight: 50, State: inspect.Idle, SinceMS: 4200, TrafficShare: 0.4, NormalBadShare: 0.0021,
				Why: "back: probes were good, its share grows",
			},
			{
				Host: "10.0.0.7:80", Weight: 100, State: inspect.Overload, SinceMS: 11_300, RecentCalls: 20, BadShare: 0.25,
				Reason:         inspect.Reason{Cause: "failing", Bad: 5, Calls: 5},
				NormalBadShare: 0.0021, NextProbeMS: ms(2300), Why: "failing: 5 of 5 calls bad, peers 0.2%",
			},
			{Host: "10.0.0.8:80", Weight: 0, Drained: true, State: inspect.Idle, SinceMS: 90_000_000, TrafficShare: 1, Why: "drained: weight 0"},
			{
				Host: "10.0.0.9:80", Weight: 100, State: inspect.Overload, SinceMS: 999, NextProbeMS: ms(0),
				Why: "unreachable: 2 of 2 calls bad and TCP connect failed",
			},
		},
	}
}

const hostsOfModule1Table = `(1,1): policy adaptive, 3 idle, 1 out, 1 drained; normal is 0.2% bad calls

HOST         WEIGHT  STATE          SINCE  BAD   PEERS  COST   PEER COST  UNREP.  PROBE      WHY
10.0.0.5:80  100     idle           1h0m   0.2%  0.2%   2.6ms  2.7ms      3       -          ok
10.0.0.6:80  50      returning 40%  4.2s   -     0.2%   -      -          0       -          back: probes were good, its share grows
10.0.0.7:80  100     out            11s    100%  0.2%   -      -          0       in 2.3s    failing: 5 of 5 calls bad, peers 0.2%
10.0.0.8:80  0       drained        25h0m  -     0%     -      -          0       -          drained: weight 0
10.0.0.9:80  100     out            999ms  -     0%     -      -          0       next call  unreachable: 2 of 2 calls bad and TCP connect failed
`

func TestAgentHosts(t *testing.T) {
	shared, dark := hostsOfModule1(), hostsOfModule1()
	shared.Module.Mood, shared.Module.MoodLeftMS, shared.Hosts = inspect.SharedCause, ms(7000), nil
	dark.Module.Mood, dark.Hosts = inspect.Blackout, nil
	dark.Module.Stale, dark.Module.RouteAgeMS = true, 72*3_600_000
	useAdmin(t, map[string]any{
		"/hosts?cmdid=1&modid=1":   hostsOfModule1(),
		"/hosts?cmdid=2&modid=-5":  shared,
		"/hosts?cmdid=-2&modid=-5": dark,
		"/hosts?cmdid=3&modid=3": inspect.Hosts{
			Module: inspect.Module{ModID: 3, CmdID: 3, Policy: "classic", Hosts: 1, Overload: 1, Mood: inspect.Calm},
			Hosts: []inspect.Host{{
				Host: "10.0.0.5:80", Weight: 100, State: inspect.Overload, SinceMS: 1500, TrafficShare: 1,
				Classic: &inspect.Classic{VirtualErr: 6, Succ: 3, Err: 1, VirtualSucc: 3}, Why: "too many calls failed; since then 1 of 4 calls failed",
			}},
		},
	})
	const head = "HOST  WEIGHT  STATE  SINCE  BAD  PEERS  COST  PEER COST  UNREP.  PROBE  WHY\n"
	check(t, "agent hosts 1 1", hostsOfModule1Table)
	check(t, "agent hosts -5 2", "(-5,2): policy adaptive, 3 idle, 1 out, 1 drained; normal is 0.2% bad calls; most hosts looked bad at once, so none is ejected for 7s\n\n"+head)
	check(t, "agent hosts -5 -2", "(-5,-2): policy adaptive, 3 idle, 1 out, 1 drained; normal is 0.2% bad calls; every host fails, so only a trickle of calls is let through; the route is from a file, 3d old\n\n"+head)
	check(t, "agent hosts 3 3", `(3,3): policy classic, 0 idle, 1 out, 0 drained

HOST         WEIGHT  STATE  SINCE  BAD  PEERS  COST  PEER COST  UNREP.  PROBE  WHY
10.0.0.5:80  100     out    1.5s   25%  -      -     -          -       -      too many calls failed; since then 1 of 4 calls failed
`)
	want, err := json.Marshal(hostsOfModule1())
	if err != nil {
		t.Fatal(err)
	}
	checkJSON(t, "agent hosts 1 1", string(want))
}

func TestAgentModules(t *testing.T) {
	answers := map[string]any{"/modules": inspect.Modules{Modules: []inspect.Module{
		{ModID: -5, CmdID: 1, Policy: "classic", Hosts: 3, Idle: 3, Mood: inspect.Calm, RouteAgeMS: 4200},
		{ModID: 1, CmdID: 1, Policy: "adaptive", Hosts: 5, Idle: 2, Overload: 2, Drained: 1, Mood: inspect.Calm, NormalBadShare: 0.0021, RouteAgeMS: 14_000},
		{ModID: 1, CmdID: 2, Policy: "adaptive", Hosts: 9, Idle: 9, Mood: inspect.SharedCause, MoodLeftMS: ms(8000), NormalBadShare: 0.31, RouteAgeMS: 100},
		{ModID: 1, CmdID: 3, Policy: "classic", Hosts: 1, Idle: 1, Mood: inspect.Calm, RouteAgeMS: 26 * 3_600_000, Stale: true},
	}}}
	useAdmin(t, answers)
	check(t, "agent modules", `MODID  CMDID  POLICY    HOSTS  IDLE  OUT  DRAINED  NORMAL  MOOD                 ROUTE AGE
-5     1      classic   3      3     0    0        -       normal               4.2s
1      1      adaptive  5      2     2    1        0.2%    normal               14s
1      2      adaptive  9      9     0    0        31%     shared cause for 8s  100ms
1      3      classic   1      1     0    0        -       normal               26h0m stale
`)
	want, err := json.Marshal(answers["/modules"].(inspect.Modules).Modules)
	if err != nil {
		t.Fatal(err)
	}
	checkJSON(t, "agent modules", string(want))
	answers["/modules"] = inspect.Modules{Modules: []inspect.Module{}}
	checkEmpty(t, "agent modules", "MODID  CMDID  POLICY  HOSTS  IDLE  OUT  DRAINED  NORMAL  MOOD  ROUTE AGE\n",
		"no modules: an agent loads a route when a program asks for it first (lars register MODID CMDID)\n")
}

func TestAgentGroupFailures(t *testing.T) {
	server := useAdmin(t, nil)
	checkFails(t, "agent hosts 9 9", 1, "the agent has no hosts of module (9,9): nobody has asked it")
	addr := server.Listener.Addr().String()
	server.Close()
	for _, line := range []string{"agent hosts 1 1", "agent modules", "agent hosts 1 1 --watch"} {
		checkFails(t, line, 1, "no agent answers at its admin address "+addr, "connection refused",
			"set [admin] addr in lars-lb-agent's configuration")
	}
	for status, says := range map[int]string{
		http.StatusNotFound:           `is not the admin address of a lars-lb-agent, or of an older one (404 Not Found: "404 page not found")`,
		http.StatusServiceUnavailable: "is starting: try again",
	} {
		other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "404 page not found", status) }))
		checkFails(t, "agent modules --admin "+other.Listener.Addr().String(), 1, other.Listener.Addr().String()+" ", says)
		other.Close()
	}
	broken := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("ok\n")) }))
	defer broken.Close()
	checkFails(t, "agent modules --admin "+broken.Listener.Addr().String(), 1, "the answer of "+broken.Listener.Addr().String()+" is not that of the admin address of lars-lb-agent")

	// One that takes the connection and says nothing.
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	checkFails(t, "agent modules --timeout 20ms --admin "+silent.Addr().String(), 1, "no agent answers", "timeout")
}

// watching runs a command with --watch until the agent was asked so often.
func watching(t *testing.T, line string, questions int32, answer func(question int32) (status int, body any), s cli.Streams) (code int) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var asked atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		n := asked.Add(1)
		if n > questions {
			cancel() // Ctrl-C
			return
		}
		status, body := answer(n)
		w.WriteHeader(status)
		_ = json.NewEncoder(w).Encode(body)
	}))
	defer server.Close()
	t.Setenv("LARS_ADMIN", server.Listener.Addr().String())
	return cli.Run(ctx, "", strings.Fields(line), s)
}

func always(int32) (int, any) { return http.StatusOK, hostsOfModule1() }

func TestAgentHostsWatch(t *testing.T) {
	var out, errs bytes.Buffer
	code := watching(t, "agent hosts 1 1 --watch --interval 100ms", 3, always, cli.Streams{Out: &out, Err: &errs})
	if want := strings.Repeat(hostsOfModule1Table+"\n", 3); code != 0 || errs.Len() > 0 || out.String() != want {
		t.Errorf("exit %d, %s\n%s", code, &errs, &out)
	}

	// An agent that is restarted is waited for.
	out.Reset()
	restarting := func(question int32) (int, any) {
		if question == 2 {
			return http.StatusServiceUnavailable, "starting"
		}
		return always(question)
	}
	code = watching(t, "agent hosts 1 1 --watch --interval 100ms", 3, restarting, cli.Streams{Out: &out, Err: &errs})
	if want := strings.Repeat(hostsOfModule1Table+"\n", 2); code != 0 || out.String() != want || !strings.Contains(errs.String(), "is starting: try again\n") {
		t.Errorf("exit %d, %s\n%s", code, &errs, &out)
	}

	out.Reset()
	errs.Reset()
	code = watching(t, "agent hosts 1 1 --json --watch --interval 100ms", 2, always, cli.Streams{Out: &out, Err: &errs})
	decoder, n := json.NewDecoder(&out), 0
	for ; decoder.More(); n++ {
		var h inspect.Hosts
		if err := decoder.Decode(&h); err != nil || len(h.Hosts) != 5 {
			t.Fatalf("value %d: %v", n, err)
		}
	}
	if code != 0 || n != 2 || errs.Len() > 0 {
		t.Errorf("exit %d, %d values, %s", code, n, &errs)
	}
}
