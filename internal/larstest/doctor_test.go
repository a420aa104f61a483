package larstest_test

import (
	"encoding/json"
	"maps"
	"os"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/lars-lb/lars/api/lars"
	"github.com/lars-lb/lars/internal/eventually"
	"github.com/lars-lb/lars/internal/larstest"
	"github.com/lars-lb/lars/internal/route"
)

// diagnosis is what lars doctor says: what is wrong, by severity and rule.
func diagnosis(t *testing.T, s *larstest.Suite) (found map[string]string, exitCode int) {
	t.Helper()
	out, stderr, code := s.Run("lars", "doctor", "--json", "--interval", "300ms", "--conf-dir", s.ConfDir())
	var answer struct {
		OK       bool
		Findings []struct{ Rule, Severity, Where, What, Evidence, Do string }
	}
	if err := json.Unmarshal([]byte(out), &answer); err != nil || stderr != "" {
		t.Fatalf("exit %d, %v:\n%s%s", code, err, out, stderr)
	}
	found = make(map[string]string)
	for _, f := range answer.Findings {
		found[f.Severity+": "+f.Rule] += f.Where + ": " + f.What + " (" + f.Evidence + ")\n"
	}
	if answer.OK != (code == 0) {
		t.Errorf("exit %d, and ok is %v", code, answer.OK)
	}
	return found, code
}

// waitDiagnosis asks the doctor until exactly these findings are there.
func waitDiagnosis(t *testing.T, s *larstest.Suite, what string, want ...string) map[string]string {
	t.Helper()
	slices.Sort(want)
	var found map[string]string
	var code int
	defer func() {
		if t.Failed() {
			t.Logf("%s: found %v", what, found)
		}
	}()
	eventually.True(t, 2*patience, what, func() bool {
		found, code = diagnosis(t, s)
		return slices.Equal(slices.Sorted(maps.Keys(found)), want)
	})
	if (code == 0) != (len(want) == 0) {
		t.Errorf("%s: exit %d", what, code)
	}
	return found
}

func TestDoctor(t *testing.T) {
	s := larstest.NewSuite(t, programs, larstest.Options{})
	addHosts(t, s.Store(), entry(t, module1, "127.0.0.1:1"))
	found, code := diagnosis(t, s)
	if _, ok := found["error: agent ports"]; !ok || code != 1 || strings.Count(found["error: daemon not reachable"], "it does not answer") != 3 {
		t.Errorf("nothing runs: exit %d, %v", code, found)
	}
	s.Start()
	c := newClient(t, s.AgentAddr)
	waitHost(t, c, module1, "127.0.0.1:1")
	waitDiagnosis(t, s, "all is well")
	if out := s.MustRun("lars", "doctor", "--interval", "100ms", "--conf-dir", s.ConfDir()); strings.Count(out, ": answers") != 5 || !strings.HasSuffix(out, "\nall good\n") {
		t.Errorf("all is well:\n%s", out)
	}

	// Several things go wrong at once.
	h, err := c.GetHost(t.Context(), 1, 1)
	if err != nil {
		t.Fatal(err)
	}
	for range 40 {
		if err := c.Report(1, 1, h, lars.Failure, 0); err != nil {
			t.Fatal(err)
		}
	}
	flood(t, s.Agent, s.AgentAddr)
	s.DNS.Kill()
	file := s.ConfDir() + "/lars.db"
	if err := os.Rename(file, file+".away"); err != nil {
		t.Fatal(err)
	}
	found = waitDiagnosis(t, s, "several things are wrong", "error: agent not connected", "error: daemon not reachable", "error: database",
		"error: hosts out", "warning: datagrams dropped by the kernel")
	for rule, says := range map[string]string{
		"error: daemon not reachable": "lars-dns (" + s.DNS.Conf() + "): it does not answer (admin address " + s.DNS.Admin().String(),
		"error: hosts out":            "every host of 1 module is out: programs are told that it is overloaded, but for probes ((1,1))",
		"error: database":             "it does not exist",
		"error: agent not connected":  "no connection to lars-dns",
	} {
		if !strings.Contains(found[rule], says) {
			t.Errorf("%s says %q, want %q", rule, found[rule], says)
		}
	}

	// Each is mended.
	if err := os.Rename(file+".away", file); err != nil {
		t.Fatal(err)
	}
	s.DNS.Serve()
	if code, _ := s.Agent.Stop(); code != 0 {
		t.Errorf("the agent ended with %d", code)
	}
	s.Agent.Serve()
	waitHost(t, c, route.Module{ModID: 1, CmdID: 1}, "127.0.0.1:1")
	waitDiagnosis(t, s, "all is well again")

	// One that hangs is told from one that is gone.
	s.DNS.Signal(syscall.SIGSTOP)
	out, _, code := s.Run("lars", "doctor", "--interval", "100ms", "--timeout", "300ms", "--conf-dir", s.ConfDir())
	s.DNS.Signal(syscall.SIGCONT)
	if code != 1 || !strings.Contains(out, "\nerror: lars-dns (") || !strings.Contains(out, "it does not answer at its admin address, but somebody listens on its port") ||
		!strings.Contains(out, "\n  do:   ") || !strings.HasSuffix(out, " problem\n") && !strings.HasSuffix(out, " problems\n") {
		t.Errorf("exit %d:\n%s", code, out)
	}
}
