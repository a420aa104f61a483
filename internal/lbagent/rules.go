package lbagent

import (
	"github.com/lars-lb/lars/internal/balance"
	"github.com/lars-lb/lars/internal/route"
)

// rules are settings as a RouteLB applies them. They never change.
type rules struct {
	Settings
	checked, unchecked balance.Config // Settings.Balance, with Check true and false
}

func newRules(s *Settings) *rules {
	r := &rules{Settings: *s, checked: s.Balance, unchecked: s.Balance}
	r.checked.Check, r.unchecked.Check = true, false
	return r
}

// balanceOf is the configuration of a module's LoadBalance.
func (r *rules) balanceOf(id route.Module) *balance.Config {
	check, exception := r.Checks[id]
	if !exception {
		check = r.Balance.Check
	}
	if check {
		return &r.checked
	}
	return &r.unchecked
}
