package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"text/tabwriter"
)

// show prints a command's result: value with --json, else what text writes.
// Tabs in text align columns.
func (a *app) show(value any, text func(w io.Writer)) error {
	if a.json {
		encoder := json.NewEncoder(a.Out)
		encoder.SetIndent("", "  ")
		encoder.SetEscapeHTML(false)
		if err := encoder.Encode(value); err != nil {
			return fmt.Errorf("write the result: %w", err)
		}
		return nil
	}
	// The table writer keeps everything until Flush, so a failed write to the
	// terminal shows there.
	table := tabwriter.NewWriter(a.Out, 0, 8, 2, ' ', 0)
	text(table)
	if err := table.Flush(); err != nil {
		return fmt.Errorf("write the result: %w", err)
	}
	return nil
}

// hint explains an empty table to whoever looks at it; programs that read JSON
// do not.
func (a *app) hint(text string) {
	if !a.json {
		fmt.Fprintln(a.Err, text)
	}
}

// moduleJSON begins every result about one module.
type moduleJSON struct {
	ModID int32 `json:"modid"`
	CmdID int32 `json:"cmdid"`
}

// count formats a number of things.
func count(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}
