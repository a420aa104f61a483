package main

import (
	"context"
	"log/slog"

	"github.com/lars-lb/lars/internal/config"
	"github.com/lars-lb/lars/internal/daemon"
	"github.com/lars-lb/lars/internal/lbagent"
	"github.com/lars-lb/lars/reactor"
)

// service is an agent as package daemon wants it.
type service struct{ *lbagent.Agent }

func start(_ context.Context, c config.Agent, log *slog.Logger) (daemon.Service, error) {
	saveMemory()
	agent, err := lbagent.New(lbagent.ConfigFrom(c), log)
	if err != nil {
		return nil, err
	}
	return service{agent}, nil
}

func (s service) Stats() any { return s.Agent.Stats() }

func (s service) Reload(c config.Agent) error {
	s.Agent.Reload(lbagent.SettingsFrom(c.Balance))
	return nil
}

func (s service) Loops() []daemon.Loop {
	var loops []daemon.Loop
	s.Agent.EachLoop(func(name string, l *reactor.Loop) { loops = append(loops, daemon.Loop{Name: name, Busy: l.Busy}) })
	return loops
}
