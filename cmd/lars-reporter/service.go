package main

import (
	"context"
	"log/slog"

	"github.com/lars-lb/lars/internal/config"
	"github.com/lars-lb/lars/internal/daemon"
	"github.com/lars-lb/lars/internal/reporter"
	"github.com/lars-lb/lars/internal/store"
)

// service is a server and the store that it writes to.
type service struct {
	server *reporter.Server
	counts *store.Store
}

func start(_ context.Context, c config.Reporter, log *slog.Logger) (daemon.Service, error) {
	counts, err := store.Open(store.Config{
		Driver: c.Store.Driver, Path: c.Store.Path,
		Host: c.Store.Host, Port: c.Store.Port,
		User: c.Store.User, Password: string(c.Store.Password), Name: c.Store.Name,
	})
	if err != nil {
		return nil, err
	}
	settings := reporter.DefaultConfig()
	settings.Listen = c.Reactor.AddrPort()
	settings.MaxConn = c.Reactor.MaxConn
	settings.Threads = c.Reactor.Threads
	settings.DBThreads = c.DBThreads
	server, err := reporter.New(settings, counts, log)
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
