package chart_test

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/lars-lb/lars/internal/sim"
	"github.com/lars-lb/lars/internal/sim/chart"
)

// rows makes up results: the algorithm in column j lost lost[j] calls.
func rows(b *sim.Batch, lost ...int) []sim.Row {
	var list []sim.Row
	for i := range b.Scenarios {
		row := sim.Row{Scenario: &b.Scenarios[i]}
		for j, a := range b.Algorithms {
			row.Cells = append(row.Cells, sim.Summary{Algorithm: a.ID, Lost: sim.Spread{Median: lost[j]}})
		}
		list = append(list, row)
	}
	return list
}

func draw(t *testing.T, b *sim.Batch, list []sim.Row) string {
	t.Helper()
	var out bytes.Buffer
	if err := chart.Write(&out, b, list); err != nil {
		t.Fatal(err)
	}
	decoder := xml.NewDecoder(bytes.NewReader(out.Bytes()))
	for {
		if _, err := decoder.Token(); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatalf("%v in\n%s", err, &out)
		}
	}
	return out.String()
}

func TestPicture(t *testing.T) {
	all := sim.Algorithms()
	b := &sim.Batch{Scenarios: sim.InGroup(sim.Reference), Algorithms: all, FirstSeed: 1, Seeds: 5}
	b.Scenarios[0].Name = `<a> & "b"`
	list := rows(b, 100, 12_345, 100, 160, 400, 2_000, 99, 100, 100, 101)
	svg := draw(t, b, list)
	for _, want := range []string{
		`&lt;a&gt; &amp; &#34;b&#34;`, ">12,345</text>", "medians of seeds 1 to 5",
		`<title id="title">`, "round robin 12345", "prefers-color-scheme",
		`class="cell l4"`, `class="cell l3"`, `class="cell l2"`, `class="cell l1"`, `class="cell l0 own"`, `class="cell plain"`,
	} {
		if !strings.Contains(svg, want) {
			t.Errorf("the picture has no %s", want)
		}
	}
	if strings.Count(svg, "http") != 1 { // the name space
		t.Error("the picture refers to something outside itself")
	}
	if svg != draw(t, b, list) {
		t.Error("the same rows give another picture")
	}
}

// Other algorithms, scenarios of several groups, and no oracle to compare with.
func TestPictureOfFew(t *testing.T) {
	all := sim.Algorithms()
	b := &sim.Batch{Scenarios: sim.Scenarios(), Algorithms: all[4:6], FirstSeed: 7, Seeds: 1}
	svg := draw(t, b, rows(b, 1, 2))
	for _, want := range []string{"seed 7", "fleet: many agents", `class="cell plain"`} {
		if !strings.Contains(svg, want) {
			t.Errorf("the picture has no %s", want)
		}
	}
	for _, not := range []string{"oracle", "frame\" x", `class="cell l`} {
		if strings.Contains(svg, not) {
			t.Errorf("the picture has %s", not)
		}
	}
}
