package chart

import (
	"bytes"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"math"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/bench/result"
)

// made is a run of one part with the given results.
func made(rows []result.Row, curves []result.Curve, latencies []result.Latency) *result.Run {
	run := &result.Run{
		When: time.Date(2026, 11, 24, 13, 5, 0, 0, time.UTC), Commit: "0123456789ab",
		Machine: result.Machine{CPU: "AMD EPYC", Cores: 2},
	}
	r := result.NewRecorder("agent", io.Discard)
	for _, row := range rows {
		r.Row(row)
	}
	for _, c := range curves {
		r.Curve(c)
	}
	for _, l := range latencies {
		r.Latency(l)
	}
	run.Add("agent", r, time.Second, nil)
	return run
}

// draw draws the run's pictures, which must be well-formed, and the same again.
func draw(t *testing.T, run *result.Run) []Picture {
	t.Helper()
	pictures, err := Of(run)
	if err != nil {
		t.Fatal(err)
	}
	again, _ := Of(run)
	for i, p := range pictures {
		decoder := xml.NewDecoder(bytes.NewReader(p.SVG))
		for {
			if _, err := decoder.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: %v in\n%s", p.Name, err, p.SVG)
			}
		}
		if !bytes.Equal(p.SVG, again[i].SVG) {
			t.Errorf("%s: the same run gives another picture", p.Name)
		}
		if bytes.Count(p.SVG, []byte("http")) != 1 { // the name space
			t.Errorf("%s refers to something outside itself", p.Name)
		}
		for _, want := range []string{"prefers-color-scheme", `<title id="title">`, "AMD EPYC, 2 cores; 2026-11-24, commit 0123456789ab."} {
			if !bytes.Contains(p.SVG, []byte(want)) {
				t.Errorf("%s has no %s", p.Name, want)
			}
		}
	}
	return pictures
}

func wantIn(t *testing.T, p Picture, want ...string) {
	t.Helper()
	for _, w := range want {
		if !bytes.Contains(p.SVG, []byte(w)) {
			t.Errorf("%s has no %s\n%s", p.Name, w, p.SVG)
		}
	}
}

func TestRatios(t *testing.T) {
	pictures := draw(t, made([]result.Row{
		{What: `<a> & "b"`, Unit: "/s", Ours: 95, Than: "C", Other: 100, Aim: result.RatioAtLeast(0.9), Lars1: 0.61},
		{What: "slow", Unit: "/s", Ours: 50, Than: "C", Other: 100, Aim: result.RatioAtLeast(0.9)},
		{What: "CPU", Unit: "µs", Ours: 3, Than: "C", Other: 2},
		{What: "many times", Unit: "/s", Ours: 1000, Other: 10},
		{What: "alone", Unit: "/s", Ours: 7},
		{What: "unknown", Unit: "/s", Ours: math.NaN(), Other: 1},
		{What: "endless", Unit: "/s", Ours: math.Inf(1), Other: 1},
	}, nil, nil))
	if len(pictures) != 1 || pictures[0].Name != "agent-ratios.svg" || pictures[0].Part != "agent" {
		t.Fatalf("pictures are %+v", pictures)
	}
	wantIn(t, pictures[0], "&lt;a&gt; &amp; &#34;b&#34;", ">0.95<", ">95/s beside 100/s<", ">0.50<", ">50/s beside 100/s, missed<",
		`class="reached"`, `class="missed"`, `class="plain"`, `class="lars1"`, ">100 »<", ">1,000/s beside 10/s<", "More is better", "Less is better", "slow: 0.50 of the C, missed.")
	for _, not := range []string{"alone", "unknown"} {
		if bytes.Contains(pictures[0].SVG, []byte(not)) {
			t.Errorf("%s is shown, which has no ratio", not)
		}
	}
}

// A bar's length is its ratio, and one that is cut is as long as can be.
func TestLengthOfBars(t *testing.T) {
	d := ratios("agent", []result.Row{{Ours: 1, Other: 2}, {Ours: 1, Other: 1}, {Ours: 9, Other: 1}, {Ours: 0, Other: 1}})
	var widths []int
	for _, b := range d.Boxes[:4] {
		widths = append(widths, b.W)
	}
	if !slices.Equal(widths, []int{75, 150, 300, 1}) {
		t.Errorf("bars are %v wide", widths)
	}
}

