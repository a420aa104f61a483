package cli

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/store"
)

// importFlags say what becomes of the routes of a file.
type importFlags struct {
	replace, allowEmpty, dryRun, yes bool
}

func (a *app) importCommand() *cobra.Command {
	var f importFlags
	cmd := &cobra.Command{
		Use:   "import FILE|-",
		Short: "Add the routes of a CSV file, or make the store exactly that",
		Long: fmt.Sprintf(`Add the routes of a CSV file to the store: a line for each host, with the
columns modid,cmdid,ip,port,weight. A header with these names may stand above;
empty lines and lines that begin with # are skipped. - is the standard input.

The weight may be missing, in a line or in the whole file: new hosts get %d then,
others keep theirs; with --replace, which makes the store exactly the file, they
get %d too. A weight that is there is set in any case.

It is all or nothing: a file with a bad line changes nothing. Hosts that the
store has and the file has not are kept, unless --replace says otherwise. If that
removes more than half of all hosts (and more than 10) you are asked first, or
have to say --yes where nobody can be asked.`, route.DefaultWeight, route.DefaultWeight),
		Example: `  lars route import routes.csv
  lars route import --replace --dry-run routes.csv
  lars route export | ssh other lars route import --replace -`,
		Args: exactly(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			entries, err := a.readRoutes(args[0])
			if err != nil {
				return err
			}
			if f.replace && len(entries) == 0 && !f.allowEmpty {
				return fmt.Errorf("%s has no routes, and --replace would remove every one in the store; add --allow-empty if that is meant", args[0])
			}
			ctx := cmd.Context()
			return a.withStore(ctx, func(s *store.Store) error { return a.importRoutes(ctx, s, entries, f) })
		},
	}
	cmd.Flags().BoolVar(&f.replace, "replace", false, "make the store exactly the file: remove the hosts that it does not have")
	cmd.Flags().BoolVar(&f.allowEmpty, "allow-empty", false, "let --replace with an empty file remove every route")
	yesFlag(cmd, &f.yes)
	cmd.Flags().BoolVar(&f.dryRun, "dry-run", false, "say what would change, and change nothing")
	return cmd
}

func (a *app) readRoutes(name string) ([]store.Entry, error) {
	if name == "-" {
		return readCSV("standard input", a.In)
	}
	file, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return readCSV(name, file)
}

// importJSON is the result of an import. What was not counted is left out.
type importJSON struct {
	Routes    int  `json:"routes"` // in the file
	DryRun    bool `json:"dry_run"`
	Added     *int `json:"added,omitempty"`     // hosts
	Reweighed *int `json:"reweighed,omitempty"` // hosts that were there with another weight
	Removed   *int `json:"removed,omitempty"`   // hosts
	Changed   *int `json:"changed,omitempty"`   // modules
}

func (a *app) importRoutes(ctx context.Context, s *store.Store, entries []store.Entry, f importFlags) error {
	result := importJSON{Routes: len(entries), DryRun: f.dryRun}
	switch {
	case f.dryRun:
		have, err := s.ListRoutes(ctx, store.Filter{})
		if err != nil {
			return err
		}
		d := compare(have, entries, f.replace)
		if d.tooMany != nil {
			return d.tooMany
		}
		result.Added, result.Reweighed, result.Removed, result.Changed = &d.added, &d.reweighed, &d.removed, &d.changed
		return a.show(result, func(w io.Writer) {
			fmt.Fprintf(w, "would add %s, remove %s and change the weight of %s, which changes %s\n",
				count(d.added, "host", "hosts"), count(d.removed, "host", "hosts"), count(d.reweighed, "host", "hosts"), count(d.changed, "module", "modules"))
		})
	case f.replace:
		most, err := a.confirmReplace(ctx, s, entries, f.yes)
		if err != nil {
			return err
		}
		changed, err := s.ReplaceRoutes(ctx, entries)
		if err != nil {
			return err
		}
		result.Changed = &changed
		err = a.show(result, func(w io.Writer) {
			fmt.Fprintf(w, "changed %s; the store has %s now\n", count(changed, "module", "modules"), count(len(entries), "route", "routes"))
		})
		if err != nil {
			return err
		}
		if most {
			a.hintHeld()
		}
	default:
		added, err := s.AddHosts(ctx, entries)
		if err != nil {
			return err
		}
		result.Added, result.Reweighed = &added.Hosts, &added.Reweighed
		err = a.show(result, func(w io.Writer) {
			fmt.Fprintf(w, "added %s of %d%s\n", count(added.Hosts, "host", "hosts"), len(entries), reweighed(added.Reweighed))
		})
		if err != nil {
			return err
		}
	}
	return a.hintDrained(ctx, s, drained(entries)...)
}

// confirmReplace asks if most of all hosts are not among entries.
func (a *app) confirmReplace(ctx context.Context, s *store.Store, entries []store.Entry, yes bool) (most bool, err error) {
	stays := make(map[store.Entry]bool, len(entries))
	for _, e := range entries {
		stays[e.Key()] = true
	}
	removed, all, err := countRoutes(ctx, s, func(e store.Entry) bool { return !stays[e.Key()] })
	if err != nil {
		return false, err
	}
	return a.confirmRemoval(ctx, removed, all, yes)
}

// difference is what an import would change.
type difference struct {
	added, removed, reweighed, changed int
	tooMany                            error // the store would refuse it
}

func compare(have, want []store.Entry, replace bool) difference {
	var d difference
	missing := make(map[store.Entry]store.Weight, len(want))
	for _, e := range want {
		missing[e.Key()] = e.Weight
	}
	hosts, changed := make(map[route.Module]int), make(map[route.Module]bool)
	for _, e := range have {
		weight, wanted := missing[e.Key()]
		switch {
		case wanted:
			delete(missing, e.Key())
			otherwise := e.Weight.Or(route.DefaultWeight)
			if replace {
				otherwise = route.DefaultWeight
			}
			if store.WeightOf(weight.Or(otherwise)) != e.Weight {
				d.reweighed++
				changed[e.Module] = true
			}
		case replace:
			d.removed++
			changed[e.Module] = true
			continue
		}
		hosts[e.Module]++
	}
	for e := range missing {
		d.added++
		changed[e.Module] = true
		if hosts[e.Module]++; hosts[e.Module] > route.MaxHosts {
			d.tooMany = fmt.Errorf("%w: module %v, at most %d are possible", store.ErrTooManyHosts, e.Module, route.MaxHosts)
		}
	}
	d.changed = len(changed)
	return d
}
