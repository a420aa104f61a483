package live

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"github.com/lars-lb/lars/api/lars"
	"github.com/lars-lb/lars/internal/program"
	"github.com/lars-lb/lars/internal/store"
)

// suite is a lars-dns, an agent for each policy, and their store.
type suite struct {
	dir     string
	store   *store.Store
	daemons []*program.Daemon
	clients []*lars.Client // of the agents, in the order of the policies

	watching sync.WaitGroup
}

// start starts the programs in the folder bin.
func start(ctx context.Context, bin string, policies []string) (_ *suite, err error) {
	s := new(suite)
	defer func() {
		if err != nil {
			err = errors.Join(err, s.stop())
		}
	}()
	if s.dir, err = os.MkdirTemp("", "lars-sim"); err != nil {
		return s, err
	}
	database := filepath.Join(s.dir, "lars.db")
	if s.store, err = store.Open(store.Config{Driver: "sqlite", Path: database}); err != nil {
		return s, err
	}
	if _, _, err = s.store.Migrate(ctx); err != nil {
		return s, err
	}
	dns, err := s.daemon(ctx, bin, "lars-dns", fmt.Sprintf(
		"[reactor]\nport = 0\n[store]\ndriver = sqlite\npath = %s\n[dns]\npoll_interval = 50ms\n", database))
	if err != nil {
		return s, err
	}
	_, port, _ := strings.Cut(dns.Serving("addr"), ":")
	for _, policy := range policies {
		// Nobody listens on port 1: what is reported stays with the agent.
		agent, err := s.daemon(ctx, bin, "lars-lb-agent", fmt.Sprintf(
			"[agent]\nport = 0\nsnapshot =\n[dnsserver]\nport = %s\n[reporter]\nport = 1\n[loadbalance]\npolicy = %s\ncheck = tcp\n", port, policy))
		if err != nil {
			return s, err
		}
		addrs := []string{agent.Serving("addr0"), agent.Serving("addr1"), agent.Serving("addr2")}
		client, err := lars.NewClient(lars.Config{Agent: strings.Join(addrs, ","), MaxSockets: maxUnderWay, StaleFor: -1})
		if err != nil {
			return s, err
		}
		s.clients = append(s.clients, client)
	}
	return s, nil
}

// daemon starts one program.
func (s *suite) daemon(ctx context.Context, bin, name, conf string) (*program.Daemon, error) {
	d, err := program.Start(ctx, filepath.Join(bin, name), s.dir, conf+"[log]\nformat = json\n")
	if err == nil {
		s.daemons = append(s.daemons, d)
	}
	return d, err
}

// watch calls lost when a daemon ends before ctx does.
func (s *suite) watch(ctx context.Context, lost func(error)) {
	for _, d := range s.daemons {
		s.watching.Go(func() {
			select {
			case <-d.Ended():
				lost(errors.New("a daemon ended by itself"))
			case <-ctx.Done():
			}
		})
	}
}

// stop ends everything and removes the files. The context of watch has ended.
func (s *suite) stop() error {
	s.watching.Wait()
	for _, c := range s.clients {
		_ = c.Close()
	}
	for _, d := range s.daemons {
		d.Stop()
	}
	var errs []error
	if s.store != nil {
		errs = append(errs, s.store.Close())
	}
	if s.dir != "" {
		errs = append(errs, os.RemoveAll(s.dir))
	}
	return errors.Join(errs...)
}
