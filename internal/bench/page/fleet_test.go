package page

import (
	"math"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lars-lb/lars/internal/bench/result"
)

// costs is a run with what the fleet is reckoned from, in round numbers.
func costs() *result.Run {
	row := func(part, what string, ours float64) result.Row {
		return result.Row{Part: part, What: what, Ours: ours}
	}
	return &result.Run{Rows: []result.Row{
		row("dns", "memory at rest, 1000 rows", 20),
		row("dns", "memory at rest, 10000000 rows", 200),
		row("dns", "memory at most during a reload, 10000000 rows", 500),
		row("dns", "first answer after the start, 10000000 rows from the database", 10),
		row("dns", "first answer after the start, 20000000 rows from the file", 1),
		row("dns", "queries of a replica at rest", 10),
		row("dns", "processor time of MariaDB for its polls", 4),
		row("dns", "memory for 10000 agents with 10 modules each", 100),
		row("dns", "a change reaches 10000 agents, 99% of them", 200),
		row("dns", "10000 agents are back after a restart", 4),
		row("reporter", "MariaDB, numbered reports, with the history: rows committed", 50_000),
	}}
}

func TestFleet(t *testing.T) {
	got := fleet(costs())
	for _, want := range []string{
		"| connections of a lars-dns, of which one is away | 100k agents / (5 - 1) | 25k |",
		"| 5 GB + 2.5 GB |", // 500 MB × 100M rows / 10M; 100 MB × 2.5M subscriptions / 100k
		"one lars-dns has read 1M/s | 833k/s, each of 100 s |",
		"| 50/s, 20 ms/s |",
		"| 500 ms |",
		"| 100 s |",
		"| 667k/s, 13.3 times what was measured |",
		"| 400 s |",
		"| 72 GB |",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
	if strings.Contains(got, "not measured") {
		t.Errorf("something is missing:\n%s", got)
	}
}

// A number that is missing, or none, is said to be; nothing follows from it.
func TestFleetOfUnknown(t *testing.T) {
	if got := fleet(&result.Run{}); strings.Count(got, "not measured in this run") != 7 {
		t.Errorf("of no run:\n%s", got)
	}
	run := costs()
	for i := range run.Rows {
		if run.Rows[i].What == "queries of a replica at rest" {
			run.Rows[i].Ours = math.NaN()
		}
	}
	if got := fleet(run); strings.Count(got, "not measured in this run: dns: queries of a replica at rest |  |") != 1 || strings.Contains(got, "?") {
		t.Errorf("with one that is no number:\n%s", got)
	}
}

func TestFits(t *testing.T) {
	var n, m int
	for _, test := range []struct {
		text, pattern string
		sizes         []*int
		want          bool
	}{
		{"5 agents with 10 modules", "%d agents with %d modules", []*int{&n, &m}, true},
		{"5 agents with 10 modules each", "%d agents with %d modules", []*int{&n, &m}, false},
		{"agents with 10 modules", "%d agents with %d modules", []*int{&n, &m}, false},
		{"0 agents", "%d agents", []*int{&n}, false},
		{"99% of 7", "99% of %d", []*int{&n}, true},
		{"polls", "polls", nil, true},
		{"polls of all", "polls", nil, false},
	} {
		n, m = 1, 1
		if got := fits(test.text, test.pattern, test.sizes); got != test.want {
			t.Errorf("%q as %q: %t", test.text, test.pattern, got)
		}
		if !test.want && (n != 1 || m != 1) {
			t.Errorf("%q as %q has set sizes", test.text, test.pattern)
		}
	}
}

// The rows that a fleet is reckoned from are found in a real run by their names.
func TestFleetOfThePublishedRun(t *testing.T) {
	run, err := result.Read(filepath.Join("..", "..", "..", "docs", "bench.json"))
	if err != nil {
		t.Fatal(err)
	}
	for _, part := range []string{"dns", "reporter"} {
		if of, ok := run.Of(part); !ok || of.Parts[0].Error != "" {
			t.Skipf("the run has not all of %s", part)
		}
	}
	if got := fleet(run); strings.Contains(got, "not measured") {
		t.Errorf("rows were not found:\n%s", got)
	}
}
