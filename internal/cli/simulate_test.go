package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"strings"
	"sync"
	"testing"

	"github.com/lars-lb/lars/api/lars/fakeagent"
	"github.com/lars-lb/lars/internal/cli"
)

// summary is what simulate prints with --json.
type summary struct {
	Calls, Succ, Fail, Overload, NoExist int
	Seed                                 uint64
	Hosts                                []struct {
		Host              string
		Calls, Succ, Fail int
		Share             float64
	}
}

func simulate(t *testing.T, line string) summary {
	t.Helper()
	r := lars(t, "--json simulate "+line)
	var s summary
	if err := json.Unmarshal([]byte(r.out), &s); err != nil || r.code != 0 || r.err != "" {
		t.Fatalf("simulate %s: %+v, %v", line, r, err)
	}
	return s
}

func TestSimulate(t *testing.T) {
	agent := useAgent(t)
	agent.SetRoute(1, 1, "10.0.0.1:80", "10.0.0.2:80")
	check(t, "simulate 1 1 --calls 4 --err-rate 1 --host-err 10.0.0.2:80=0 --seed 7 --cost 2ms", `HOST         CALLS  SUCC  FAIL  SHARE
10.0.0.1:80  2      0     2     50.0%
10.0.0.2:80  2      2     0     50.0%

4 calls of (1,1): 2 succeeded, 2 failed, 0 overloaded, 0 did not exist (seed 7)
`)
	reports := waitReports(t, agent, 4)
	for i, r := range reports {
		want := fakeagent.Report{ModID: 1, CmdID: 1, Host: "10.0.0.1:80", Retcode: 1, Cost: reports[0].Cost}
		if i%2 == 1 {
			want.Host, want.Retcode = "10.0.0.2:80", 0
		}
		if r != want || r.Cost.String() != "2ms" {
			t.Errorf("report %d is %+v, want %+v", i, r, want)
		}
	}

	// A seed decides everything; the share is roughly what was asked for.
	one := simulate(t, "1 1 --calls 400 --err-rate 0.25 --seed 42 --rate 1000000")
	two := simulate(t, "1 1 --calls 400 --err-rate 0.25 --seed 42")
	if one.Fail != two.Fail || one.Seed != 42 || one.Calls != 400 || one.Succ+one.Fail != 400 || one.Fail < 50 || one.Fail > 150 {
		t.Errorf("two runs with one seed: %+v and %+v", one, two)
	}
	if a, b := simulate(t, "1 1 --calls 1"), simulate(t, "1 1 --calls 1"); a.Seed == b.Seed {
		t.Errorf("two runs without a seed both took %d", a.Seed)
	}
}

func TestSimulateRefused(t *testing.T) {
	agent := useAgent(t)
	agent.SetRoute(1, 1, "10.0.0.1:80")
	agent.SetRetcode(1, 1, 1)
	if r := lars(t, "simulate 1 1 --calls 5"); r.code != 0 || !strings.Contains(r.out, "\nOverloaded: too many reported calls had failed on every host") {
		t.Errorf("an overloaded module: %+v", r)
	}
	if s := simulate(t, "1 1 --calls 5"); s.Calls != 5 || s.Overload != 5 || s.Succ+s.Fail+s.NoExist != 0 || len(s.Hosts) != 0 {
		t.Errorf("an overloaded module: %+v", s)
	}
	checkFails(t, "simulate 1 1 --host-err 10.0.0.2:80=0.5", 1, "--host-err: host 10.0.0.2:80 is not in the route of (1,1), which is [10.0.0.1:80]")
	checkFails(t, "simulate -5 1", 1, "(-5,1)", "module does not exist")
	agent.SetRetcode(1, 1, 2)
	checkFails(t, "simulate 1 1 --json", 1, "return code 2")
	agent.Close()
	checkFails(t, "simulate 1 1", 1, "agent does not answer")
	checkFails(t, "simulate 1 1 --json", 1, "agent does not answer")
}

// TestSimulateVanished takes the module away after two calls: those were made,
// and the others are counted.
func TestSimulateVanished(t *testing.T) {
	agent := useAgent(t)
	agent.SetRoute(1, 1, "10.0.0.1:80")
	calls := 0
	agent.Tap(func(q fakeagent.Request, answer []byte) [][]byte {
		if calls++; calls == 3 { // the route was the first question
			agent.SetRoute(1, 1)
		}
		return [][]byte{answer}
	})
	if s := simulate(t, "1 1 --calls 5 --err-rate 0"); s.Calls != 5 || s.Succ != 2 || s.NoExist != 3 {
		t.Errorf("a module that vanished: %+v", s)
	}
}

// TestSimulateInterrupted stops the command at a call, which still sums up
// those before.
func TestSimulateInterrupted(t *testing.T) {
	agent := useAgent(t)
	agent.SetRoute(1, 1, "10.0.0.1:80")
	for _, flags := range []string{"", " --rate 1000"} {
		ctx, cancel := context.WithCancel(t.Context())
		calls := 0
		agent.Tap(func(_ fakeagent.Request, answer []byte) [][]byte {
			if calls++; calls == 5 { // the route was the first question
				cancel()
				return nil
			}
			return [][]byte{answer}
		})
		var out, err bytes.Buffer
		args := strings.Fields("simulate 1 1 --calls 1000 --err-rate 0" + flags)
		code := cli.Run(ctx, "", args, cli.Streams{Out: &out, Err: &err})
		if code != 1 || err.String() != "lars: interrupted after 3 of 1000 calls\n" || !strings.Contains(out.String(), "10.0.0.1:80  3      3     0     100.0%") {
			t.Errorf("interrupted%s: exit %d\n%s%s", flags, code, &out, &err)
		}
		cancel()
	}
}

// TestRunsTogether runs the program many times at once: it has no state.
func TestRunsTogether(t *testing.T) {
	agent := useAgent(t)
	agent.SetRoute(1, 1, "10.0.0.1:80")
	var wg sync.WaitGroup
	for range 16 {
		wg.Go(func() { check(t, "get 1 1", "10.0.0.1:80\n") })
	}
	wg.Wait()
}
