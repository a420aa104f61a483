package main

import (
	"bytes"
	"context"
	"math"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/lars-lb/lars/api/lars/fakeagent"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func startAgent(t *testing.T) *fakeagent.Agent {
	t.Helper()
	agent, err := fakeagent.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(agent.Close)
	t.Setenv("LARS_AGENT", agent.Addr())
	return agent
}

// example runs the program.
func example(t *testing.T, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, err bytes.Buffer
	code = run(t.Context(), args, &out, &err)
	return code, out.String(), err.String()
}

func TestHost(t *testing.T) {
	agent := startAgent(t)
	agent.SetRoute(1, 1, "192.168.1.177:7777")
	agent.SetRoute(-5, 1, "10.0.0.1:80", "10.0.0.2:80")
	for _, row := range []struct{ args, want string }{
		{"1 1", "route of (1,1):\n  192.168.1.177:7777\nhost is 192.168.1.177:7777\nreported the call as a success\n"},
		{"-- -5 1", "route of (-5,1):\n  10.0.0.1:80\n  10.0.0.2:80\nhost is 10.0.0.1:80\nreported the call as a success\n"},
		{"-5 1", "route of (-5,1):\n  10.0.0.1:80\n  10.0.0.2:80\nhost is 10.0.0.2:80\nreported the call as a success\n"},
	} {
		if code, out, err := example(t, strings.Fields(row.args)...); code != 0 || out != row.want || err != "" {
			t.Errorf("example %s: exit %d\n%s%s\nwant\n%s", row.args, code, out, err, row.want)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	reports, err := agent.Reports(ctx, 3)
	if err != nil || reports[0].Host != "192.168.1.177:7777" || reports[0].Retcode != 0 {
		t.Errorf("reports %+v, %v", reports, err)
	}
}

func TestAgentFlag(t *testing.T) {
	agent := startAgent(t)
	agent.SetRoute(1, 1, "10.0.0.1:80")
	t.Setenv("LARS_AGENT", "nonsense")
	if code, _, err := example(t, "-agent", agent.Addr(), "1", "1"); code != 0 {
		t.Errorf("exit %d: %s", code, err)
	}
	if code, _, err := example(t, "1", "1"); code != 2 || !strings.HasPrefix(err, "example: ") || !strings.Contains(err, `"nonsense" is not IP:PORT`) {
		t.Errorf("with a bad address: exit %d: %s", code, err)
	}
}

func TestFailures(t *testing.T) {
	agent := startAgent(t)
	agent.SetRoute(3, 3, "10.0.0.1:80")
	agent.SetRetcode(3, 3, 1)
	for _, row := range []struct{ args, want string }{
		{"9 9", "lars route add 9 9 IP:PORT"},
		{"-5 1", "module does not exist"},
		{strconv.Itoa(math.MaxInt32) + " 1", "module does not exist"},
		{strconv.Itoa(math.MinInt32) + " 0", "module does not exist"},
		{"3 3", "every host of the module is overloaded"},
	} {
		code, out, err := example(t, strings.Fields(row.args)...)
		if code != 1 || strings.Contains(out, "host is") || !strings.Contains(err, row.want) {
			t.Errorf("example %s: exit %d, %q, %q", row.args, code, out, err)
		}
	}
	agent.Close()
	code, out, err := example(t, "1", "1")
	if code != 1 || out != "" || !strings.Contains(err, "agent does not answer") || !strings.Contains(err, "start lars-lb-agent") {
		t.Errorf("without an agent: exit %d, %q, %q", code, out, err)
	}
}

func TestUsage(t *testing.T) {
	t.Setenv("LARS_AGENT", "")
	for _, row := range []struct {
		args string
		code int
		want string
	}{
		{"", 2, "give two numbers"},
		{"1", 2, "give two numbers"},
		{"1 1 1", 2, "give two numbers"},
		{"one 1", 2, `MODID "one" is not a whole number`},
		{"1 1.5", 2, `CMDID "1.5" is not a whole number`},
		{"1 2147483648", 2, `CMDID "2147483648" is not a whole number from -2147483648 to 2147483647`},
		{"-99999999999 1", 2, `MODID "-99999999999"`},
		{"-nonsense 1 1", 2, "example: flag provided but not defined: -nonsense\n"},
		{"--version", 2, "example: flag provided but not defined: -version\n"},
		{"-agent", 2, "example: flag needs an argument: -agent\n"},
		{"one -5", 2, `MODID "one"`},
		{"-h", 0, "usage: example"},
	} {
		code, out, err := example(t, strings.Fields(row.args)...)
		if code != row.code || out != "" || !strings.Contains(err, row.want) || !strings.Contains(err, "usage: example") {
			t.Errorf("example %s: exit %d, %q, %q; want exit %d and %q", row.args, code, out, err, row.code, row.want)
		}
	}
}
