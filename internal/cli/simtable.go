package cli

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/lars-lb/lars/internal/sim"
	"github.com/lars-lb/lars/internal/sim/live"
)

// simPrinter prints what sim has found out.
type simPrinter struct {
	batch    *sim.Batch
	rows     []sim.Row
	details  bool
	liveTime int  // seconds a scenario in real time; 0 is virtual time
	bold     bool // mark cells by escape sequences instead of stars
}

// simTable is one table: a row for each scenario, a column for each algorithm.
type simTable struct {
	title string
	// cell is what stands in a cell; empty is nothing to be said.
	cell func(c *sim.Summary) string
	// shown tells which rows are worth showing; nil is all.
	shown func(r *sim.Row) bool
	// best marks the least numbers of calls lost.
	best bool
}

func (p *simPrinter) tables() []simTable {
	lost := simTable{
		title: "calls lost",
		cell:  func(c *sim.Summary) string { return fmt.Sprint(c.Lost.Median) },
		best:  true,
	}
	if !p.details {
		return []simTable{lost}
	}
	ejection := func(of func(e *sim.Ejection) string) func(c *sim.Summary) string {
		return func(c *sim.Summary) string {
			if c.Ejection == nil {
				return ""
			}
			return of(c.Ejection)
		}
	}
	some := func(of func(c *sim.Summary) bool) func(r *sim.Row) bool {
		return func(r *sim.Row) bool {
			return slices.ContainsFunc(r.Cells, func(c sim.Summary) bool { return of(&c) })
		}
	}
	return []simTable{
		lost,
		{
			title: "share of their time that healthy hosts were kept out, %",
			cell:  ejection(func(e *sim.Ejection) string { return fmt.Sprintf("%.2f", 100*e.HealthyShare) }),
			shown: some(func(c *sim.Summary) bool { return c.Ejection != nil && c.Ejection.HealthyShare > 0 }),
		},
		{
			title: "most attempts within a second at a host that was no use and kept out",
			cell:  ejection(func(e *sim.Ejection) string { return fmt.Sprint(e.Attempts) }),
			shown: some(func(c *sim.Summary) bool { return c.Ejection != nil && c.Ejection.Attempts > 0 }),
		},
		{
			title: "crowding: the most that a host got within 100 ms, in fair shares",
			cell: func(c *sim.Summary) string {
				if c.Crowding == 0 {
					return ""
				}
				return fmt.Sprintf("%.1f", c.Crowding)
			},
			shown: some(func(c *sim.Summary) bool { return c.Crowding > 0 }),
		},
	}
}

// shownRows are the rows that t shows.
func (p *simPrinter) shownRows(t *simTable) []sim.Row {
	if t.shown == nil {
		return p.rows
	}
	return slices.DeleteFunc(slices.Clone(p.rows), func(r sim.Row) bool { return !t.shown(&r) })
}

// seeds says which seeds were used.
func (p *simPrinter) seeds() string {
	if p.batch.Seeds == 1 {
		return fmt.Sprintf("seed %d", p.batch.FirstSeed)
	}
	return fmt.Sprintf("medians of seeds %d to %d", p.batch.FirstSeed, p.batch.FirstSeed+uint64(p.batch.Seeds)-1)
}

// best is the least number of calls that an algorithm other than the oracle
// lost; ok is false if there is no difference to speak of.
func best(r *sim.Row) (least int, ok bool) {
	most := -1
	for _, c := range r.Cells {
		if c.Algorithm == sim.OracleID {
			continue
		}
		if lost := c.Lost.Median; most < 0 {
			least, most = lost, lost
		} else {
			least, most = min(least, lost), max(most, lost)
		}
	}
	return least, least < most
}

// marked reports whether a cell is to be marked as the best of its row.
func (t *simTable) marked(r *sim.Row, c *sim.Summary) bool {
	if !t.best || c.Algorithm == sim.OracleID {
		return false
	}
	least, ok := best(r)
	return ok && c.Lost.Median == least
}

func (p *simPrinter) text(w io.Writer) {
	for _, t := range p.tables() {
		rows := p.shownRows(&t)
		if len(rows) == 0 {
			continue
		}
		if p.details {
			fmt.Fprintf(w, "%s\n", t.title)
		}
		p.table(w, &t, rows)
		fmt.Fprintln(w)
	}
	mark := "* is"
	if p.bold {
		mark = "bold is"
	}
	if p.liveTime > 0 {
		fmt.Fprintf(w, `Calls lost in %d s of real time, of which the first %d are calm, at up to %d calls
a second, seed %d; %s the best. A call is lost that fails, that gets no host while a
good one exists or, where slowness is the fault, that takes longer than %v.
A machine that is busy adds to that. lars sim list says what the scenarios are.
`, p.liveTime, p.liveTime/live.CalmPart, live.MaxRate, p.batch.FirstSeed, mark, sim.TooSlow)
		return
	}
	fmt.Fprintf(w, `Calls lost, %s; %s the best but for the oracle, which
knows the truth. A call is lost that fails, that gets no host while a good one
exists or, where slowness is the fault, that takes longer than %v.
Repeat with --seed %d --seeds %d; lars sim list says what the scenarios are.
`, p.seeds(), mark, sim.TooSlow, p.batch.FirstSeed, p.batch.Seeds)
}

const (
	boldOn  = "\x1b[1m"
	boldOff = "\x1b[0m"
)

// table writes columns of equal width by itself: numbers are easiest to compare
// when they end at the same place, and escape sequences have no width.
func (p *simPrinter) table(w io.Writer, t *simTable, rows []sim.Row) {
	head := []string{"SCENARIO"}
	for _, alg := range p.batch.Algorithms {
		head = append(head, strings.ToUpper(alg.Title))
	}
	widths := make([]int, len(head))
	lines := [][]string{head}
	for _, r := range rows {
		line := []string{r.Scenario.ID}
		for _, c := range r.Cells {
			line = append(line, t.cell(&c))
		}
		lines = append(lines, line)
	}
	for _, line := range lines {
		for i, cell := range line {
			widths[i] = max(widths[i], utf8.RuneCountInString(cell))
		}
	}
	for n, line := range lines {
		fmt.Fprintf(w, "%-*s ", widths[0], line[0])
		for i, cell := range line[1:] {
			// The place for a star is part of the gap between columns.
			cell, mark := fmt.Sprintf("%*s", widths[i+1], cell), " "
			if n > 0 && t.marked(&rows[n-1], &rows[n-1].Cells[i]) {
				if p.bold {
					cell = boldOn + cell + boldOff
				} else {
					mark = "*"
				}
			}
			if i == len(line)-2 {
				mark = strings.TrimRight(mark, " ")
			}
			fmt.Fprintf(w, " %s%s", cell, mark)
		}
		fmt.Fprintln(w)
	}
}
