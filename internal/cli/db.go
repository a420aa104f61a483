package cli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"
)

func (a *app) dbCommand() *cobra.Command {
	db := &cobra.Command{
		Use:     "db COMMAND",
		Short:   "Prepare the store, and look at its version",
		Example: "  lars db init\n  lars db version",
	}
	asGroup(db)
	db.AddCommand(a.dbInitCommand(), a.dbVersionCommand())
	return db
}

func (a *app) dbInitCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "init",
		Short: "Create the store's tables, or bring them up to date",
		Long: `Create the store's tables, or bring them up to date.

Tables of Lars 1.0 are taken over as they are. Running it again, also while the
daemons run, does no harm. A MySQL database itself must exist.`,
		Example: "  lars db init\n  lars db init --conf /etc/lars/lars-dns.conf",
		Args:    exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.openStore()
			if err != nil {
				return err
			}
			defer s.Close()
			from, to, err := s.Migrate(cmd.Context())
			if err != nil {
				return err
			}
			return a.show(struct {
				From int64 `json:"from"`
				To   int64 `json:"to"`
			}{from, to}, func(w io.Writer) {
				if from == to {
					fmt.Fprintf(w, "%s is up to date, at schema version %d\n", s.name, to)
					return
				}
				fmt.Fprintf(w, "%s went from schema version %d to %d\n", s.name, from, to)
			})
		},
	}
}

func (a *app) dbVersionCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the schema version of the store, and the one this program needs",
		Example: "  lars db version --json",
		Args:    exactly(0),
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := a.openStore()
			if err != nil {
				return err
			}
			defer s.Close()
			have, want, err := s.schema(cmd.Context())
			if err != nil {
				return err
			}
			return a.showSchema(s.name, have, want)
		},
	}
}

func (a *app) showSchema(name string, have, want int64) error {
	return a.show(struct {
		Have int64 `json:"have"`
		Want int64 `json:"want"`
	}{have, want}, func(w io.Writer) {
		fmt.Fprintf(w, "%s has schema version %d, this program needs %d\n", name, have, want)
		if have < want {
			fmt.Fprintln(w, "run: lars db init")
		}
	})
}
