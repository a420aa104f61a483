package cli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/store"
)

func (a *app) exportCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "export [FILE|-]",
		Short: "Write the stored routes as CSV",
		Long: `Write the stored routes as CSV, ordered by module and host, in the form that
import reads. Without a FILE it goes to the standard output, where --json makes
it JSON; - is the standard output too, and always CSV, as any FILE. A FILE is
replaced as a whole or not at all.`,
		Example: "  lars route export > routes.csv\n  lars route export backup.csv\n  lars route export -",
		Args:    between(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			return a.withStore(ctx, func(s *store.Store) error {
				entries, err := s.ListRoutes(ctx, store.Filter{})
				switch {
				case err != nil:
					return err
				case len(args) == 0 && a.json:
					return a.exportJSON(entries)
				case len(args) == 0 || args[0] == "-":
					return a.exportCSV(entries)
				default:
					return a.exportToFile(entries, args[0])
				}
			})
		},
	}
}

// entryJSON is one line of a route file.
type entryJSON struct {
	moduleJSON
	IP     string `json:"ip"`
	Port   uint16 `json:"port"`
	Weight uint16 `json:"weight"`
}

func (a *app) exportCSV(entries []store.Entry) error {
	if err := writeCSV(a.Out, entries); err != nil {
		return fmt.Errorf("write the routes: %w", err)
	}
	return nil
}

func (a *app) exportJSON(entries []store.Entry) error {
	list := make([]entryJSON, len(entries))
	for i, e := range entries {
		ap := e.Host.AddrPort()
		list[i] = entryJSON{moduleJSON(e.Module), ap.Addr().String(), ap.Port(), e.Weight.Or(route.DefaultWeight)}
	}
	return a.show(list, nil)
}

func (a *app) exportToFile(entries []store.Entry, name string) error {
	if err := replaceFile(name, func(w io.Writer) error { return writeCSV(w, entries) }); err != nil {
		return fmt.Errorf("write the routes to %s: %w", name, err)
	}
	return a.show(struct {
		File   string `json:"file"`
		Routes int    `json:"routes"`
	}{name, len(entries)}, func(w io.Writer) {
		fmt.Fprintf(w, "wrote %s to %s\n", count(len(entries), "route", "routes"), name)
	})
}
