// Package chart draws what package sim has found out as an SVG picture: a heat
// map with a row for each scenario, a column for each algorithm, and the calls
// lost as numbers on a colour that tells how they compare with what the oracle
// lost. The picture needs nothing outside itself, is readable on a light and a
// dark page, and the same rows give the same bytes.
package chart

import (
	_ "embed"
	"encoding/xml"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"unicode/utf8"

	"github.com/lars-lb/lars/internal/sim"
)

//go:embed chart.svg.tmpl
var source string

// Write draws the rows, which are of b. There must be at least one.
func Write(w io.Writer, b *sim.Batch, rows []sim.Row) error {
	t, err := template.New("chart").Funcs(template.FuncMap{"xml": escape}).Parse(source)
	if err != nil {
		return err
	}
	return t.Execute(w, layOut(b, rows))
}

// escape makes text harmless in XML.
func escape(s string) (string, error) {
	var b strings.Builder
	err := xml.EscapeText(&b, []byte(s))
	return b.String(), err
}

// Measures, in the units of the picture, which are pixels at its natural size.
const (
	minWidth  = 900
	margin    = 20
	minLabels = 236 // width of the scenarios' names
	letter    = 7   // on average
	minColumn = 61
	headY     = 104 // base line of the columns' titles
	rowsY     = 114 // top of the first row
	rowHeight = 27
	groupGap  = 30 // above the first row of a group, for its name
	gap       = 2  // between cells
	footer    = 88
	swatch    = 100 // of the legend
	ownGap    = 8   // beside the column of Lars's own policy
)

// picture is what the template draws.
type picture struct {
	Width, Height int
	Title, Desc   string
	Subtitle      string
	Heads         []text
	Groups        []text
	Names         []text
	Cells         []cell
	Frame         *box // around the column of Lars's own policy
	Legend        []cell
	Notes         []text
}

// InnerWidth and InnerHeight are the size of the outline.
func (p *picture) InnerWidth() int  { return p.Width - 1 }
func (p *picture) InnerHeight() int { return p.Height - 1 }

type text struct {
	X, Y  int
	Text  string
	Class string
}

type box struct{ X, Y, W, H int }

// cell is a box with a text in its middle.
type cell struct {
	box
	Text  string
	Class string
}

func (c cell) TextX() int { return c.X + c.W/2 }
func (c cell) TextY() int { return c.Y + c.H/2 + 4 }

func layOut(b *sim.Batch, rows []sim.Row) *picture {
	labels := minLabels
	for _, r := range rows {
		labels = max(labels, letter*utf8.RuneCountInString(r.Scenario.Name))
	}
	column := max(minColumn, (minWidth-2*margin-labels-ownGap)/len(b.Algorithms))
	p := &picture{
		Width: max(minWidth, 2*margin+labels+ownGap+column*len(b.Algorithms)),
		Title: "Calls lost with Lars and with other algorithms",
		Subtitle: fmt.Sprintf("Simulated in virtual time with each algorithm's documented defaults; %s. Fewer is better.",
			seeds(b)),
	}
	x := func(i int) int {
		left := margin + labels + i*column
		if b.Algorithms[i].ID == sim.AdaptiveID {
			left += ownGap
		}
		return left
	}
	for i, a := range b.Algorithms {
		p.Heads = append(p.Heads, text{X: x(i) + (column-gap)/2, Y: headY, Text: a.Title, Class: headClass(a.ID)})
	}
	y := rowsY
	grouped := rows[0].Scenario.Group != rows[len(rows)-1].Scenario.Group
	for i, r := range rows {
		if g := r.Scenario.Group; grouped && (i == 0 || rows[i-1].Scenario.Group != g) {
			y += groupGap
			p.Groups = append(p.Groups, text{X: margin, Y: y - 8, Text: fmt.Sprintf("%s: %s", g, g.About())})
		}
		p.Names = append(p.Names, text{X: margin, Y: y + rowHeight/2 + 4, Text: r.Scenario.Name})
		oracle := oracleLoss(&r)
		for j, c := range r.Cells {
			p.Cells = append(p.Cells, cell{
				box:   box{x(j), y, column - gap, rowHeight - gap},
				Text:  thousands(c.Lost.Median),
				Class: class(&c, oracle),
			})
		}
		y += rowHeight
	}
	for i, a := range b.Algorithms {
		if a.ID == sim.AdaptiveID {
			p.Frame = &box{x(i) - 3, headY - 18, column - gap + 6, y - gap - headY + 21}
		}
	}
	p.legend(b, y+18)
	p.Height = y + footer
	p.Desc = describe(b, rows)
	return p
}

