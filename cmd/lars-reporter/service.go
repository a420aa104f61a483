package main

import (
	"context"
	"log/slog"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/lars-lb/lars/internal/config"
	"github.com/lars-lb/lars/internal/daemon"
	"github.com/lars-lb/lars/internal/reporter"
	"github.com/lars-lb/lars/internal/store"
	"github.com/lars-lb/lars/reactor"
)

// service is a server and the store that it writes to.
type service struct {
	server *reporter.Server
	counts *store.Store
}

func start(_ context.Context, c config.Reporter, log *slog.Logger) (daemon.Service, error) {
	counts, err := store.Open(store.ConfigFrom(c.Store))
	if err != nil {
		return nil, err
	}
	server, err := reporter.New(reporter.ConfigFrom(c), counts, log)
	if err != nil {
		counts.Close()
		return nil, err
	}
	return service{server, counts}, nil
}

func (s service) Serve(ctx context.Context) error {
	defer s.counts.Close()
	return s.server.Serve(ctx)
}

func (s service) Stats() any { return s.server.Stats() }

func (s service) Loops() []daemon.Loop {
	var loops []daemon.Loop
	s.server.EachLoop(func(name string, l *reactor.Loop) { loops = append(loops, daemon.Loop{Name: name, Busy: l.Busy}) })
	return loops
}

func (s service) Explain() []string { return s.server.Explain() }

func (s service) Metrics() prometheus.Collector { return s.server.Metrics() }
