package lbagent_test

import (
	"maps"
	"testing"

	"github.com/lars-lb/lars/internal/balance"
	"github.com/lars-lb/lars/internal/config"
	"github.com/lars-lb/lars/internal/lbagent"
	"github.com/lars-lb/lars/internal/route"
)

func TestSettingsFrom(t *testing.T) {
	b := config.DefaultAgent().Balance
	if s := lbagent.SettingsFrom(b); s.Balance != balance.DefaultConfig() || len(s.Checks) != 0 {
		t.Errorf("the defaults are %+v", s)
	}
	b.Policy, b.Check, b.CheckTCP, b.CheckNone = config.Adaptive, config.CheckNone, "1:1, -5:3", "2:2"
	s := lbagent.SettingsFrom(b)
	want := map[route.Module]bool{{ModID: 1, CmdID: 1}: true, {ModID: -5, CmdID: 3}: true, {ModID: 2, CmdID: 2}: false}
	if s.Balance.Policy != balance.Adaptive || s.Balance.Check || !maps.Equal(s.Checks, want) {
		t.Errorf("settings %+v", s)
	}
	if err := s.Validate(); err != nil {
		t.Error(err)
	}
}
