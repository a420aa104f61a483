package cli

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/lars-lb/lars/api/lars"
	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/store"
)

// routeCommand is the group of commands on stored routes. With two numbers and
// no command it asks the agent, beside get and register.
func (a *app) routeCommand() *cobra.Command {
	group := &cobra.Command{
		Use:   "route {COMMAND | MODID CMDID}",
		Short: "Change and list the stored routes; with two numbers, ask the agent for one",
		Long: `Change and list the routes in the store, which lars-dns serves.

With two numbers in place of a command, ask the agent instead: what are the hosts
of this module, as the agent has them now?`,
		Example: `  lars route add 1 1 192.168.1.177:7777
  lars route ls
  lars route 1 1`,
		SuggestionsMinimumDistance: 2,
		DisableFlagsInUseLine:      true,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			if _, err := strconv.Atoi(args[0]); err != nil {
				return unknownCommand(cmd, args)
			}
			switch len(args) {
			case 1:
				return wrongUsage("CMDID is missing: %s wants MODID CMDID", within(cmd))
			case 2:
				return nil
			default:
				return wrongCount(cmd, "MODID CMDID", len(args))
			}
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return cmd.Help()
			}
			m, err := module(args)
			if err != nil {
				return err
			}
			return a.withAgent(func(c *lars.Client) error { return a.agentRoute(cmd.Context(), c, m) })
		},
	}
	group.AddCommand(a.routeAddCommand(), a.routeRemoveCommand(), a.routeListCommand(),
		a.routeWeightCommand(), a.routeDrainCommand(), a.routeUndrainCommand(),
		a.importCommand(), a.exportCommand())
	return group
}

func (a *app) routeAddCommand() *cobra.Command {
	var weight weightValue
	cmd := &cobra.Command{
		Use:   "add MODID CMDID IP:PORT...",
		Short: "Add hosts to a module",
		Long: fmt.Sprintf(`Add hosts to a module. Those that it has already are left alone, except that
--weight sets their weight too. A module has at most %d hosts; beyond that none
is added.`, route.MaxHosts),
		Example:           "  lars route add 1 1 192.168.1.177:7777 192.168.1.178:7777\n  lars route add 1 1 192.168.1.179:7777 --weight 50",
		Args:              atLeast(3),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			m, entries, err := entries(args)
			if err != nil {
				return err
			}
			for i := range entries {
				entries[i].Weight = weight.Weight
			}
			ctx := cmd.Context()
			return a.withStore(ctx, func(s *store.Store) error {
				added, err := s.AddHosts(ctx, entries)
				if err != nil {
					return err
				}
				err = a.show(struct {
					moduleJSON
					Added     int `json:"added"`
					Reweighed int `json:"reweighed"` // hosts that were there with another weight
				}{moduleJSON(m), added.Hosts, added.Reweighed}, func(w io.Writer) {
					fmt.Fprintf(w, "added %s to %v%s\n", count(added.Hosts, "host", "hosts"), m, reweighed(added.Reweighed))
				})
				if err != nil {
					return err
				}
				return a.hintDrained(ctx, s, drained(entries)...)
			})
		},
	}
	cmd.Flags().Var(&weight, "weight", fmt.Sprintf("their weight, 0 to %d; new hosts have %d without", route.MaxWeight, route.DefaultWeight))
	return cmd
}

// reweighed ends what is said of hosts that were added.
func reweighed(n int) string {
	if n == 0 {
		return ""
	}
	return ", changed the weight of " + count(n, "host", "hosts")
}

// drained returns the modules that have hosts with a weight of 0 among entries.
func drained(entries []store.Entry) []route.Module {
	var mods []route.Module
	for _, e := range entries {
		if e.Weight == store.WeightOf(0) {
			mods = append(mods, e.Module)
		}
	}
	slices.SortFunc(mods, route.Module.Compare)
	return slices.Compact(mods)
}

func (a *app) routeRemoveCommand() *cobra.Command {
	var all, yes bool
	cmd := &cobra.Command{
		Use:   "rm MODID CMDID [IP:PORT...]",
		Short: "Remove hosts from a module",
		Long: `Remove hosts from a module. Those that it does not have are left out of the
count. To remove the whole module say --all. If that removes more than half of
all hosts in the store (and more than 10) you are asked first, or have to say
--yes where nobody can be asked.`,
		Example:           "  lars route rm 1 1 192.168.1.177:7777\n  lars route rm 1 1 --all",
		Args:              atLeast(2),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			m, entries, err := entries(args)
			if err != nil {
				return err
			}
			if all == (len(entries) > 0) {
				return wrongUsage("say which hosts of %v to remove: IP:PORT..., or --all for every one", m)
			}
			ctx := cmd.Context()
			return a.withStore(ctx, func(s *store.Store) error {
				most, err := a.confirmRemoveRoute(ctx, s, m, entries, yes)
				if err != nil {
					return err
				}
				removed, err := a.removeRoute(ctx, s, m, entries)
				if err != nil {
					return err
				}
				err = a.show(struct {
					moduleJSON
					Removed int `json:"removed"`
				}{moduleJSON(m), removed}, func(w io.Writer) {
					fmt.Fprintf(w, "removed %s from %v\n", count(removed, "host", "hosts"), m)
				})
				if err == nil && most {
					a.hintHeld()
				}
				return err
			})
		},
	}
	yesFlag(cmd, &yes)
	cmd.Flags().BoolVar(&all, "all", false, "remove every host of the module")
	return cmd
}

// confirmRemoveRoute asks if removeRoute would remove most of all hosts.
func (a *app) confirmRemoveRoute(ctx context.Context, s *store.Store, m route.Module, entries []store.Entry, yes bool) (most bool, err error) {
	if len(entries) > 0 && len(entries) <= minAsked {
		return false, nil // without reading everything
	}
	goes := func(e store.Entry) bool { return e.Module == m }
	if len(entries) > 0 {
		named := make(map[store.Entry]bool, len(entries))
		for _, e := range entries {
			named[e.Key()] = true
		}
		goes = func(e store.Entry) bool { return named[e.Key()] }
	}
	removed, all, err := countRoutes(ctx, s, goes)
	if err != nil {
		return false, err
	}
	return a.confirmRemoval(ctx, removed, all, yes)
}

// removeRoute removes entries, or the whole module when there are none.
func (a *app) removeRoute(ctx context.Context, s *store.Store, m route.Module, entries []store.Entry) (int, error) {
	if len(entries) == 0 {
		return s.RemoveModule(ctx, m)
	}
	return s.RemoveHosts(ctx, entries)
}

// entries reads MODID CMDID IP:PORT...
func entries(args []string) (route.Module, []store.Entry, error) {
	m, err := module(args)
	if err != nil {
		return m, nil, err
	}
	list, err := hosts(args[2:])
	if err != nil {
		return m, nil, err
	}
	all := make([]store.Entry, len(list))
	for i, h := range list {
		all[i] = store.Entry{Module: m, Host: h}
	}
	return m, all, nil
}
