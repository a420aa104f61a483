package chart

import (
	_ "embed"
	"fmt"
	"io"
	"strings"
	"text/template"
	"time"

	"github.com/lars-lb/lars/internal/sim"
)

//go:embed incident.svg.tmpl
var incidentSource string

// WriteIncident draws what became of a host's traffic in incidents, and how the
// evidence against hosts grew. The same input gives the same bytes.
func WriteIncident(w io.Writer, seed uint64, incidents []sim.Incident, evidence []sim.Evidence) error {
	t, err := template.New("incident").Funcs(template.FuncMap{"xml": escape}).Parse(incidentSource)
	if err != nil {
		return err
	}
	return t.Execute(w, struct {
		Seed   uint64
		Panels []panel
	}{seed, []panel{trafficPanel(incidents), evidencePanel(evidence)}})
}

// panel is a diagram with two axes.
type panel struct {
	Title  string
	TitleY int
	Fault  *box
	Grid   []segment
	Alarm  *segment
	Ticks  []text
	Lines  []polyline
	Marks  []mark
	Labels []text
}

type segment struct{ X1, Y1, X2, Y2 int }

type polyline struct{ Class, Points string }

type mark struct {
	Class   string
	X, Y, R int
}

// frame is where a panel's values go.
type frame struct {
	left, top, width, height int
	from, to                 time.Duration // the horizontal axis
	most                     float64       // the vertical axis begins at 0
}

func (f frame) x(t time.Duration) int {
	return f.left + int(float64(f.width)*float64(t-f.from)/float64(f.to-f.from))
}

func (f frame) y(v float64) int { return f.top + f.height - int(float64(f.height)*v/f.most) }

// axes draws the grid, with a label every so much on each axis.
func (f frame) axes(p *panel, dt time.Duration, time func(time.Duration) string, dv float64, value func(float64) string) {
	for v := 0.0; v <= f.most; v += dv {
		p.Grid = append(p.Grid, segment{f.left, f.y(v), f.left + f.width, f.y(v)})
		p.Ticks = append(p.Ticks, text{X: f.left - 8, Y: f.y(v) + 4, Text: value(v), Class: "end"})
	}
	for t := f.from; t <= f.to; t += dt {
		p.Ticks = append(p.Ticks, text{X: f.x(t), Y: f.top + f.height + 18, Text: time(t), Class: "mid"})
	}
}

func trafficPanel(incidents []sim.Incident) panel {
	p := panel{Title: "Its share of the calls, in percent of what is fair, before, during and after a fault of 20 s", TitleY: 88}
	in := incidents[0]
	f := frame{left: 70, top: 104, width: 800, height: 150, from: in.Begin, to: in.End, most: 1.2}
	p.Fault = &box{f.x(0), f.top, f.x(in.Fault) - f.x(0), f.height}
	f.axes(&p, 5*time.Second, func(t time.Duration) string { return fmt.Sprintf("%d s", t/time.Second) },
		0.5, func(v float64) string { return fmt.Sprintf("%.0f%%", 100*v) })
	below := f.top + f.height + 42
	for i, in := range incidents {
		var points strings.Builder
		for s, share := range in.Shares {
			at := in.Begin + time.Duration(s)*time.Second + time.Second/2
			fmt.Fprintf(&points, "%d,%d ", f.x(at), f.y(min(share, f.most)))
		}
		p.Lines = append(p.Lines, polyline{fmt.Sprint("s", i), strings.TrimSpace(points.String())})
		y := below + 20*i
		class := fmt.Sprint("f", i)
		for _, at := range in.Checks {
			p.Marks = append(p.Marks, mark{class, f.x(at), y, 2})
		}
		for _, at := range in.Probes {
			p.Marks = append(p.Marks, mark{class, f.x(at), y, 4})
		}
		p.Labels = append(p.Labels, text{X: f.x(in.End), Y: y + 4, Text: in.Name, Class: class + " end"})
	}
	p.Labels = append(p.Labels, text{X: f.left, Y: below + 42, Class: "note",
		Text: "Small dots are TCP connections that the agent tries, large ones are calls given to the host as probes."})
	return p
}

func evidencePanel(evidence []sim.Evidence) panel {
	p := panel{Title: "The evidence against hosts that fail a part of their calls, where 1% is normal, in the first two seconds", TitleY: 372}
	f := frame{left: 70, top: 388, width: 700, height: 130, to: 2 * time.Second, most: 25}
	f.axes(&p, 500*time.Millisecond, func(t time.Duration) string { return fmt.Sprintf("%.1f s", t.Seconds()) },
		5, func(v float64) string { return fmt.Sprintf("%.0f", v) })
	p.Alarm = &segment{f.left, f.y(evidence[0].Alarm), f.left + f.width, f.y(evidence[0].Alarm)}
	p.Labels = append(p.Labels, text{X: f.left + f.width + 10, Y: f.y(evidence[0].Alarm) + 4, Text: "ejected", Class: "note"})
	for i, ev := range evidence {
		points := fmt.Sprintf("%d,%d", f.x(0), f.y(0))
		for k, at := range ev.At {
			points += fmt.Sprintf(" %d,%d", f.x(at), f.y(ev.Nats[k]))
		}
		p.Lines = append(p.Lines, polyline{fmt.Sprint("s", i), points})
		p.Labels = append(p.Labels, text{X: f.left + f.width + 10, Y: f.top + 52 + 22*i, Text: ev.Name, Class: fmt.Sprint("f", i)})
	}
	return p
}
