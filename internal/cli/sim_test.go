package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/cli"
	"github.com/lars-lb/lars/internal/sim"
)

// None of these tests has a number of a policy of Lars in what it wants: those
// change with the policy.

func TestSim(t *testing.T) {
	const line = "refuse-1of2 hang-1of5-slow-traffic --algorithms elb,oracle,round-robin --seeds 3"
	check(t, "sim "+line, `SCENARIO                ORACLE  ROUND ROBIN   ELB
hang-1of5-slow-traffic       0          118    57*
refuse-1of2                  6         6009  1109*

Calls lost, medians of seeds 1 to 3; * is the best but for the oracle, which
knows the truth. A call is lost that fails, that gets no host while a good one
exists or, where slowness is the fault, that takes longer than 35ms.
Repeat with --seed 1 --seeds 3; lars sim list says what the scenarios are.
`)
	check(t, "sim --markdown "+line, "| scenario | oracle | round robin | ELB |\n"+
		"| --- | ---: | ---: | ---: |\n"+
		"| `hang-1of5-slow-traffic`: 1 of 5 hangs 1 s, 1/s | 0 | 118 | **57** |\n"+
		"| `refuse-1of2`: 1 of 2 refuses, 100/s | 6 | 6,009 | **1,109** |\n")
}

func TestSimDetails(t *testing.T) {
	r := lars(t, "sim refuse-1of2 all-fail-50pct --algorithms linkerd,round-robin,p2c --seeds 1 --seed 9 --details")
	for _, want := range []string{
		"calls lost\nSCENARIO        ROUND ROBIN  LINKERD",
		"\nshare of their time that healthy hosts were kept out, %\nSCENARIO        ROUND ROBIN  LINKERD  P2C\nall-fail-50pct",
		"\nmost attempts within a second at a host that was no use and kept out\n",
		"\nCalls lost, seed 9; ",
	} {
		if !strings.Contains(r.out, want) {
			t.Errorf("no %q in\n%s", want, r.out)
		}
	}
	if strings.Contains(r.out, "crowding") {
		t.Errorf("crowding with one agent:\n%s", r.out)
	}
}

func TestSimJSON(t *testing.T) {
	r := lars(t, "sim hang-1of5-slow-traffic --algorithms envoy,round-robin --json --shares --seeds 2 --seed 5")
	var got struct {
		FirstSeed uint64 `json:"first_seed"`
		Seeds     int
		Results   []struct {
			Scenario, Algorithm string
			Calls, Failed       int
			Lost                struct{ Median, Min, Max int }
			Ejection            *struct{ Healthy int }
			FirstHostShare      []float64 `json:"first_host_share"`
		}
	}
	if err := json.Unmarshal([]byte(r.out), &got); err != nil || r.code != 0 || r.err != "" {
		t.Fatalf("%+v, %v", r, err)
	}
	if got.FirstSeed != 5 || got.Seeds != 2 || len(got.Results) != 2 {
		t.Fatalf("%+v", got)
	}
	for i, algorithm := range []string{"round-robin", "envoy"} {
		c := got.Results[i]
		if c.Scenario != "hang-1of5-slow-traffic" || c.Algorithm != algorithm || c.Calls < 500 ||
			c.Lost.Min > c.Lost.Max || c.Failed != c.Lost.Median || len(c.FirstHostShare) != 600 {
			t.Errorf("%+v", c)
		}
		if ejects := algorithm == "envoy"; (c.Ejection != nil) != ejects {
			t.Errorf("%s ejects: %v", algorithm, !ejects)
		}
	}
}

func TestSimSVG(t *testing.T) {
	file := filepath.Join(t.TempDir(), "picture.svg")
	if r := lars(t, "sim refuse-1of2 --seeds 1 --svg "+file); r.code != 0 || r.err != "" {
		t.Fatalf("%+v", r)
	}
	picture, err := os.ReadFile(file)
	if err != nil || !bytes.HasPrefix(picture, []byte("<svg ")) || !bytes.Contains(picture, []byte("1 of 2 refuses, 100/s")) {
		t.Errorf("%v\n%s", err, picture)
	}
}

func TestSimList(t *testing.T) {
	r := lars(t, "sim list")
	var list struct {
		Scenarios  []struct{ ID, Group, Name, About string }
		Algorithms []struct{ ID, About string }
	}
	if err := json.Unmarshal([]byte(lars(t, "sim list --json").out), &list); err != nil {
		t.Fatal(err)
	}
	if len(list.Scenarios) != len(sim.Scenarios()) || len(list.Algorithms) != len(sim.Algorithms()) {
		t.Errorf("%d scenarios and %d algorithms are listed", len(list.Scenarios), len(list.Algorithms))
	}
	for _, s := range list.Scenarios {
		if s.Group == "" || !strings.Contains(r.out, "  "+s.ID+" ") || !strings.Contains(r.out, s.Name) || !strings.Contains(r.out, s.About) {
			t.Errorf("%+v is not in\n%s", s, r.out)
		}
	}
	for _, a := range list.Algorithms {
		if !strings.Contains(r.out, a.About) {
			t.Errorf("%+v is not in\n%s", a, r.out)
		}
	}
}

func TestSimInterrupted(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	var out, errs bytes.Buffer
	file := filepath.Join(t.TempDir(), "picture.svg")
	// The first one takes a few milliseconds, the second one many seconds.
	args := strings.Fields("sim hang-1of5-slow-traffic well-10h --algorithms round-robin --seeds 1 --svg " + file)
	code := cli.Run(ctx, "", args, cli.Streams{Out: &out, Err: &errs})
	if code != 1 || errs.String() != "lars: interrupted: 1 of 2 scenarios are complete\n" || !strings.Contains(out.String(), "hang-1of5-slow-traffic") {
		t.Errorf("exit %d\n%s%s", code, &out, &errs)
	}
	if _, err := os.Stat(file); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("a picture of half the truth: %v", err)
	}
}

func TestSimCompletion(t *testing.T) {
	for line, want := range map[string]string{
		"sim refuse-1of12":                  "refuse-1of12\t1 of 12 refuses, 1000/s\n:4\n",
		"sim refuse-1of12 refuse-1of12":     ":4\n",
		"sim al":                            "all\tevery scenario but those that take minutes\nall-fail-50pct\tall 10 fail 50% for 30 s, 1000/s\nall-5x-slower\tall become 5x slower at once, 500/s\nall-fail-10pct\tall 10 fail 10% for 1 min, 1000/s\n:4\n",
		"sim --group nat":                   "natural\twhat is no fault of a host: none should be kept out\n:4\n",
		"sim --algorithms elb,pola":         "elb,polaris\tround robin with Polaris's circuit breaker\n:6\n",
		"sim --algorithms polaris,elb,pola": ":6\n",
	} {
		if r := lars(t, "__complete "+line); r.code != 0 || r.out != want {
			t.Errorf("%s: %q, want %q", line, r.out, want)
		}
	}
}
