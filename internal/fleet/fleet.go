package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"time"

	"github.com/lars-lb/lars/internal/lbagent"
	"github.com/lars-lb/lars/internal/program"
	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/store"
	"github.com/lars-lb/lars/internal/wire"
	"github.com/lars-lb/lars/proto/larspb"
)

// patience bounds the wait for a fleet to have all routes.
const patience = 2 * time.Minute

// fleet is lars-dns, its database, and agents that know all its modules.
type fleet struct {
	options
	dir    string
	store  *store.Store
	port   string // of lars-dns
	dns    *program.Daemon
	agents []*lbagent.Agent
	end    context.CancelFunc // of the agents
	ended  sync.WaitGroup
	round  int
}

func newFleet(ctx context.Context, o options) (f *fleet, err error) {
	f = &fleet{options: o, end: func() {}}
	if f.dir, err = os.MkdirTemp("", "lars-fleet"); err != nil {
		return f, err
	}
	if f.store, err = store.Open(store.Config{Driver: store.SQLite, Path: filepath.Join(f.dir, "lars.db")}); err != nil {
		return f, err
	}
	if _, _, err = f.store.Migrate(ctx); err != nil {
		return f, err
	}
	var entries []store.Entry
	for m := range f.modules {
		for h := range f.hosts {
			entries = append(entries, store.Entry{Module: module(m), Host: host(m, h)})
		}
	}
	if _, err = f.store.AddHosts(ctx, entries); err != nil {
		return f, err
	}
	if f.port, err = freePort(); err != nil {
		return f, err
	}
	if err = f.startDNS(ctx); err != nil {
		return f, err
	}
	return f, f.startAgents(ctx)
}

func module(n int) route.Module { return route.Module{ModID: int32(n), CmdID: 1} }

func host(m, h int) route.Host { return route.Host{IP: 10<<24 + uint32(m), Port: uint16(1 + h)} }

// freePort is one that a lars-dns that is started again finds free again: below
// those that the kernel gives to clients.
func freePort() (string, error) {
	for port := 20_000; port < 30_000; port++ {
		if ln, err := net.Listen("tcp", "127.0.0.1:"+strconv.Itoa(port)); err == nil {
			return strconv.Itoa(port), ln.Close()
		}
	}
	return "", errors.New("no port from 20000 to 29999 is free")
}

func (f *fleet) startDNS(ctx context.Context) (err error) {
	f.dns, err = program.Start(ctx, filepath.Join(f.bin, "lars-dns"), f.dir, fmt.Sprintf(
		"[reactor]\nport = %s\nmaxConn = %d\n[store]\ndriver = sqlite\npath = %s\n[log]\nformat = json\n",
		f.port, f.options.agents+10, filepath.Join(f.dir, "lars.db")))
	return err
}

// startAgents starts agents and has them asked for all modules. They keep no
// file: on one machine the saving of hundreds would be what is measured.
func (f *fleet) startAgents(ctx context.Context) error {
	agentsCtx, end := context.WithCancel(context.Background())
	f.end = end
	for range f.options.agents {
		cfg := lbagent.DefaultConfig()
		cfg.Listen = netip.MustParseAddrPort("127.0.0.1:0")
		cfg.DNS = []string{"127.0.0.1:" + f.port}
		cfg.Reporter = []string{"127.0.0.1:1"} // nobody: there is nothing to report
		agent, err := lbagent.New(cfg, slog.New(slog.DiscardHandler))
		if err != nil {
			return err
		}
		f.agents = append(f.agents, agent)
		f.ended.Go(func() { _ = agent.Serve(agentsCtx) })
	}
	for i, a := range f.agents {
		if err := f.teach(ctx, a); err != nil {
			return fmt.Errorf("agent %d: %w", i, err)
		}
	}
	return nil
}

// teach asks an agent for all modules until it knows them.
func (f *fleet) teach(ctx context.Context, a *lbagent.Agent) error {
	var conns [route.Shards]net.Conn
	for i, addr := range a.Addrs() {
		c, err := net.Dial("udp", addr.String())
		if err != nil {
			return err
		}
		defer c.Close()
		conns[i] = c
	}
	const burst = 100 // as many as fit a socket's buffer easily
	start := time.Now()
	for {
		for n := range f.modules {
			m := module(n)
			body, err := (&larspb.GetRouteRequest{Modid: m.ModID, Cmdid: m.CmdID}).MarshalVT()
			if err != nil {
				return err
			}
			frame := wire.AppendFrame(nil, int32(larspb.MessageId_ID_API_GetRouteRequest), body)
			if _, err := conns[m.Shard()].Write(frame); err != nil {
				return err
			}
			if n%burst == burst-1 {
				if err := pause(ctx, time.Millisecond); err != nil {
					return err
				}
			}
		}
		if known(a) == f.modules {
			return nil
		}
		if time.Since(start) > patience {
			return fmt.Errorf("it knows %d of %d modules after %v", known(a), f.modules, patience)
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// changes are the modules that change in an outage.
func (f *fleet) changes() []route.Module {
	var modules []route.Module
	for n := range f.changed {
		modules = append(modules, module(n*f.modules/f.changed))
	}
	return modules
}

// outage kills lars-dns, changes routes, and starts it again. It returns how
// long each agent took to have had all answers.
func (f *fleet) outage(ctx context.Context) ([]time.Duration, error) {
	f.dns.Kill()
	f.round++
	var add []store.Entry
	for _, m := range f.changes() {
		add = append(add, store.Entry{Module: m, Host: route.Host{IP: 11 << 24, Port: uint16(f.round)}})
	}
	if _, err := f.store.AddHosts(ctx, add); err != nil {
		return nil, err
	}
	before := make([]uint64, len(f.agents))
	for i, a := range f.agents {
		before[i] = updates(a)
	}
	if err := f.startDNS(ctx); err != nil {
		return nil, err
	}
	took := make([]time.Duration, len(f.agents))
	if err := f.await(ctx, func(i int) bool { return updates(f.agents[i])-before[i] >= uint64(f.modules) }, took); err != nil {
		return nil, err
	}
	return took, f.compare(ctx)
}

// await waits until all agents fulfil done, and notes when each did.
func (f *fleet) await(ctx context.Context, done func(i int) bool, took []time.Duration) error {
	start := time.Now()
	waiting := make(map[int]bool)
	for i := range f.agents {
		waiting[i] = true
	}
	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	for len(waiting) > 0 {
		for i := range waiting {
			if done(i) {
				took[i] = time.Since(start)
				delete(waiting, i)
			}
		}
		select {
		case <-poll.C:
		case <-ctx.Done():
			return ctx.Err()
		}
		if time.Since(start) > patience {
			return fmt.Errorf("%d of %d agents have not got all routes within %v", len(waiting), len(f.agents), patience)
		}
	}
	return nil
}

func updates(a *lbagent.Agent) (sum uint64) {
	for _, r := range a.Stats().Routes {
		sum += r.Updates
	}
	return sum
}

func known(a *lbagent.Agent) (sum int) {
	for _, r := range a.Stats().Routes {
		sum += r.Modules
	}
	return sum
}

// stop ends everything and removes what it made.
func (f *fleet) stop() error {
	f.end()
	f.ended.Wait()
	var err error
	if f.dns != nil {
		f.dns.Stop()
	}
	if f.store != nil {
		err = f.store.Close()
	}
	if f.dir != "" {
		err = errors.Join(err, os.RemoveAll(f.dir))
	}
	return err
}
