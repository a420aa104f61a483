package page

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lars-lb/lars/internal/bench/chart"
	"github.com/lars-lb/lars/internal/bench/result"
)

// read reads the made-up run of testdata.
func read(t *testing.T) *result.Run {
	t.Helper()
	run, err := result.Read(filepath.Join("testdata", "run.json"))
	if err != nil {
		t.Fatal(err)
	}
	return run
}

func fill(t *testing.T, doc string, run *result.Run) string {
	t.Helper()
	pictures, err := chart.Of(run)
	if err != nil {
		t.Fatal(err)
	}
	filled, err := Fill(doc, run, pictures)
	if err != nil {
		t.Fatal(err)
	}
	return filled
}

const doc = `# Speed

before
<!-- bench:agent -->
old
<!-- /bench -->
between
   <!-- bench:nothing -->
<!-- /bench -->
<!-- bench:run --><!-- /bench --> in a line is not a marker
after`

func TestFill(t *testing.T) {
	const want = `# Speed

before
<!-- bench:agent -->

| what | ours | beside | ratio | Lars 1.0 | aim |
| --- | ---: | ---: | ---: | ---: | ---: |
| GetHost, 1 socket <sup>1</sup> | 382k/s | 410k/s responder in C | 0.93 | 0.61 | ratio ≥ 0.9, reached |
| GetHost \| Report | 200k/s | 400k/s responder in C | 0.50 |  | ratio ≥ 0.9, **missed** |
| lost | 0 |  |  |  | ≤ 0, reached |

1. policy adaptive, as shipped

| From GetHost to its answer | p50 | p90 | p99 | p99.9 | max |
| --- | ---: | ---: | ---: | ---: | ---: |
| lars-lb-agent | 60 µs | 80 µs | 120 µs | 400 µs | 9 ms |
| responder in C | 59 µs | 70 µs | 110 µs | 300 µs | ? |

![agent: ratios to what was measured beside it](bench-agent-ratios.svg)

![From GetHost to its answer](bench-agent-gethost-latency.svg)

![What a GetHost costs](bench-agent-gethost-modules.svg)

<!-- /bench -->
between
   <!-- bench:nothing -->

Not measured in this run.

<!-- /bench -->
<!-- bench:run --><!-- /bench --> in a line is not a marker
after`
	run := read(t)
	got := fill(t, doc, run)
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if again := fill(t, got, run); again != got {
		t.Errorf("filled again it is\n%s", again)
	}
}

func TestRunInTheDocument(t *testing.T) {
	run := read(t)
	const begin, end = "<!-- bench:run -->\n", "<!-- /bench -->\n"
	want := begin + `
One run of ` + "`make bench`" + `, on 2026-11-24 13:05 UTC, of commit 0123456789ab, with 5 rounds of 1s:
AMD EPYC, 2 cores, 23.5 GiB of memory, Linux 6.18.44, go1.26.8.
2 of 3 aims were reached.

` + end
	if got := fill(t, begin+end, run); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	run.Interrupted, run.Machine.Load = true, 3
	if got := fill(t, begin+end, run); !strings.Contains(got, "interrupted") || !strings.Contains(got, "load 3.0") {
		t.Errorf("got\n%s", got)
	}
	failed := fill(t, "<!-- bench:dns -->\n"+end, run)
	if !strings.Contains(failed, "This part ended before its time: no database.") {
		t.Errorf("got\n%s", failed)
	}
}

func TestBadMarkers(t *testing.T) {
	for doc, want := range map[string]string{
		"<!-- bench:agent -->\n":                                "agent has no end",
		"\n<!-- /bench -->\n":                                   "line 2: <!-- /bench --> ends nothing",
		"<!-- bench:a -->\n<!-- bench:b -->\n<!-- /bench -->\n": "line 2: b begins within a",
		"<!-- bench: -->\n<!-- /bench -->\n":                    "line 1: a marker without a name",
		"<!-- bench:a -->\n<!-- /bench -->\n<!-- /bench -->\n":  "line 3: <!-- /bench --> ends nothing",
	} {
		if _, err := Fill(doc, &result.Run{}, nil); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", doc, err, want)
		}
	}
}

// The document of this repository is what the run beside it makes:
// make bench-docs FROM=docs/bench.json writes it.
func TestPublished(t *testing.T) {
	docs := filepath.Join("..", "..", "..", "docs")
	run, err := result.Read(filepath.Join(docs, "bench.json"))
	if err != nil {
		t.Fatal(err)
	}
	files, err := Make(filepath.Join(docs, Name), run)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range files {
		got, err := os.ReadFile(filepath.Join(docs, name))
		if err != nil {
			t.Error(err)
		} else if string(got) != string(want) {
			t.Errorf("docs/%s is not of the run in docs/bench.json: run make bench-docs FROM=docs/bench.json", name)
		}
	}
	pictures, err := filepath.Glob(filepath.Join(docs, PicturePrefix+"*.svg"))
	if err != nil {
		t.Fatal(err)
	}
	if len(pictures) != len(files)-1 {
		t.Errorf("docs has %d pictures of a run, which makes %d", len(pictures), len(files)-1)
	}
}
