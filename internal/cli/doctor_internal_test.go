package cli

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/inspect"
	"github.com/lars-lb/lars/internal/store"
)

func jsonStats(t *testing.T, text string) stats {
	t.Helper()
	var s stats
	if text == "" {
		text = "{}"
	}
	if err := json.Unmarshal([]byte(text), &s.root); err != nil {
		t.Fatalf("%v: %s", err, text)
	}
	return s
}

// patient is a suite of which nothing is wrong.
func patient(t *testing.T) *suite {
	ok := func(program, conf, listen, text string) *daemon {
		return &daemon{
			program: program, conf: conf, admin: "127.0.0.1:1", listen: listen, version: program + " v1.0.0 go1.26 linux/amd64",
			health: &condition{OK: true}, ready: &condition{OK: true}, before: jsonStats(t, text), now: jsonStats(t, text),
			openFDs: 20, maxFDs: 1024,
		}
	}
	return &suite{
		interval: time.Second,
		daemons: []*daemon{
			ok(dnsProgram, "dns.conf", "127.0.0.1:7778", `{"ready": true, "modules": 1, "stale": false, "shrink_held": 0, "database_errors": 5, "tcp": {"open": 1, "max_open": 9}}`),
			ok(reporterProgram, "reporter.conf", "127.0.0.1:7779", `{"pending": 1, "pending_max": 100, "dropped_full": 3, "db_errors": 5}`),
			ok(agentProgram, "agent.conf", "", `{"dns": {"open": 1}, "reporter": {"open": 1}, "udp": [{"kernel_dropped": 0}], "routes": [{"pulling": 2, "pulls_overdue": 7}],
				"loops": [{"name": "udp0", "turns": {"sum_seconds": 5.0}}]}`),
		},
		ports:    []*agentPorts{{addr: "127.0.0.1:8888", conf: "agent.conf"}},
		database: &database{name: "mysql a:1/b", have: 3, want: 3, remote: true, skew: time.Second},
	}
}

const dns, reporter, agent = 0, 1, 2

