package cli_test

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/lars-lb/lars/api/lars/fakeagent"
	"github.com/lars-lb/lars/internal/cli"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds what a test waits for; nothing takes that long that works.
const patience = 20 * time.Second

// result is what one run of the program did.
type result struct {
	code     int
	out, err string
}

// lars runs one command line, split at spaces.
func lars(t *testing.T, line string) result {
	t.Helper()
	return larsWith(t, "", strings.Fields(line)...)
}

// larsWith runs one command line with something to read.
func larsWith(t *testing.T, in string, args ...string) result {
	t.Helper()
	var out, err bytes.Buffer
	code := cli.Run(t.Context(), "v1.2.3", args, cli.Streams{In: strings.NewReader(in), Out: &out, Err: &err})
	return result{code, out.String(), err.String()}
}

// check runs a command line that must print exactly this.
func check(t *testing.T, line, want string) {
	t.Helper()
	if r := lars(t, line); r != (result{0, want, ""}) {
		t.Errorf("lars %s: exit %d\n%s%s\nwant\n%s", line, r.code, r.out, r.err, want)
	}
}

// checkEmpty runs a command line that prints only the head of a table, and a
// hint beside it.
func checkEmpty(t *testing.T, line, head, hint string) {
	t.Helper()
	if r := lars(t, line); r != (result{0, head, hint}) {
		t.Errorf("lars %s: exit %d\n%s%s\nwant\n%s%s", line, r.code, r.out, r.err, head, hint)
	}
	checkJSON(t, line, `[]`)
}

// checkFails runs a command line that must fail with a status and a message.
func checkFails(t *testing.T, line string, code int, says ...string) {
	t.Helper()
	r := lars(t, line)
	if r.code != code || r.out != "" || !strings.HasPrefix(r.err, "lars: ") {
		t.Errorf("lars %s: exit %d, %q, %q; want exit %d and only a message", line, r.code, r.out, r.err, code)
	}
	if usage := strings.Contains(r.err, "\nusage: lars"); usage != (code == 2) {
		t.Errorf("lars %s: exit %d, and usage shown: %v", line, r.code, usage)
	}
	for _, s := range says {
		if !strings.Contains(r.err, s) {
			t.Errorf("lars %s: %q does not say %q", line, r.err, s)
		}
	}
}

// checkJSON runs a command line with --json, whose result must be this.
func checkJSON(t *testing.T, line, want string) {
	t.Helper()
	r := lars(t, "--json "+line)
	var got, wanted any
	if err := json.Unmarshal([]byte(want), &wanted); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(r.out), &got); err != nil {
		t.Fatalf("lars --json %s: exit %d, %q, %q: %v", line, r.code, r.out, r.err, err)
	}
	g, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	w, err := json.Marshal(wanted)
	if err != nil {
		t.Fatal(err)
	}
	if r.code != 0 || r.err != "" || !bytes.Equal(g, w) {
		t.Errorf("lars --json %s: exit %d\n%s\n%s\nwant\n%s", line, r.code, g, r.err, w)
	}
}

// useAgent starts an agent that the commands of this test ask.
func useAgent(t *testing.T) *fakeagent.Agent {
	t.Helper()
	agent, err := fakeagent.Start()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(agent.Close)
	t.Setenv("LARS_AGENT", agent.Addr())
	return agent
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

// useEmptyStore gives the commands of this test a store without tables. It
// returns a folder for files.
func useEmptyStore(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	conf := filepath.Join(dir, "lars-dns.conf")
	writeFile(t, conf, "[store]\ndriver = sqlite\npath = "+filepath.Join(dir, "lars.db")+"\n")
	t.Setenv("LARS_CONF", conf)
	return dir
}

// useStore gives the commands of this test a store without routes.
func useStore(t *testing.T) string {
	t.Helper()
	dir := useEmptyStore(t)
	if r := lars(t, "db init"); r.code != 0 {
		t.Fatal(r.err)
	}
	return dir
}

func writeFile(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}
