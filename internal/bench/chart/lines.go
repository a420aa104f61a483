package chart

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/lars-lb/lars/internal/bench/result"
)

// Where a picture of lines has what.
const (
	plotLeft   = 76
	plotTop    = 104
	plotBottom = 404
	linesEnd   = 464 // of the picture
	labelGap   = 12  // between a line's end and its label
	labelLine  = 17  // between labels
	colours    = 6
)

// line is one of a picture.
type line struct {
	name   string
	points []result.Point
}

// curve draws how something grows, nil if it has no points.
func curve(c result.Curve) *drawing {
	var lines []line
	for _, s := range c.Series {
		lines = append(lines, line{s.Name, slices.DeleteFunc(slices.Clone(s.Points), func(p result.Point) bool { return !p.Drawable() })})
	}
	lines = slices.DeleteFunc(lines, func(l line) bool { return len(l.points) == 0 })
	if len(lines) == 0 {
		return nil
	}
	d := &drawing{Width: minWidth, Height: linesEnd, Title: c.Title}
	right := minWidth - margin - labelGap - widest(names(lines))
	lo, hi := bounds(lines, func(p result.Point) float64 { return p.X })
	x := newAxis(plotLeft, right, lo, hi, 0.3)
	for _, v := range x.ticks {
		d.Grid = append(d.Grid, segment{x.at(v), plotTop, x.at(v), plotBottom, "grid"})
		d.text(x.at(v), plotBottom+20, "tick mid", "%s", result.Quantity(v, ""))
	}
	d.text((plotLeft+right)/2, plotBottom+44, "note mid", "%s", c.X)
	d.draw(lines, x.at, right, c.Y, "")
	d.Desc = describe(c.Title, lines, func(p result.Point) string {
		return fmt.Sprintf("%s at %s", result.Quantity(p.Y, ""), result.Quantity(p.X, ""))
	})
	return d
}

// latencies draws percentiles, nil if there are none. They are spaced evenly:
// each further one is of a tenth of the share that is above the one before.
func latencies(l result.Latency) *drawing {
	var lines []line
	for _, of := range l.Of {
		var points []result.Point
		for i, v := range of.Values() {
			if p := (result.Point{X: float64(i + 1), Y: v}); p.Drawable() {
				points = append(points, p)
			}
		}
		if len(points) > 0 {
			lines = append(lines, line{of.Name, points})
		}
	}
	if len(lines) == 0 {
		return nil
	}
	d := &drawing{Width: minWidth, Height: linesEnd, Title: l.Title}
	right := minWidth - margin - labelGap - widest(names(lines))
	at := func(v float64) int {
		return plotLeft + int(math.Round((v-1)*float64(right-plotLeft)/float64(len(result.Percentiles)-1)))
	}
	for i, name := range result.Percentiles {
		x := at(float64(i + 1))
		d.Grid = append(d.Grid, segment{x, plotTop, x, plotBottom, "grid"})
		d.text(x, plotBottom+20, "tick mid", "%s", name)
	}
	d.text((plotLeft+right)/2, plotBottom+44, "note mid", "percentile")
	d.draw(lines, at, right, "time", l.Unit)
	d.Desc = describe(l.Title, lines, func(p result.Point) string {
		return result.Percentiles[int(p.X)-1] + " " + result.Quantity(p.Y, l.Unit)
	})
	return d
}

// draw draws the vertical axis, the lines and, beside their ends, their names.
func (d *drawing) draw(lines []line, x func(float64) int, right int, title, unit string) {
	lo, hi := bounds(lines, func(p result.Point) float64 { return p.Y })
	y := newAxis(plotBottom, plotTop, lo, hi, 1)
	for _, v := range y.ticks {
		d.Grid = append(d.Grid, segment{plotLeft, y.at(v), right, y.at(v), "grid"})
		d.text(plotLeft-8, y.at(v)+4, "tick end", "%s", result.Quantity(v, unit))
	}
	d.text(margin, plotTop-14, "note", "%s", title)
	ends := make([]int, len(lines))
	for i, l := range lines {
		var points []string
		for _, p := range l.points {
			points = append(points, fmt.Sprintf("%d,%d", x(p.X), y.at(p.Y)))
			d.Marks = append(d.Marks, mark{x(p.X), y.at(p.Y), 3, fmt.Sprint("f", i%colours)})
		}
		d.Lines = append(d.Lines, polyline{fmt.Sprint("s", i%colours), strings.Join(points, " ")})
		ends[i] = y.at(l.points[len(l.points)-1].Y)
	}
	for i, at := range apart(ends) {
		d.text(right+labelGap, at+4, fmt.Sprint("f", i%colours), "%s", lines[i].name)
	}
}

// apart moves labels that are wanted at some heights so that none lies upon
// another, in the order that they are wanted in.
func apart(wanted []int) []int {
	order := make([]int, len(wanted))
	for i := range order {
		order[i] = i
	}
	slices.SortStableFunc(order, func(a, b int) int { return wanted[a] - wanted[b] })
	at := slices.Clone(wanted)
	for k := 1; k < len(order); k++ {
		at[order[k]] = max(at[order[k]], at[order[k-1]]+labelLine)
	}
	// What was pushed out at the bottom pushes the others up again.
	lowest := plotBottom
	for k := len(order) - 1; k >= 0; k-- {
		at[order[k]] = min(at[order[k]], lowest)
		lowest = at[order[k]] - labelLine
	}
	return at
}

func names(lines []line) []string {
	var names []string
	for _, l := range lines {
		names = append(names, l.name)
	}
	return names
}

func bounds(lines []line, of func(result.Point) float64) (lo, hi float64) {
	lo, hi = math.Inf(1), 0
	for _, l := range lines {
		for _, p := range l.points {
			lo, hi = min(lo, of(p)), max(hi, of(p))
		}
	}
	return lo, hi
}

// describe says in words what the picture shows, for those who cannot see it.
func describe(title string, lines []line, point func(result.Point) string) string {
	d := title + "."
	for _, l := range lines {
		var points []string
		for _, p := range l.points {
			points = append(points, point(p))
		}
		d += fmt.Sprintf(" %s: %s.", l.name, strings.Join(points, ", "))
	}
	return d
}
