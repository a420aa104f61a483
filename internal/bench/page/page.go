// Package page writes what a run of bench has measured into a document: the
// tables between the lines "<!-- bench:NAME -->" and "<!-- /bench -->", and the
// pictures that they show. What is between others stays as it is, and the same
// run gives the same bytes again.
package page

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/lars-lb/lars/internal/bench/chart"
	"github.com/lars-lb/lars/internal/bench/result"
)

// Name is the file of the document.
const Name = "PERFORMANCE.md"

// PicturePrefix begins the names of the pictures beside the document.
const PicturePrefix = "bench-"

// The lines around what is written here.
const (
	opening, closing = "<!-- bench:", " -->"
	end              = "<!-- /bench -->"
)

// Make returns the files that the document at path and the run make: the
// document and its pictures, by name.
func Make(path string, run *result.Run) (map[string][]byte, error) {
	doc, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	pictures, err := chart.Of(run)
	if err != nil {
		return nil, err
	}
	filled, err := Fill(string(doc), run, pictures)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	files := map[string][]byte{Name: []byte(filled)}
	for _, p := range pictures {
		files[PicturePrefix+p.Name] = p.SVG
	}
	return files, nil
}

// Fill replaces what is between the markers of a document. A marker names "run",
// "fleet" or a part; a part that was not run is said to be missing.
func Fill(doc string, run *result.Run, pictures []chart.Picture) (string, error) {
	var out strings.Builder
	open := "" // the name of the marker whose end is awaited
	number := 0
	for line := range strings.Lines(doc) {
		number++
		text := strings.TrimSpace(line)
		name, opens := strings.CutPrefix(text, opening)
		name, closed := strings.CutSuffix(name, closing)
		switch {
		case opens && closed && open != "":
			return "", fmt.Errorf("line %d: %s begins within %s", number, name, open)
		case opens && closed:
			open = name
			out.WriteString(line)
			block, err := block(name, run, pictures)
			if err != nil {
				return "", fmt.Errorf("line %d: %w", number, err)
			}
			out.WriteString("\n" + block + "\n")
		case text == end && open == "":
			return "", fmt.Errorf("line %d: %s ends nothing", number, end)
		case text == end:
			open = ""
			out.WriteString(line)
		case open == "":
			out.WriteString(line)
		}
	}
	if open != "" {
		return "", fmt.Errorf("%s has no end: %s is missing", open, end)
	}
	return out.String(), nil
}

// block is what belongs between the markers of a name, ending with a line break.
func block(name string, run *result.Run, pictures []chart.Picture) (string, error) {
	switch name {
	case "":
		return "", fmt.Errorf("a marker without a name")
	case "run":
		return about(run), nil
	case "fleet":
		return fleet(run), nil
	}
	of, ok := run.Of(name)
	if !ok {
		return "Not measured in this run.\n", nil
	}
	var sections []string
	if failed := of.Parts[0].Error; failed != "" {
		sections = append(sections, "This part ended before its time: "+failed+".\n")
	}
	if len(of.Rows) > 0 {
		sections = append(sections, rows(of.Rows))
	}
	for _, l := range of.Latencies {
		sections = append(sections, latency(l))
	}
	for _, p := range pictures {
		if p.Part == name {
			sections = append(sections, fmt.Sprintf("![%s](%s%s)\n", escape(p.Alt), PicturePrefix, p.Name))
		}
	}
	if len(sections) == 0 {
		return "Nothing was measured.\n", nil
	}
	return strings.Join(sections, "\n"), nil
}

// about says of what run the numbers are.
func about(run *result.Run) string {
	judged, missed := run.Judged()
	text := fmt.Sprintf("One run of `make bench`, on %s, of commit %s, with %d rounds of %s:\n%s.\n%d of %d aims were reached.",
		run.When.Format("2006-01-02 15:04 UTC"), run.Commit, run.Rounds, run.Length, run.Machine, judged-len(missed), judged)
	if run.Machine.Busy() {
		text += fmt.Sprintf(" The machine had other work (load %.1f): trust the ratios.", run.Machine.Load)
	}
	if run.Interrupted {
		text += " The run was interrupted."
	}
	return text + "\n"
}

// table writes a table whose first columns, so many, are text and whose others
// are numbers.
func table(head []string, texts int, body [][]string) string {
	var b strings.Builder
	line := func(cells []string) { fmt.Fprintf(&b, "| %s |\n", strings.Join(cells, " | ")) }
	line(head)
	rule := slices.Repeat([]string{"---"}, texts)
	for range head[texts:] {
		rule = append(rule, "---:")
	}
	line(rule)
	for _, cells := range body {
		line(cells)
	}
	return b.String()
}

func rows(rows []result.Row) string {
	var body [][]string
	notes := result.Notes(rows)
	for _, r := range rows {
		what := escape(r.What)
		if r.Note != "" {
			what += fmt.Sprintf(" <sup>%d</sup>", slices.Index(notes, r.Note)+1)
		}
		aim := r.AimText()
		switch r.VerdictText() {
		case "ok":
			aim += ", reached"
		case "MISSED":
			aim += ", **missed**"
		}
		body = append(body, []string{what, result.Quantity(r.Ours, r.Unit), escape(r.BesideText()), r.RatioText(), r.Lars1Text(), aim})
	}
	text := table([]string{"what", "ours", "beside", "ratio", "Lars 1.0", "aim"}, 1, body)
	for i, note := range notes {
		if i == 0 {
			text += "\n"
		}
		text += fmt.Sprintf("%d. %s\n", i+1, escape(note))
	}
	return text
}

func latency(l result.Latency) string {
	var body [][]string
	for _, of := range l.Of {
		cells := []string{escape(of.Name)}
		for _, v := range of.Values() {
			cells = append(cells, result.Quantity(v, l.Unit))
		}
		body = append(body, cells)
	}
	return table(append([]string{escape(l.Title)}, result.Percentiles[:]...), 1, body)
}

// escape keeps text from being taken for markdown.
func escape(text string) string {
	return strings.NewReplacer("|", `\|`, "<", "&lt;", "[", `\[`, "]", `\]`, "*", `\*`, "\n", " ").Replace(text)
}