func seeds(b *sim.Batch) string {
	if b.Seeds == 1 {
		return fmt.Sprintf("seed %d", b.FirstSeed)
	}
	return fmt.Sprintf("medians of seeds %d to %d", b.FirstSeed, b.FirstSeed+uint64(b.Seeds)-1)
}

func headClass(id string) string {
	if id == sim.AdaptiveID {
		return "own"
	}
	return ""
}

// legend explains the colours and some of the columns, at y.
func (p *picture) legend(b *sim.Batch, y int) {
	if slices.ContainsFunc(b.Algorithms, func(a sim.Algorithm) bool { return a.ID == sim.OracleID }) {
		p.Notes = append(p.Notes, text{X: margin, Y: y + 14, Text: "Lost, beside the oracle, which knows the truth:"})
		x := p.Width - margin - swatch*len(levels)
		for i, l := range levels {
			p.Legend = append(p.Legend, cell{box{x + i*swatch, y, swatch - gap, 20}, l.name, fmt.Sprintf("l%d", i)})
		}
	}
	var words []string
	for _, a := range b.Algorithms {
		switch a.ID {
		case "classic":
			words = append(words, "classic: Lars with the rules of Lars 1.0.")
		case "adaptive-no-check":
			words = append(words, "no check: adaptive without TCP checks.")
		case "p2c":
			words = append(words, "p2c: the better of two random hosts.")
		}
	}
	p.Notes = append(p.Notes, text{X: margin, Y: y + 42, Text: strings.Join(words, " ")})
}

// levels are the steps of the colour: how many times what the oracle lost.
var levels = [...]struct {
	below float64
	name  string
}{
	{1.5, "about the same"},
	{3, "up to 3×"},
	{10, "up to 10×"},
	{100, "up to 100×"},
	{1e300, "more"},
}

// evens is added to both numbers before they are compared, so that five calls
// instead of none are not infinitely many times as much.
const evens = 5

// oracleLoss is what the oracle lost, or -1 if it did not take part.
func oracleLoss(r *sim.Row) int {
	for _, c := range r.Cells {
		if c.Algorithm == sim.OracleID {
			return c.Lost.Median
		}
	}
	return -1
}

// class is the class of a cell: its level, and whose it is.
func class(c *sim.Summary, oracle int) string {
	if c.Algorithm == sim.OracleID || oracle < 0 {
		return "plain"
	}
	times := float64(c.Lost.Median+evens) / float64(oracle+evens)
	level := 0
	for times >= levels[level].below {
		level++
	}
	name := fmt.Sprintf("l%d", level)
	if c.Algorithm == sim.AdaptiveID {
		name += " own"
	}
	return name
}

// thousands writes a number with commas.
func thousands(n int) string {
	s := strconv.Itoa(n)
	for i := len(s) - 3; i > 0; i -= 3 {
		s = s[:i] + "," + s[i:]
	}
	return s
}

// describe says in words what the picture shows, for those who cannot see it.
func describe(b *sim.Batch, rows []sim.Row) string {
	var d strings.Builder
	d.WriteString("A table of calls lost.")
	for _, r := range rows {
		fmt.Fprintf(&d, " %s:", r.Scenario.Name)
		for i, c := range r.Cells {
			sep := ","
			if i == len(r.Cells)-1 {
				sep = "."
			}
			fmt.Fprintf(&d, " %s %d%s", b.Algorithms[i].Title, c.Lost.Median, sep)
		}
	}
	return d.String()
}
