package cli

import (
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/lars-lb/lars/internal/sim"
)

// allScenarios is the argument that names every scenario but the long ones.
const allScenarios = "all"

// pickScenarios are those that the arguments name, and those of the group; the
// reference ones if there is neither. Each comes once, in the order of the list.
func pickScenarios(args []string, group string) ([]sim.Scenario, error) {
	if group == "" && len(args) == 0 {
		group = string(sim.Reference)
	}
	groups := sim.Groups()
	if group != "" && !slices.Contains(groups, sim.Group(group)) {
		return nil, unknownName("group", group, names(groups, func(g sim.Group) string { return string(g) }))
	}
	list := sim.Scenarios()
	ids := names(list, func(s sim.Scenario) string { return s.ID })
	for _, arg := range args {
		switch {
		case arg == allScenarios, slices.Contains(ids, arg):
		case slices.Contains(groups, sim.Group(arg)):
			return nil, wrongUsage("%s is a group of scenarios: say --group %s", arg, arg)
		default:
			return nil, unknownName("scenario", arg, append(ids, "list", "incident"))
		}
	}
	return slices.DeleteFunc(list, func(s sim.Scenario) bool {
		listed := !s.Long && (string(s.Group) == group || slices.Contains(args, allScenarios))
		return !listed && !slices.Contains(args, s.ID)
	}), nil
}

// pickAlgorithms are those with these names, or all, in the order of the list.
func pickAlgorithms(wanted []string) ([]sim.Algorithm, error) {
	list := sim.Algorithms()
	ids := names(list, func(a sim.Algorithm) string { return a.ID })
	for _, w := range wanted {
		if !slices.Contains(ids, w) {
			return nil, unknownName("algorithm", w, ids)
		}
	}
	if len(wanted) == 0 {
		return list, nil
	}
	return slices.DeleteFunc(list, func(a sim.Algorithm) bool { return !slices.Contains(wanted, a.ID) }), nil
}

func names[T any](list []T, name func(T) string) []string {
	all := make([]string, len(list))
	for i, x := range list {
		all[i] = name(x)
	}
	return all
}

// fewNames is how many names an error spells out.
const fewNames = 12

// unknownName refuses a name that is none of those.
func unknownName(what, name string, known []string) error {
	near := similar(name, known)
	switch {
	case len(near) > 0:
		return wrongUsage("no %s %q; did you mean %s?", what, name, strings.Join(near, " or "))
	case len(known) <= fewNames:
		return wrongUsage("no %s %q; there are %s", what, name, strings.Join(known, ", "))
	}
	return wrongUsage("no %s %q; lars sim list shows all", what, name)
}

// similar returns up to three of the known names that name may be a slip of, or
// the beginning of, by the rules that hold for commands.
func similar(name string, known []string) []string {
	const most = 3
	group := cobra.Command{SuggestionsMinimumDistance: max(1, len(name)/4)}
	for _, k := range known {
		group.AddCommand(&cobra.Command{Use: k, Run: func(*cobra.Command, []string) {}})
	}
	near := group.SuggestionsFor(name)
	return near[:min(len(near), most)]
}

func completeScenarios(_ *cobra.Command, args []string, toComplete string) ([]cobra.Completion, cobra.ShellCompDirective) {
	list := []cobra.Completion{cobra.CompletionWithDesc(allScenarios, "every scenario but those that take minutes")}
	for _, s := range sim.Scenarios() {
		if !slices.Contains(args, s.ID) {
			list = append(list, cobra.CompletionWithDesc(s.ID, s.Name))
		}
	}
	return beginning(list, toComplete), cobra.ShellCompDirectiveNoFileComp
}

func completeGroups(_ *cobra.Command, _ []string, toComplete string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var list []cobra.Completion
	for _, g := range sim.Groups() {
		list = append(list, cobra.CompletionWithDesc(string(g), g.About()))
	}
	return beginning(list, toComplete), cobra.ShellCompDirectiveNoFileComp
}

// completeAlgorithms completes the last one of names with commas.
func completeAlgorithms(_ *cobra.Command, _ []string, toComplete string) ([]cobra.Completion, cobra.ShellCompDirective) {
	before := toComplete[:strings.LastIndexByte(toComplete, ',')+1]
	given := strings.Split(before, ",")
	var list []cobra.Completion
	for _, alg := range sim.Algorithms() {
		if !slices.Contains(given, alg.ID) {
			list = append(list, cobra.CompletionWithDesc(before+alg.ID, alg.About))
		}
	}
	return beginning(list, toComplete), cobra.ShellCompDirectiveNoFileComp | cobra.ShellCompDirectiveNoSpace
}

func beginning(list []cobra.Completion, with string) []cobra.Completion {
	return slices.DeleteFunc(list, func(c cobra.Completion) bool { return !strings.HasPrefix(c, with) })
}