func TestCurve(t *testing.T) {
	c := result.Curve{
		Name: "../GetHost modules", Title: "Cost", X: "modules", Y: "CPU, µs",
		Series: []result.Series{
			{Name: "ours", Points: []result.Point{{X: 1, Y: 2}, {X: 100, Y: 2.5}, {X: 10_000, Y: 3}, {X: 1e6, Y: 3.5}}},
			{Name: "broken", Points: []result.Point{{X: 0, Y: 2}, {X: 10, Y: math.NaN()}, {X: 10, Y: math.Inf(1)}, {X: -1, Y: 1}}},
			{Name: "other", Points: []result.Point{{X: 1, Y: 20}, {X: 1e6, Y: 0}}},
		},
	}
	pictures := draw(t, made(nil, []result.Curve{c, c}, nil))
	if len(pictures) != 2 || pictures[0].Name != "agent----gethost-modules.svg" || pictures[1].Name != "agent----gethost-modules-2.svg" {
		t.Fatalf("pictures are %+v", pictures)
	}
	wantIn(t, pictures[0], ">1M<", ">10k<", ">modules<", ">CPU, µs<", ">ours<", ">other<", "ours: 2 at 1, 2.5 at 100", `class="grid"`, `class="line s1"`)
	if bytes.Contains(pictures[0].SVG, []byte("broken")) {
		t.Error("a line without points has a name")
	}
	if n := bytes.Count(pictures[0].SVG, []byte("<circle")); n != 5 {
		t.Errorf("%d points, want 5", n)
	}
}

func TestLatency(t *testing.T) {
	pictures := draw(t, made(nil, nil, []result.Latency{
		{Name: "gethost", Title: "From GetHost to its answer", Unit: "µs", Of: []result.Distribution{
			{Name: "agent", P50: 60, P90: 80, P99: 120, P999: 400, Max: 9000}, {Name: "C", P50: 59, P90: 70, P99: 110, P999: 300, Max: 2000},
			result.DistributionOf("none", nil),
		}},
	}))
	if len(pictures) != 1 || pictures[0].Name != "agent-gethost.svg" {
		t.Fatalf("pictures are %+v", pictures)
	}
	wantIn(t, pictures[0], ">p99.9<", ">max<", ">10 µs<", ">10 ms<", ">agent<", "agent: p50 60 µs, p90 80 µs")
}

func TestNothingToDraw(t *testing.T) {
	pictures := draw(t, made([]result.Row{{What: "alone", Ours: 1}}, []result.Curve{{Name: "empty"}}, []result.Latency{{Name: "empty"}}))
	if len(pictures) != 0 {
		t.Errorf("pictures are %+v", pictures)
	}
}

func TestApart(t *testing.T) {
	for _, test := range []struct{ wanted, want []int }{
		{nil, nil},
		{[]int{100, 200}, []int{100, 200}},
		{[]int{200, 100, 201}, []int{200, 100, 217}},
		{[]int{100, 100, 100}, []int{100, 117, 134}},
		{[]int{404, 404, 398}, []int{387, 404, 370}}, // at the bottom
	} {
		if got := apart(test.wanted); !slices.Equal(got, test.want) {
			t.Errorf("%v becomes %v, want %v", test.wanted, got, test.want)
		}
	}
}

func TestTicks(t *testing.T) {
	for _, test := range []struct {
		lo, hi, least float64
		want          string
	}{
		{1, 1e6, 0, "1 10 100 1000 10000 100000 1e+06"},
		{3, 30_000, 0, "1 10 100 1000 10000 100000"},
		{1, 100, 0, "1 2 5 10 20 50 100"},
		{1, 4, 0, "1 2 3 4"},
		{60, 350, 0, "50 100 200 500"},
		{2.5, 2.6, 1, "0.5 1 2 5 10"}, // what hardly grows looks so
		{7, 7, 1, "2 5 10 20 50"},
		{0.001, 0.1, 0, "0.001 0.002 0.005 0.01 0.02 0.05 0.1"},
		{1e-9, 1e3, 0, "1e-09 1e-07 1e-05 0.001 0.1 10 1000"},
		{1, 1e11, 0, "1 100 10000 1e+06 1e+08 1e+10 1e+12"},
	} {
		a := newAxis(0, 100, test.lo, test.hi, test.least)
		var got []string
		for _, v := range a.ticks {
			got = append(got, fmt.Sprintf("%.6g", v))
		}
		if strings.Join(got, " ") != test.want {
			t.Errorf("%g to %g: %s, want %s", test.lo, test.hi, strings.Join(got, " "), test.want)
		}
		if at := a.at(test.lo); at < 0 || at > 100 {
			t.Errorf("%g to %g: %g is at %d", test.lo, test.hi, test.lo, at)
		}
		if at := a.at(test.hi); at < 0 || at > 100 {
			t.Errorf("%g to %g: %g is at %d", test.lo, test.hi, test.hi, at)
		}
	}
}

func TestPlaceOnAxis(t *testing.T) {
	a := newAxis(0, 600, 1, 1e6, 0)
	for v, want := range map[float64]int{1: 0, 10: 100, 1000: 300, 1e6: 600, 2: 30} {
		if got := a.at(v); got != want {
			t.Errorf("%g is at %d, want %d", v, got, want)
		}
	}
	if down := newAxis(400, 100, 1, 1000, 0); down.at(1) != 400 || down.at(10) != 300 {
		t.Errorf("downwards, 1 is at %d and 10 at %d", down.at(1), down.at(10))
	}
}
