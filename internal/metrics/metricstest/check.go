// Package metricstest checks the metrics of a daemon.
package metricstest

import (
	"os"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/testutil"

	"github.com/lars-lb/lars/internal/metrics"
)

// Write, in the environment, makes Check write the table rather than compare it.
const Write = "LARS_WRITE_METRICS"

// Check fails the test unless every number of Stats is a metric or left out on
// purpose, all names follow Prometheus's conventions, and the document at path
// has a table of them, behind a line that begins it for program.
func Check(t *testing.T, c *metrics.Collector, path, program string) {
	t.Helper()
	for _, missing := range c.Missing() {
		t.Errorf("Stats has %s, which is no metric and not left out: add it to metrics.go", missing)
	}
	registry := prometheus.NewPedanticRegistry()
	if err := registry.Register(c); err != nil {
		t.Fatal(err)
	}
	problems, err := testutil.GatherAndLint(registry)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}
	document, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	begin := "<!-- metrics of " + program + " -->\n\n"
	before, rest, found := strings.Cut(string(document), begin)
	if !found {
		t.Fatalf("%s has no line %q", path, begin)
	}
	table, after, _ := strings.Cut(rest, "\n\n")
	want := strings.TrimSuffix(c.Table(), "\n")
	switch {
	case strings.TrimSuffix(table, "\n") == want:
	case os.Getenv(Write) != "":
		if err := os.WriteFile(path, []byte(strings.TrimRight(before+begin+want+"\n\n"+after, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	default:
		t.Errorf("%s is not up to date: run this test with %s=1, which writes its table", path, Write)
	}
}
