package cli

import (
	"fmt"
	"io"
	"strings"

	"github.com/lars-lb/lars/internal/sim"
)

// markdown writes the same tables as text, with the names of scenarios.
func (p *simPrinter) markdown(w io.Writer) {
	for i, t := range p.tables() {
		rows := p.shownRows(&t)
		if len(rows) == 0 {
			continue
		}
		if p.details {
			if i > 0 {
				fmt.Fprintln(w)
			}
			fmt.Fprintf(w, "%s:\n\n", t.title)
		}
		p.markdownTable(w, &t, rows)
	}
}

func (p *simPrinter) markdownTable(w io.Writer, t *simTable, rows []sim.Row) {
	fmt.Fprint(w, "| scenario |")
	for _, alg := range p.batch.Algorithms {
		fmt.Fprintf(w, " %s |", alg.Title)
	}
	fmt.Fprintf(w, "\n| --- |%s\n", strings.Repeat(" ---: |", len(p.batch.Algorithms)))
	for _, r := range rows {
		fmt.Fprintf(w, "| `%s`: %s |", r.Scenario.ID, r.Scenario.Name)
		for _, c := range r.Cells {
			cell := grouped(t.cell(&c))
			if t.marked(&r, &c) {
				cell = "**" + cell + "**"
			}
			fmt.Fprintf(w, " %s |", cell)
		}
		fmt.Fprintln(w)
	}
}

// grouped puts commas between the thousands of a number.
func grouped(number string) string {
	whole, rest, _ := strings.Cut(number, ".")
	if rest != "" {
		rest = "." + rest
	}
	for i := len(whole) - 3; i > 0; i -= 3 {
		whole = whole[:i] + "," + whole[i:]
	}
	return whole + rest
}
