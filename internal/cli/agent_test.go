package cli_test

import (
	"testing"
	"time"

	"github.com/lars-lb/lars/api/lars/fakeagent"
)

func TestAgentCommands(t *testing.T) {
	agent := useAgent(t)
	agent.SetRoute(1, 1, "192.168.1.177:7777", "192.168.1.178:7777")
	agent.SetRoute(-5, -1, "10.0.0.1:80")

	check(t, "get 1 1", "192.168.1.177:7777\n")
	checkJSON(t, "get 1 1", `{"modid": 1, "cmdid": 1, "host": "192.168.1.178:7777"}`)
	check(t, "get -5 -1", "10.0.0.1:80\n")
	check(t, "get -- -5 -1", "10.0.0.1:80\n")
	check(t, "get -5 -- -1", "10.0.0.1:80\n")
	check(t, "get -5 --timeout 9s -1 --json=false", "10.0.0.1:80\n")
	check(t, "--timeout 9s get -5 -1 --agent "+agent.Addr(), "10.0.0.1:80\n")

	check(t, "route 1 1", "192.168.1.177:7777\n192.168.1.178:7777\n")
	check(t, "route -5 -1", "10.0.0.1:80\n")
	checkJSON(t, "route 1 1", `{"modid": 1, "cmdid": 1, "hosts": ["192.168.1.177:7777", "192.168.1.178:7777"]}`)

	check(t, "register -5 -1", "the agent has the route of (-5,-1)\n")
	checkJSON(t, "register 1 1", `{"modid": 1, "cmdid": 1, "registered": true}`)

	check(t, "report 1 1 192.168.1.178:7777 0 --cost 3ms", "reported a success of 192.168.1.178:7777 for (1,1)\n")
	check(t, "report -5 -1 10.0.0.1:80 -7", "reported a failure of 10.0.0.1:80 for (-5,-1)\n")
	checkJSON(t, "report 1 1 192.168.1.177:7777 1 --cost 1s", `{"modid": 1, "cmdid": 1, "host": "192.168.1.177:7777", "retcode": 1, "cost_us": 1000000}`)
	for i, want := range []fakeagent.Report{
		{ModID: 1, CmdID: 1, Host: "192.168.1.178:7777", Retcode: 0, Cost: 3 * time.Millisecond},
		{ModID: -5, CmdID: -1, Host: "10.0.0.1:80", Retcode: -7},
		{ModID: 1, CmdID: 1, Host: "192.168.1.177:7777", Retcode: 1, Cost: time.Second},
	} {
		// Reports on modules of different ports may overtake each other.
		found := false
		for _, got := range waitReports(t, agent, 3) {
			found = found || got == want
		}
		if !found {
			t.Errorf("report %d, %+v, did not arrive", i, want)
		}
	}
}

func TestAgentFailures(t *testing.T) {
	agent := useAgent(t)
	agent.SetRoute(1, 1, "10.0.0.1:80")
	agent.SetRetcode(1, 1, 1)
	checkFails(t, "get 1 1", 1, "every host of the module is overloaded", "(1,1)", "call later")
	checkFails(t, "get 9 9", 1, "module does not exist", "add a host (lars route add 9 9 IP:PORT), or see whether the agent reaches lars-dns")
	checkFails(t, "route -9 9", 1, "module does not exist")
	checkFails(t, "register 9 9 --timeout 30ms", 1, "(9,9)")
	checkFails(t, "report 1 1 10.0.0.2:80 0", 1, "host 10.0.0.2:80 is not in the route of (1,1), which is [10.0.0.1:80]")
	checkFails(t, "report 9 9 10.0.0.2:80 0", 1, "module does not exist")
	agent.Close()
	for _, line := range []string{"get 1 1", "route 1 1", "register 1 1 --timeout 30ms", "report 1 1 10.0.0.1:80 0"} {
		checkFails(t, line, 1, "agent does not answer", "start lars-lb-agent on "+agent.Addr())
	}
}

// TestAgentFlag names the agent by flag, against a bad environment.
func TestAgentFlag(t *testing.T) {
	agent := useAgent(t)
	agent.SetRoute(1, 1, "10.0.0.1:80")
	t.Setenv("LARS_AGENT", "nonsense")
	check(t, "get 1 1 --agent "+agent.Addr(), "10.0.0.1:80\n")
	checkFails(t, "get 1 1", 2, `agent address "nonsense"`)
}
