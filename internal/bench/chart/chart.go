// Package chart draws what bench has measured as SVG pictures: ratios as bars,
// latencies by percentile, and how costs grow on logarithmic axes. A picture
// needs nothing outside itself, is readable on a light and a dark page, and the
// same run gives the same bytes.
package chart

import (
	"bytes"
	_ "embed"
	"encoding/xml"
	"fmt"
	"strings"
	"text/template"
	"unicode/utf8"

	"github.com/lars-lb/lars/internal/bench/result"
)

//go:embed picture.svg.tmpl
var source string

// Picture is a drawn one.
type Picture struct {
	Name string // of the file, with .svg
	Part string
	Alt  string // what it shows, in one line
	SVG  []byte
}

// Of draws all pictures of a run, each with another name: for each part the
// ratios, then the latencies and the curves.
func Of(run *result.Run) ([]Picture, error) {
	t, err := template.New("picture").Funcs(template.FuncMap{"xml": escape}).Parse(source)
	if err != nil {
		return nil, err
	}
	about := fmt.Sprintf("%s; %s, commit %s.", run.Machine.Short(), run.When.Format("2006-01-02"), run.Commit)
	var pictures []Picture
	taken := make(map[string]bool)
	add := func(part, name string, d *drawing) error {
		if d == nil {
			return nil // there is nothing to draw
		}
		d.Subtitle = about
		const large = 11 // a letter of the title, on average
		d.Width = max(d.Width, 2*margin+large*utf8.RuneCountInString(d.Title))
		var svg bytes.Buffer
		if err := t.Execute(&svg, d); err != nil {
			return err
		}
		pictures = append(pictures, Picture{unique(taken, slug(part+"-"+strings.TrimPrefix(name, part+"-"))) + ".svg", part, d.Title, svg.Bytes()})
		return nil
	}
	for _, p := range run.Parts {
		of, _ := run.Of(p.Name)
		if err := add(p.Name, "ratios", ratios(p.Name, of.Rows)); err != nil {
			return nil, err
		}
		for _, l := range of.Latencies {
			if err := add(p.Name, l.Name, latencies(l)); err != nil {
				return nil, err
			}
		}
		for _, c := range of.Curves {
			if err := add(p.Name, c.Name, curve(c)); err != nil {
				return nil, err
			}
		}
	}
	return pictures, nil
}

// slug makes the name of a file of any text.
func slug(name string) string {
	dashed := strings.Map(func(r rune) rune {
		if r >= 'a' && r <= 'z' || r >= '0' && r <= '9' {
			return r
		}
		return '-'
	}, strings.ToLower(name))
	return strings.Trim(dashed, "-")
}

// unique adds a number to a name that is taken, and takes it.
func unique(taken map[string]bool, name string) string {
	free := name
	for n := 2; taken[free]; n++ {
		free = fmt.Sprintf("%s-%d", name, n)
	}
	taken[free] = true
	return free
}

// escape makes text harmless in XML.
func escape(s string) (string, error) {
	var b strings.Builder
	err := xml.EscapeText(&b, []byte(s))
	return b.String(), err
}

// Measures, in the units of the picture, which are pixels at its natural size.
const (
	minWidth = 900
	margin   = 20
	letter   = 7 // on average
)

// widest is the width of the longest of some texts.
func widest(texts []string) int {
	w := 0
	for _, t := range texts {
		w = max(w, letter*utf8.RuneCountInString(t))
	}
	return w
}

// drawing is what the template draws, in this order.
type drawing struct {
	Width, Height         int
	Title, Desc, Subtitle string
	Grid                  []segment
	Boxes                 []box
	Segments              []segment
	Lines                 []polyline
	Marks                 []mark
	Texts                 []text
}

// InnerWidth and InnerHeight are the size of the outline.
func (d *drawing) InnerWidth() int  { return d.Width - 1 }
func (d *drawing) InnerHeight() int { return d.Height - 1 }

func (d *drawing) text(x, y int, class, format string, args ...any) {
	d.Texts = append(d.Texts, text{x, y, class, fmt.Sprintf(format, args...)})
}

type text struct {
	X, Y  int
	Class string
	Text  string
}

type box struct {
	X, Y, W, H int
	Class      string
}

type segment struct {
	X1, Y1, X2, Y2 int
	Class          string
}

type polyline struct{ Class, Points string }

type mark struct {
	X, Y, R int
	Class   string
}
