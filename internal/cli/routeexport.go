package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/lars-lb/lars/internal/store"
)

func (a *app) exportCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "export [FILE]",
		Short: "Write the stored routes as CSV",
		Long: `Write the stored routes as CSV, ordered by module and host, in the form that
import reads. Without a FILE it goes to the standard output, where --json makes
it JSON. A FILE is replaced as a whole or not at all.`,
		Example: "  lars route export > routes.csv\n  lars route export backup.csv",
		Args:    between(0, 1),
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			return a.withStore(ctx, func(s *store.Store) error {
				if len(args) == 0 {
					return a.exportToOut(ctx, s)
				}
				return a.exportToFile(ctx, s, args[0])
			})
		},
	}
}

// entryJSON is one line of a route file.
type entryJSON struct {
	moduleJSON
	IP   string `json:"ip"`
	Port uint16 `json:"port"`
}

func (a *app) exportToOut(ctx context.Context, s *store.Store) error {
	entries, err := s.ListRoutes(ctx, store.Filter{})
	if err != nil {
		return err
	}
	if !a.json {
		if err := writeCSV(a.Out, entries); err != nil {
			return fmt.Errorf("write the routes: %w", err)
		}
		return nil
	}
	list := make([]entryJSON, len(entries))
	for i, e := range entries {
		ap := e.Host.AddrPort()
		list[i] = entryJSON{moduleJSON(e.Module), ap.Addr().String(), ap.Port()}
	}
	return a.show(list, nil)
}

func (a *app) exportToFile(ctx context.Context, s *store.Store, name string) error {
	entries, err := s.ListRoutes(ctx, store.Filter{})
	if err != nil {
		return err
	}
	if err := replaceFile(name, func(w io.Writer) error { return writeCSV(w, entries) }); err != nil {
		return err
	}
	return a.show(struct {
		File   string `json:"file"`
		Routes int    `json:"routes"`
	}{name, len(entries)}, func(w io.Writer) {
		fmt.Fprintf(w, "wrote %s to %s\n", count(len(entries), "route", "routes"), name)
	})
}

// replaceFile writes a file beside name, then gives it that name.
func replaceFile(name string, write func(io.Writer) error) (err error) {
	f, err := os.CreateTemp(filepath.Dir(name), "."+filepath.Base(name)+".*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(f.Name()))
		}
	}()
	if err := errors.Join(write(f), f.Chmod(0o644), f.Sync(), f.Close()); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return os.Rename(f.Name(), name)
}
