package chart

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/lars-lb/lars/internal/bench/result"
)

// Where a picture of ratios has what.
const (
	barsTop   = 122
	rowHeight = 30
	barHeight = 18
	groupGap  = 30
	cutAt     = 2.0 // a bar of a larger ratio is cut, and its number tells
	barWidth  = 300
	ratioGap  = 12  // between the bars and the ratios
	valueGap  = 64  // from a ratio to what it is of
	values    = 250 // for that
)

// ratios draws the rows that are compared with something as bars, nil if there
// are none.
func ratios(part string, rows []result.Row) *drawing {
	compared := slices.DeleteFunc(slices.Clone(rows), func(r result.Row) bool { return !r.Compared() || math.IsNaN(r.Ratio()) })
	if len(compared) == 0 {
		return nil
	}
	var more, less []result.Row
	most := 1.25
	var whats []string
	for _, r := range compared {
		whats = append(whats, r.What)
		most = max(most, r.Ratio()*1.02)
		if r.LessIsBetter() {
			less = append(less, r)
		} else {
			more = append(more, r)
		}
	}
	b := bars{
		drawing: &drawing{Title: part + ": ratios to what was measured beside it", Desc: "Bars."},
		left:    margin + widest(whats) + 12,
		most:    min(most, cutAt),
		y:       barsTop,
	}
	b.Width = max(minWidth, b.left+barWidth+ratioGap+valueGap+values)
	b.group("More is better", more)
	b.group("Less is better", less)
	b.scale()
	b.legend()
	return b.drawing
}

// bars is a picture of ratios that grows downwards.
type bars struct {
	*drawing
	left int     // of the bars
	most float64 // the largest ratio that has its place
	y    int     // the top of what comes next
}

// x is where a ratio is; those that are too large are at the end.
func (b *bars) x(ratio float64) int {
	return b.left + int(math.Round(barWidth*max(0, min(ratio, b.most))/b.most))
}

func (b *bars) group(name string, rows []result.Row) {
	if len(rows) == 0 {
		return
	}
	b.text(margin, b.y+16, "group", "%s", name)
	b.y += groupGap
	for _, r := range rows {
		b.row(r)
	}
}

func (b *bars) row(r result.Row) {
	ratio := r.Ratio()
	middle := b.y + rowHeight/2
	b.text(margin, middle+4, "", "%s", r.What)
	b.Boxes = append(b.Boxes, box{b.left, middle - barHeight/2, max(1, b.x(ratio)-b.left), barHeight, class(r)})
	beyond := ""
	if ratio > b.most {
		beyond = " »"
	}
	if r.Aim.OfRatio && r.Aim.Kind != "" && r.Aim.Bound <= b.most {
		x := b.x(r.Aim.Bound)
		b.Segments = append(b.Segments, segment{x, middle - rowHeight/2 + 2, x, middle + rowHeight/2 - 2, "aim"})
	}
	if r.Aim.OfRatio && r.Lars1 > 0 && r.Lars1 <= b.most {
		b.Marks = append(b.Marks, mark{b.x(r.Lars1), middle, 4, "lars1"})
	}
	verdict := ""
	if r.VerdictText() == "MISSED" {
		verdict = ", missed"
	}
	x := b.left + barWidth + ratioGap
	b.text(x, middle+4, "ratio", "%s%s", r.RatioText(), beyond)
	b.text(x+valueGap, middle+4, "value", "%s beside %s%s", result.Quantity(r.Ours, r.Unit), result.Quantity(r.Other, r.Unit), verdict)
	b.Desc += fmt.Sprintf(" %s: %s of %s%s.", r.What, r.RatioText(), strings.TrimSpace("the "+r.Than), verdict)
	b.y += rowHeight
}

// class is the colour of a row.
func class(r result.Row) string {
	switch r.VerdictText() {
	case "":
		return "plain"
	case "ok":
		return "reached"
	default:
		return "missed"
	}
}

// scale draws the lines behind the bars, and their numbers above them.
func (b *bars) scale() {
	for quarter := 0; float64(quarter)/4 <= b.most; quarter++ {
		v := float64(quarter) / 4
		class := "grid"
		if v == 1 {
			class = "even"
		}
		b.Grid = append(b.Grid, segment{b.x(v), barsTop - 8, b.x(v), b.y + 4, class})
		if quarter%2 == 0 {
			b.text(b.x(v), barsTop-16, "tick mid", "%g", v)
		}
	}
}

// legend explains what is in the picture, and ends it.
func (b *bars) legend() {
	y := b.y + 26
	x := margin
	for _, l := range []struct{ class, text string }{
		{"reached", "aim reached"}, {"missed", "aim missed"}, {"plain", "no aim"},
	} {
		b.Boxes = append(b.Boxes, box{x, y - 10, 14, 12, l.class})
		b.text(x+20, y, "note", "%s", l.text)
		x += 20 + letter*len(l.text) + 24
	}
	b.Segments = append(b.Segments, segment{x + 4, y - 12, x + 4, y + 4, "aim"})
	b.text(x+14, y, "note", "aim")
	x += 14 + letter*3 + 24
	b.Marks = append(b.Marks, mark{x + 4, y - 4, 4, "lars1"})
	b.text(x+14, y, "note", "Lars 1.0")
	b.Height = y + margin
}
