package cli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/lars-lb/lars/internal/inspect"
)

func (a *app) agentModulesCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "modules",
		Short: "List the modules that an agent knows",
		Long: `List the modules that an agent knows: how many of their hosts take calls (IDLE),
are OUT because of what programs reported, or DRAINED by their weight of 0; which
share of calls is bad nowadays (NORMAL); and the MOOD:

  normal        each host is judged by itself
  shared cause  most hosts looked bad at once, so none is ejected for a while
  blackout      every host fails: only a trickle of calls is let through

ROUTE AGE is the time since lars-dns sent the route. A stale one is from a file, and
used until a lars-dns that reaches its database sends another; its age is the time
since it was good.`,
		Example:           "  lars agent modules\n  lars agent modules --json --admin 10.0.0.5:7782",
		Args:              exactly(0),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE: func(cmd *cobra.Command, _ []string) error {
			c, err := a.newAgentAdmin()
			if err != nil {
				return err
			}
			defer c.close()
			var answer inspect.Modules
			if err := c.get(cmd.Context(), "/modules", nil, &answer); err != nil {
				return err
			}
			if len(answer.Modules) == 0 {
				a.hint("no modules: an agent loads a route when a program asks for it first (lars register MODID CMDID)")
			}
			return a.show(answer.Modules, func(w io.Writer) { printModules(w, answer.Modules) })
		},
	}
}

func printModules(w io.Writer, modules []inspect.Module) {
	fmt.Fprint(w, "MODID\tCMDID\tPOLICY\tHOSTS\tIDLE\tOUT\tDRAINED\tNORMAL\tMOOD\tROUTE AGE\n")
	for i := range modules {
		m := &modules[i]
		fmt.Fprintf(w, "%d\t%d\t%s\t%d\t%d\t%d\t%d\t%s\t%s\t%s\n", m.ModID, m.CmdID, m.Policy,
			m.Hosts, m.Idle, m.Overload, m.Drained, normal(m), mood(m), routeAge(m))
	}
}

// normal is the share of bad calls that is normal, if the policy knows one.
func normal(m *inspect.Module) string {
	if m.Policy == policyClassic {
		return "-"
	}
	return inspect.Percent(m.NormalBadShare)
}

func mood(m *inspect.Module) string {
	if m.MoodLeftMS == nil {
		return m.Mood
	}
	return fmt.Sprintf("%s for %s", m.Mood, inspect.Millis(*m.MoodLeftMS))
}

func routeAge(m *inspect.Module) string {
	age := inspect.Millis(m.RouteAgeMS)
	if m.Stale {
		age += " stale"
	}
	return age
}

// policyClassic has no notion of peers.
const policyClassic = "classic"
