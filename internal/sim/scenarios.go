package sim

import "slices"

// Group is a sort of scenarios.
type Group string

// The groups.
const (
	Reference Group = "reference"
	Sizes     Group = "sizes"
	Errors    Group = "errors"
	Hangs     Group = "hangs"
	Comings   Group = "comings-and-goings"
	Natural   Group = "natural"
	Callers   Group = "callers"
	Fleet     Group = "fleet"
)

// Groups are all groups, in the order in which they are shown.
func Groups() []Group {
	return []Group{Reference, Sizes, Errors, Hangs, Comings, Natural, Callers, Fleet}
}

// About says what the scenarios of g have in common.
func (g Group) About() string {
	switch g {
	case Reference:
		return "one fault each, at plain traffic"
	case Sizes:
		return "other numbers of hosts and calls"
	case Errors:
		return "hosts that fail some calls, or are slow"
	case Hangs:
		return "calls that end by their time-out"
	case Comings:
		return "hosts that go and come back"
	case Natural:
		return "what is no fault of a host: none should be kept out"
	case Callers:
		return "callers that report little, late or in turn"
	case Fleet:
		return "many agents, and hosts that can do no more"
	}
	return ""
}

// Scenarios are all scenarios, group by group.
func Scenarios() []Scenario {
	lists := map[Group][]Scenario{
		Reference: references(),
		Sizes:     sizes(),
		Errors:    errorScenarios(),
		Hangs:     hangs(),
		Comings:   comings(),
		Natural:   naturals(),
		Callers:   callers(),
		Fleet:     fleet(),
	}
	var all []Scenario
	for _, g := range Groups() {
		for _, s := range lists[g] {
			s.Group = g
			all = append(all, s)
		}
	}
	return all
}

// InGroup are the scenarios of a group, without those that take long.
func InGroup(g Group) []Scenario {
	return slices.DeleteFunc(Scenarios(), func(s Scenario) bool { return s.Group != g || s.Long })
}
