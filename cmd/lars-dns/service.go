package main

import (
	"context"
	"log/slog"

	"github.com/lars-lb/lars/internal/config"
	"github.com/lars-lb/lars/internal/daemon"
	"github.com/lars-lb/lars/internal/dns"
	"github.com/lars-lb/lars/internal/store"
)

// service is a server and the store that it reads.
type service struct {
	server *dns.Server
	routes *store.Store
}

func start(_ context.Context, c config.DNS, log *slog.Logger) (daemon.Service, error) {
	routes, err := store.Open(store.Config{
		Driver: c.Store.Driver, Path: c.Store.Path,
		Host: c.Store.Host, Port: c.Store.Port,
		User: c.Store.User, Password: string(c.Store.Password), Name: c.Store.Name,
	})
	if err != nil {
		return nil, err
	}
	settings := dns.DefaultConfig()
	settings.Listen = c.Reactor.AddrPort()
	settings.MaxConn = c.Reactor.MaxConn
	settings.Threads = c.Reactor.Threads
	settings.PollInterval = c.PollInterval
	settings.ReloadInterval = c.ReloadInterval
	settings.ChangeRetention = c.ChangeRetention
	server, err := dns.New(settings, routes, log)
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

func (s service) Stats() any { return s.server.Stats() }
