package sim

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestScenarios(t *testing.T) {
	t.Parallel()
	kebab := regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)
	ids, names := map[string]bool{}, map[string]bool{}
	for _, s := range Scenarios() {
		if !kebab.MatchString(s.ID) || len(s.ID) > 26 || ids[s.ID] {
			t.Errorf("ID %q", s.ID)
		}
		if s.Name == "" || len(s.Name) > 60 || names[s.Name] {
			t.Errorf("%s: name %q", s.ID, s.Name)
		}
		if !strings.HasSuffix(s.About, ".") || len(s.About) < 20 {
			t.Errorf("%s: about %q", s.ID, s.About)
		}
		if !slices.Contains(Groups(), s.Group) || s.Group.About() == "" {
			t.Errorf("%s: group %q", s.ID, s.Group)
		}
		if s.Hosts < 1 || s.Length <= 0 || s.Timeout <= 0 || (s.Rate > 0) == (s.Workers > 0) {
			t.Errorf("%s: %+v", s.ID, s)
		}
		ids[s.ID], names[s.Name] = true, true
	}
	for _, g := range Groups() {
		if len(InGroup(g)) == 0 {
			t.Errorf("no scenario in %s", g)
		}
	}
}

func TestAlgorithms(t *testing.T) {
	t.Parallel()
	list := Algorithms()
	if list[0].ID != OracleID || list[len(list)-1].ID != AdaptiveID {
		t.Error("the oracle is not the first or adaptive not the last")
	}
	for _, a := range list {
		b := a.New(Env{Hosts: 3, Well: func(int, time.Duration) bool { return true }})
		_, ejects := b.(Ejector)
		if without := slices.Contains([]string{OracleID, "round-robin", "p2c"}, a.ID); ejects == without {
			t.Errorf("%s is an Ejector: %v", a.ID, ejects)
		}
	}
}
