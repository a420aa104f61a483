package result

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// WriteTable prints the rows for people, and under them the notes, each with
// the number that its rows have.
func (run *Run) WriteTable(w io.Writer) error {
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "PART\tWHAT\tOURS\tBESIDE\tRATIO\tLARS 1.0\tAIM\t")
	notes := Notes(run.Rows)
	for _, r := range run.Rows {
		what := r.What
		if r.Note != "" {
			what += fmt.Sprintf(" [%d]", slices.Index(notes, r.Note)+1)
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\n", r.Part, what, Quantity(r.Ours, r.Unit),
			orDash(r.BesideText()), orDash(r.RatioText()), orDash(r.Lars1Text()), orDash(r.AimText()), r.VerdictText())
	}
	if err := table.Flush(); err != nil {
		return err
	}
	for i, note := range notes {
		if _, err := fmt.Fprintf(w, "[%d] %s\n", i+1, note); err != nil {
			return err
		}
	}
	return nil
}

// Notes are those of the rows, each once.
func Notes(rows []Row) []string {
	var notes []string
	for _, r := range rows {
		if r.Note != "" && !slices.Contains(notes, r.Note) {
			notes = append(notes, r.Note)
		}
	}
	return notes
}

func orDash(text string) string {
	if text == "" {
		return "-"
	}
	return text
}

// Summary says in lines how the run went: how long its parts took, which of
// them failed, and how many aims were reached.
func (run *Run) Summary() []string {
	var lines, took []string
	var sum time.Duration
	for _, p := range run.Parts {
		sum += p.Took()
		took = append(took, fmt.Sprintf("%s %s", p.Name, p.Took().Round(time.Second)))
	}
	if len(took) > 0 {
		lines = append(lines, fmt.Sprintf("took %s: %s", sum.Round(time.Second), strings.Join(took, ", ")))
	}
	if run.Machine.Busy() {
		lines = append(lines, fmt.Sprintf("the machine was busy before (load %.1f on %d cores): trust the ratios, not the rates",
			run.Machine.Load, run.Machine.Cores))
	}
	for _, p := range run.Parts {
		if p.Error != "" && p.Error != Interrupted {
			lines = append(lines, fmt.Sprintf("%s FAILED: %s", p.Name, p.Error))
		}
	}
	if run.Interrupted {
		lines = append(lines, "interrupted: this is what was measured until then")
	}
	judged, missed := run.Judged()
	lines = append(lines, fmt.Sprintf("%d of %d aims reached", judged-len(missed), judged))
	for _, r := range missed {
		lines = append(lines, fmt.Sprintf("MISSED  %s: %s: %s, wanted %s", r.Part, r.What, r.reached(), r.AimText()))
	}
	return lines
}

// reached is the text of what the aim is of.
func (r Row) reached() string {
	switch {
	case !r.Aim.OfRatio:
		return Quantity(r.Ours, r.Unit)
	case !r.Compared():
		return "nothing to compare with"
	default:
		return "ratio " + r.RatioText()
	}
}
