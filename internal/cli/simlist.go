package cli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"github.com/lars-lb/lars/internal/sim"
)

func (a *app) simListCommand() *cobra.Command {
	return &cobra.Command{
		Use:               "list",
		Short:             "List the scenarios and algorithms of sim",
		Long:              `List the scenarios that sim knows, by group, with what is to be learnt from each, and its algorithms.`,
		Example:           "  lars sim list\n  lars sim list --json",
		Args:              exactly(0),
		ValidArgsFunction: cobra.NoFileCompletions,
		RunE:              func(*cobra.Command, []string) error { return a.listSim() },
	}
}

// scenarioJSON is what is listed of a scenario.
type scenarioJSON struct {
	ID    string    `json:"id"`
	Group sim.Group `json:"group"`
	Name  string    `json:"name"`
	About string    `json:"about"`
	Long  bool      `json:"long"` // run only by its ID
}

type algorithmJSON struct {
	ID    string `json:"id"`
	About string `json:"about"`
}

func (a *app) listSim() error {
	var list struct {
		Scenarios  []scenarioJSON  `json:"scenarios"`
		Algorithms []algorithmJSON `json:"algorithms"`
	}
	for _, s := range sim.Scenarios() {
		list.Scenarios = append(list.Scenarios, scenarioJSON{s.ID, s.Group, s.Name, s.About, s.Long})
	}
	for _, alg := range sim.Algorithms() {
		list.Algorithms = append(list.Algorithms, algorithmJSON{alg.ID, alg.About})
	}
	return a.show(list, func(w io.Writer) {
		var group sim.Group
		for _, s := range list.Scenarios {
			if s.Group != group {
				group = s.Group
				fmt.Fprintf(w, "%s: %s\n\n", group, group.About())
			}
			name := s.Name
			if s.Long {
				name += " (takes long: run only by its ID)"
			}
			// No tabs: an About is wider than any column should be.
			fmt.Fprintf(w, "  %-26s %s\n  %-26s %s\n\n", s.ID, name, "", s.About)
		}
		fmt.Fprint(w, "algorithms\n\n")
		for _, alg := range list.Algorithms {
			fmt.Fprintf(w, "  %-26s %s\n", alg.ID, alg.About)
		}
	})
}
