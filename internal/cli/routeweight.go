package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"

	"github.com/spf13/cobra"

	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/store"
)

func (a *app) routeWeightCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "weight MODID CMDID WEIGHT IP:PORT...",
		Short: "Set the weight of hosts of a module",
		Long: fmt.Sprintf(`Set the weight of hosts of a module: the share of its calls that each is to
get, relative to the others. WEIGHT is 0 to %d; a host that nobody gave one has
%d, so one with %d gets half as many calls as that. 0 drains a host, as lars
route drain does.

It is all or nothing: a host that the module does not have is an error.
Agents of Lars 1.0 know no weights and call all hosts alike.`, route.MaxWeight, route.DefaultWeight, route.DefaultWeight/2),
		Example: `  lars route weight 1 1 50 192.168.1.177:7777
  lars route weight 1 1 200 192.168.1.178:7777 192.168.1.179:7777`,
		Args:              atLeast(4),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			weight, err := parseWeight(args[2])
			if err != nil {
				return wrongUsage("WEIGHT %q is not %s", args[2], aWeight(0))
			}
			return a.setWeight(cmd.Context(), slices.Delete(slices.Clone(args), 2, 3), weight, func(hosts string, m route.Module) string {
				return fmt.Sprintf("changed the weight of %s of %v to %d", hosts, m, weight)
			})
		},
	}
}

func (a *app) routeDrainCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "drain MODID CMDID IP:PORT...",
		Short: "Send no new calls to hosts of a module, and keep them in its route",
		Long: `Send no new calls to hosts of a module, before maintenance for example. They
stay in its route with a weight of 0, so that calls under way are still reported
and counted. lars route undrain brings them back.

It is all or nothing: a host that the module does not have is an error. When
every host of a module is drained, agents answer that it is overloaded.
Agents of Lars 1.0 know no weights and go on calling drained hosts: for them,
remove the hosts.`,
		Example:           "  lars route drain 1 1 192.168.1.177:7777",
		Args:              atLeast(3),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.setWeight(cmd.Context(), args, 0, func(hosts string, m route.Module) string {
				return fmt.Sprintf("drained %s of %v", hosts, m)
			})
		},
	}
}

func (a *app) routeUndrainCommand() *cobra.Command {
	weight := weightValue{Weight: store.WeightOf(route.DefaultWeight), least: 1}
	cmd := &cobra.Command{
		Use:   "undrain MODID CMDID IP:PORT...",
		Short: "Send calls to drained hosts of a module again",
		Long: fmt.Sprintf(`Send calls to drained hosts of a module again, by giving them a weight other
than 0: %d, or that of --weight. What weight they had before is not known any
more. Hosts that are not drained get the weight as well.

It is all or nothing: a host that the module does not have is an error.`, route.DefaultWeight),
		Example:           "  lars route undrain 1 1 192.168.1.177:7777\n  lars route undrain 1 1 192.168.1.177:7777 --weight 50",
		Args:              atLeast(3),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, args []string) error {
			w, _ := weight.Value()
			return a.setWeight(cmd.Context(), args, w, func(hosts string, m route.Module) string {
				return fmt.Sprintf("gave %s of %v the weight %d", hosts, m, w)
			})
		},
	}
	cmd.Flags().Var(&weight, "weight", fmt.Sprintf("their weight from now on, 1 to %d", route.MaxWeight))
	return cmd
}

// setWeight is the three commands above, with the arguments MODID CMDID
// IP:PORT... What was done is said of the hosts whose weight changed.
func (a *app) setWeight(ctx context.Context, args []string, weight uint16, say func(hosts string, m route.Module) string) error {
	m, err := module(args)
	if err != nil {
		return err
	}
	list, err := hosts(args[2:])
	if err != nil {
		return err
	}
	return a.withStore(ctx, func(s *store.Store) error {
		changed, err := s.SetWeight(ctx, m, list, weight)
		if errors.Is(err, store.ErrNotInRoute) {
			return fmt.Errorf("%w; nothing was changed, lars route ls %d %d lists the hosts", err, m.ModID, m.CmdID)
		}
		if err != nil {
			return err
		}
		err = a.show(struct {
			moduleJSON
			Weight  uint16 `json:"weight"`
			Changed int    `json:"changed"` // hosts that had another one
		}{moduleJSON(m), weight, changed}, func(w io.Writer) {
			fmt.Fprintln(w, say(count(changed, "host", "hosts"), m))
		})
		if err != nil || weight > 0 {
			return err
		}
		return a.hintDrained(ctx, s, m)
	})
}

// hintDrained warns whoever drained the last hosts of modules.
func (a *app) hintDrained(ctx context.Context, s *store.Store, mods ...route.Module) error {
	if len(mods) == 0 || a.json {
		return nil
	}
	var f store.Filter
	if len(mods) == 1 {
		f = store.Filter{ModID: &mods[0].ModID, CmdID: &mods[0].CmdID}
	}
	entries, err := s.ListRoutes(ctx, f)
	if err != nil {
		return err
	}
	called := make(map[route.Module]bool)
	for _, e := range entries {
		if e.Weight != store.WeightOf(0) {
			called[e.Module] = true
		}
	}
	named := 0
	for _, m := range mods {
		switch {
		case called[m]:
			continue
		case named == maxProblems:
			a.hint("and perhaps more modules")
			return nil
		}
		named++
		a.hint(fmt.Sprintf("every host of %v is drained: agents answer that it is overloaded, until lars route undrain %d %d IP:PORT", m, m.ModID, m.CmdID))
	}
	return nil
}
