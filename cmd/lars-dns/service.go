package main

import (
	"context"
	"log/slog"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/lars-lb/lars/internal/config"
	"github.com/lars-lb/lars/internal/daemon"
	"github.com/lars-lb/lars/internal/dns"
	"github.com/lars-lb/lars/internal/store"
	"github.com/lars-lb/lars/reactor"
)

// service is a server and the store that it reads.
type service struct {
	server *dns.Server
	routes *store.Store
}

func start(_ context.Context, c config.DNS, log *slog.Logger) (daemon.Service, error) {
	routes, err := store.Open(store.ConfigFrom(c.Store))
	if err != nil {
		return nil, err
	}
	server, err := dns.New(dns.ConfigFrom(c), routes, log)
	if err != nil {
		routes.Close()
		return nil, err
	}
	return service{server, routes}, nil
}

func (s service) Serve(ctx context.Context) error {
	defer s.routes.Close()
	return s.server.Serve(ctx)
}

func (s service) Ready() bool { return s.server.Ready() }

func (s service) Route(mux *http.ServeMux) { s.server.Route(mux) }

func (s service) Stats() any { return s.server.Stats() }

func (s service) Loops() []daemon.Loop {
	var loops []daemon.Loop
	s.server.EachLoop(func(name string, l *reactor.Loop) { loops = append(loops, daemon.Loop{Name: name, Busy: l.Busy}) })
	return loops
}

func (s service) Explain() []string { return s.server.Explain() }

func (s service) Metrics() prometheus.Collector { return s.server.Metrics() }