func TestRules(t *testing.T) {
	now := func(which int, text string) func(*testing.T, *suite) {
		return func(t *testing.T, s *suite) { s.daemons[which].now = jsonStats(t, text) }
	}
	both := func(which int, text string) func(*testing.T, *suite) {
		return func(t *testing.T, s *suite) {
			s.daemons[which].before, s.daemons[which].now = jsonStats(t, text), jsonStats(t, text)
		}
	}
	for _, c := range []struct {
		name string
		harm func(*testing.T, *suite)
		want []string // "severity: rule: what", each a prefix
	}{
		{"nothing", func(*testing.T, *suite) {}, nil},
		{"stopped", func(_ *testing.T, s *suite) {
			s.daemons[dns].err, s.daemons[dns].listenErr = errors.New("refused"), errors.New("refused")
		}, []string{"error: daemon not reachable: it does not answer"}},
		{"hangs", func(_ *testing.T, s *suite) { s.daemons[dns].err = errors.New("timeout") },
			[]string{"error: daemon not reachable: it does not answer at its admin address, but somebody listens"}},
		{"another agent", func(_ *testing.T, s *suite) { s.daemons[agent].err = errors.New("refused") },
			[]string{"error: daemon not reachable: another agent has its UDP ports"}},
		{"agent stopped", func(_ *testing.T, s *suite) {
			s.daemons[agent].err = errors.New("refused")
			s.ports[0].failed, s.ports[0].errs = []int{0, 1, 2}, []error{errors.New("refused")}
		}, []string{"error: daemon not reachable: it does not answer", "error: agent ports: no agent answers programs on this machine"}},
		{"one port", func(_ *testing.T, s *suite) {
			s.ports[0].failed, s.ports[0].errs = []int{1}, []error{errors.New("refused")}
		},
			[]string{"error: agent ports: some of the agent's UDP ports do not answer"}},
		{"ports twice", func(_ *testing.T, s *suite) {
			s.ports = append(s.ports, &agentPorts{addr: "127.0.0.1:8890", conf: "b.conf"}, &agentPorts{addr: "127.0.0.2:8890", conf: "c.conf"}, &agentPorts{addr: "127.0.0.1:8893", conf: "d.conf"})
		}, []string{"error: ports used twice: two agents"}},
		{"no admin", func(_ *testing.T, s *suite) { s.daemons[dns].admin = "" }, []string{"note: no admin address"}},
		{"no admin and no port", func(_ *testing.T, s *suite) {
			s.daemons[dns].admin, s.daemons[dns].listenErr = "", errors.New("refused")
		}, []string{"error: port closed", "note: no admin address"}},
		{"versions", func(_ *testing.T, s *suite) { s.daemons[dns].version = "lars-dns v0.9 go1.26 linux/amd64" }, []string{"warning: versions differ"}},
		{"stuck", func(_ *testing.T, s *suite) {
			s.daemons[agent].health = &condition{Reasons: []string{"event loop udp0 is stuck"}}
		}, []string{"error: event loop stuck: it lives"}},
		{"not ready", func(_ *testing.T, s *suite) { s.daemons[dns].ready = &condition{Reasons: []string{"no database"}} }, []string{"error: not ready"}},
		{"older than readyz", func(_ *testing.T, s *suite) { s.daemons[dns].ready, s.daemons[dns].health = nil, nil }, nil},
		{"says", func(_ *testing.T, s *suite) { s.daemons[dns].ready.Reasons = []string{"no database"} }, []string{"warning: says"}},
		{"busy loop", now(agent, `{"loops": [{"name": "udp0", "turns": {"sum_seconds": 5.9}}]}`), []string{"warning: event loop at its limit: event loop udp0"}},
		{"descriptors", func(_ *testing.T, s *suite) { s.daemons[dns].openFDs = 900 }, []string{"warning: descriptors"}},
		{"no descriptors", func(_ *testing.T, s *suite) { s.daemons[dns].openFDs = 1020 }, []string{"error: descriptors"}},
		{"snapshot failed", both(dns, `{"modules": 1, "snapshot": {"failures": 2}}`), []string{"warning: snapshot"}},
		{"snapshot fails", func(t *testing.T, s *suite) {
			s.daemons[agent].before = jsonStats(t, `{"snapshot": {"failures": 1}}`)
			s.daemons[agent].now = jsonStats(t, `{"snapshot": {"failures": 2}}`)
		}, []string{"error: snapshot"}},
		{"not connected", both(agent, `{"dns": {"open": 0}, "reporter": {"open": 0}}`),
			[]string{"error: agent not connected: it has no connection to lars-dns", "warning: agent not connected: it has no connection to lars-reporter"}},
		{"pulls", now(agent, `{"dns": {"open": 1}, "routes": [{"pulling": 2, "pulls_overdue": 8}]}`), []string{"warning: pulls unanswered"}},
		{"no pulls waiting", now(agent, `{"dns": {"open": 1}, "routes": [{"pulling": 0, "pulls_overdue": 8}]}`), nil},
		{"kernel dropped", both(agent, `{"udp": [{"kernel_dropped": 3}, {"kernel_dropped": 4}]}`), []string{"warning: datagrams dropped by the kernel: the kernel has dropped"}},
		{"kernel drops", now(agent, `{"udp": [{"kernel_dropped": 0}, {"kernel_dropped": 4}]}`), []string{"error: datagrams dropped by the kernel: the kernel drops"}},
		{"checks", func(t *testing.T, s *suite) {
			s.daemons[agent].before = jsonStats(t, `{"checks": {"unknown": 1, "dropped": 1}}`)
			s.daemons[agent].now = jsonStats(t, `{"checks": {"unknown": 2, "dropped": 2}}`)
		}, []string{"warning: checks cannot be made: the agent cannot", "warning: checks cannot be made: more TCP"}},
		{"unknown reports", func(t *testing.T, s *suite) {
			s.daemons[agent].before = jsonStats(t, `{"routes": [{"reports": 1, "reports_unknown": 1}]}`)
			s.daemons[agent].now = jsonStats(t, `{"routes": [{"reports": 2, "reports_unknown": 9}]}`)
		}, []string{"warning: reports ignored"}},
		{"refused", both(dns, `{"modules": 1, "tcp": {"rejected_max_conn": 4, "open": 9, "max_open": 9}}`), []string{"warning: connections refused"}},
		{"half full", both(reporter, `{"pending": 51, "pending_max": 100, "dropped_full": 3}`), []string{"warning: reporter is full: more than half"}},
		{"full", now(reporter, `{"pending": 100, "pending_max": 100, "dropped_full": 9}`), []string{"error: reporter is full: it drops counts"}},
		{"queue half full", both(reporter, `{"queued": 51, "queue_max": 100}`), []string{"warning: reporter is full: more than half"}},
		{"queue full", func(t *testing.T, s *suite) {
			s.daemons[reporter].before = jsonStats(t, `{"queued": 99, "queue_max": 100, "refused_full": 1}`)
			s.daemons[reporter].now = jsonStats(t, `{"queued": 99, "queue_max": 100, "refused_full": 2}`)
		}, []string{"error: reporter is full: it closes connections"}},
		{"restarted", now(reporter, `{"pending": 1, "pending_max": 100, "dropped_full": 0}`), nil},
		{"stale", both(dns, `{"ready": true, "modules": 1, "stale": true}`), []string{"warning: stale routes"}},
		{"held", both(dns, `{"ready": true, "modules": 1, "shrink_held": 1}`), []string{"error: change held back"}},
		{"no routes", both(dns, `{"ready": true, "modules": 0}`), []string{"warning: no routes"}},
		{"not ready, so no routes", both(dns, `{"ready": false, "modules": 0}`), nil},
		{"bad rows", both(dns, `{"modules": 1, "skipped_rows": 1, "clamped_rows": 2, "oversized_modules": 3}`), []string{"warning: bad rows"}},
		{"stale modules", both(agent, `{"routes": [{"stale_modules": 2}]}`), []string{"warning: stale modules"}},
		{"out", func(_ *testing.T, s *suite) {
			s.daemons[agent].modules = []inspect.Module{
				{ModID: 1, Hosts: 2, Overload: 2, Mood: inspect.Blackout}, {ModID: 2, Hosts: 2, Drained: 2, Mood: inspect.Calm},
				{ModID: 3, Hosts: 2, Idle: 1, Overload: 1, Mood: inspect.SharedCause}, {ModID: 4, Hosts: 2, Idle: 2, Mood: inspect.Calm},
			}
		}, []string{"error: hosts out: every host of 1 module is out", "warning: hosts out: every host of 1 module is drained", "warning: hosts out: most hosts"}},
		{"no database", func(_ *testing.T, s *suite) { s.database.err = fmt.Errorf("open: %w", store.ErrNoDatabase) }, []string{"error: database: it does not exist"}},
		{"database down", func(_ *testing.T, s *suite) { s.database.err = errors.New("refused") }, []string{"error: database: it does not answer"}},
		{"old tables", func(_ *testing.T, s *suite) { s.database.have = 2 }, []string{"error: database: its tables are older"}},
		{"new tables", func(_ *testing.T, s *suite) { s.database.have = 4 }, []string{"warning: database: its tables are newer"}},
		{"clock", func(_ *testing.T, s *suite) { s.database.skew = -3 * time.Second }, []string{"warning: database: its clock"}},
		{"wrong clock", func(_ *testing.T, s *suite) { s.database.skew = 2 * time.Minute }, []string{"error: database: its clock"}},
		{"own clock", func(_ *testing.T, s *suite) { s.database.skew, s.database.remote = time.Hour, false }, nil},
		{"database errors", now(dns, `{"modules": 1, "database_errors": 6}`), []string{"warning: database errors"}},
		{"reporter's errors", now(reporter, `{"db_errors": 6}`), []string{"warning: database errors"}},
		{"not asked", func(_ *testing.T, s *suite) { s.database = nil; s.remark("x", "y", "z", "do") }, []string{"note: not asked: y"}},
	} {
		s := patient(t)
		c.harm(t, s)
		var got []string
		for _, f := range diagnose(s) {
			got = append(got, fmt.Sprintf("%s: %s: %s", f.Severity, f.Rule, f.What))
			if f.Where == "" || f.Evidence == "" || f.Do == "" || strings.Contains(f.Evidence, "%!") {
				t.Errorf("%s: %+v", c.name, f)
			}
		}
		if !slices.EqualFunc(got, c.want, strings.HasPrefix) {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

func TestStatsPaths(t *testing.T) {
	s := jsonStats(t, `{"a": {"b": [{"n": 1}, {"n": 2}]}, "t": true, "m": {"x": 3, "y": 4}, "text": "5"}`)
	for path, want := range map[string]float64{"a.b.n": 3, "t": 1, "m.*": 7, "m.x": 3} {
		if n, ok := s.sum(path); n != want || !ok {
			t.Errorf("%s is %v, %v; want %v", path, n, ok, want)
		}
	}
	for _, path := range []string{"a", "a.b", "a.c", "text", "m", ""} {
		if n, ok := s.sum(path); ok {
			t.Errorf("%s is %v", path, n)
		}
	}
}

func TestProgramOf(t *testing.T) {
	for file, want := range map[string]string{
		"conf/lars-dns.conf": dnsProgram, "lars_dns.conf": dnsProgram, "a/lars-reporter-2.conf": reporterProgram,
		"lars_lb_agent.conf": agentProgram, "lars.conf": "", "my-lars-dns.conf": "",
	} {
		if got := programOf(file); got != want {
			t.Errorf("%s is of %q, want %q", file, got, want)
		}
	}
}
