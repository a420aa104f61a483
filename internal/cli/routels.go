package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/store"
)

func (a *app) routeListCommand() *cobra.Command {
	return &cobra.Command{
		Use:               "ls [MODID [CMDID]]",
		Short:             "List the stored routes",
		Long:              "List the stored routes: all of them, those of a modid, or that of one module.",
		Example:           "  lars route ls\n  lars route ls 1\n  lars route ls 1 1 --json",
		Args:              between(0, 2),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			f, err := filter(args)
			if err != nil {
				return err
			}
			ctx := cmd.Context()
			return a.withStore(ctx, func(s *store.Store) error { return a.listRoutes(ctx, s, f) })
		},
	}
}

func filter(args []string) (store.Filter, error) {
	var f store.Filter
	for i, field := range []struct {
		name string
		to   **int32
	}{{"MODID", &f.ModID}, {"CMDID", &f.CmdID}} {
		if i == len(args) {
			break
		}
		n, err := number(field.name, args[i])
		if err != nil {
			return f, err
		}
		*field.to = &n
	}
	return f, nil
}

// routeJSON is one module of the list.
type routeJSON struct {
	moduleJSON
	ModName string   `json:"mod_name,omitempty"`
	CmdName string   `json:"cmd_name,omitempty"`
	Hosts   []string `json:"hosts"`
	// Weights has each of the hosts. It is beside them for the sake of
	// programs that were written when there were no weights.
	Weights map[string]uint16 `json:"weights"`
}

func (a *app) listRoutes(ctx context.Context, s *store.Store, f store.Filter) error {
	entries, err := s.ListRoutes(ctx, f)
	if err != nil {
		return err
	}
	names, err := s.Names(ctx)
	if err != nil {
		return err
	}
	routes := []routeJSON{}
	for i, e := range entries { // ordered by module
		if i == 0 || entries[i-1].Module != e.Module {
			routes = append(routes, routeJSON{
				moduleJSON: moduleJSON(e.Module),
				ModName:    names.Mods[e.Module.ModID], CmdName: names.Cmds[e.Module.CmdID],
				Weights: make(map[string]uint16),
			})
		}
		last := &routes[len(routes)-1]
		host := e.Host.String()
		last.Hosts = append(last.Hosts, host)
		last.Weights[host] = e.Weight.Or(route.DefaultWeight)
	}
	if len(routes) == 0 {
		what := "no routes"
		if f.ModID != nil {
			what = "no routes with these numbers"
		}
		a.hint(what + ": lars route add MODID CMDID IP:PORT adds one")
	}
	return a.show(routes, func(w io.Writer) {
		fmt.Fprint(w, "MODID\tCMDID\tNAME\tHOST\tWEIGHT\n")
		for _, r := range routes {
			for _, h := range r.Hosts {
				fmt.Fprintf(w, "%d\t%d\t%s\t%s\t%s\n", r.ModID, r.CmdID, joinNames(r.ModName, r.CmdName), h, weightText(r.Weights[h]))
			}
		}
	})
}

// joinNames is how a module is called; - stands for what has no name.
func joinNames(mod, cmd string) string {
	if mod == "" && cmd == "" {
		return "-"
	}
	if mod == "" {
		mod = "-"
	}
	if cmd == "" {
		cmd = "-"
	}
	return mod + " / " + cmd
}
