package cli

import (
	"cmp"
	"fmt"
	"slices"
)

// severity is how bad a finding is.
type severity string

// The severities.
const (
	failure severity = "error"   // something does not work
	warning severity = "warning" // it may soon not
	note    severity = "note"    // no problem of the suite's
)

// finding is one thing that is wrong.
type finding struct {
	Rule     string   `json:"rule"`
	Severity severity `json:"severity"`
	Where    string   `json:"where"`
	What     string   `json:"what"`
	Evidence string   `json:"evidence"`
	Do       string   `json:"do"`
}

// rule finds one sort of thing in what everybody said.
type rule struct {
	name string
	look func(s *suite, found func(severity, string, string, string, string))
}

// onEach is a rule on each daemon of some programs that answered, or of all.
func onEach(name string, look func(d *daemon, s *suite, found func(severity, string, string, string)), programs ...string) rule {
	return rule{name, func(s *suite, found func(severity, string, string, string, string)) {
		for _, d := range s.of(programs...) {
			look(d, s, func(how severity, what, evidence, do string) { found(how, d.name(), what, evidence, do) })
		}
	}}
}

// diagnose applies all rules. The worst findings come first.
func diagnose(s *suite) []finding {
	findings := slices.Clone(s.remarks)
	for _, r := range slices.Concat(reachRules(), healthRules(), trafficRules(), routeRules(), databaseRules()) {
		r.look(s, func(how severity, where, what, evidence, do string) {
			findings = append(findings, finding{r.name, how, where, what, evidence, do})
		})
	}
	rank := func(f finding) int { return slices.Index([]severity{failure, warning, note}, f.Severity) }
	slices.SortStableFunc(findings, func(a, b finding) int { return cmp.Compare(rank(a), rank(b)) })
	if findings == nil {
		findings = []finding{}
	}
	return findings
}

// grew says how much a counter grew in the interval.
func grew(name string, by float64, s *suite) string {
	return fmt.Sprintf("%s grew by %.0f in %v", name, by, s.interval)
}
