package larstest_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lars-lb/lars/api/lars"
	"github.com/lars-lb/lars/internal/eventually"
	"github.com/lars-lb/lars/internal/larstest"
	"github.com/lars-lb/lars/internal/mariadbtest"
	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/store"
)

// clustered is a suite on a cluster of databases: two lars-dns, each with an
// agent, and a lars-reporter.
type clustered struct {
	t       *testing.T
	cluster *mariadbtest.Cluster
	config  store.Config
	suite   *larstest.Suite
	clients []*lars.Client
}

func newClustered(t *testing.T) *clustered {
	c := &clustered{t: t, cluster: mariadbtest.StartCluster(t)}
	c.config = c.cluster.NewDatabase(t)
	c.suite = larstest.NewSuite(t, programs, larstest.Options{Store: c.config})
	c.suite.Store() // makes the tables
	c.cluster.WaitSynced(t)
	c.suite.Start()
	second := larstest.FreeTCP(t)
	c.suite.NewDNS(second).Serve()
	agent := larstest.FreeUDP(t)
	c.suite.NewAgent(agent, second).Serve()
	c.clients = []*lars.Client{newClient(t, c.suite.AgentAddr), newClient(t, agent)}
	return c
}

// editor changes its hosts of one module, one change at a time: it adds host n,
// then takes host n-keep away. Hosts are never used again, so that one that
// comes back shows.
type editor struct {
	t      *testing.T
	st     *store.Store
	id     uint32 // of the editor: its hosts are 10.id.0.0/16
	module route.Module
	made   atomic.Int32 // changes that are known to be made
	times  changeTimes
}

const keep = 3

func (e *editor) host(n int32) store.Entry {
	return store.Entry{Module: e.module, Host: route.Host{IP: 10<<24 | e.id<<16 | uint32(n), Port: 80}}
}

// edit makes one change, as often as it takes.
func (e *editor) edit(ctx context.Context) {
	n := e.made.Load() + 1
	for {
		_, err := e.st.AddHosts(ctx, []store.Entry{e.host(n)})
		if err == nil && n > keep {
			_, err = e.st.RemoveHosts(ctx, []store.Entry{e.host(n - keep)})
		}
		if err == nil {
			e.made.Store(n)
			e.times.upTo(uint32(n))
			return
		}
		if ctx.Err() != nil {
			return
		}
	}
}

func (e *editor) run(ctx context.Context) {
	// Three writers of two statements each: about 1,000 changes a minute.
	pace := time.NewTicker(300 * time.Millisecond)
	defer pace.Stop()
	for {
		e.edit(ctx)
		select {
		case <-pace.C:
		case <-ctx.Done():
			return
		}
	}
}

// observer asks an agent for a module, and holds it to the order of changes.
type observer struct {
	t      *testing.T
	client *lars.Client
	name   string
	editor *editor
	newest atomic.Uint32 // host that was seen
	times  changeTimes
	before map[uint32]bool // hosts that it had last
	gone   map[uint32]bool
}

func (o *observer) look(ctx context.Context) {
	hosts, err := o.client.GetRoute(ctx, o.editor.module.ModID, o.editor.module.CmdID)
	if err != nil {
		if ctx.Err() == nil && !errors.Is(err, lars.ErrNotExist) {
			o.t.Errorf("%s: %v", o.name, err)
		}
		return
	}
	now := make(map[uint32]bool)
	for _, h := range hosts {
		ip, own := o.editor.number(o.t, h)
		if !own {
			continue
		}
		now[ip] = true
		if o.gone[ip] {
			o.t.Errorf("%s: host %d of %v came back", o.name, ip, o.editor.module)
			delete(o.gone, ip)
		}
		o.newest.Store(max(o.newest.Load(), ip))
		o.times.upTo(ip)
	}
	for ip := range o.before {
		if !now[ip] {
			o.gone[ip] = true
		}
	}
	if len(o.before) > 0 && len(now) == 0 {
		o.t.Errorf("%s: %v has no hosts any more", o.name, o.editor.module)
	}
	o.before = now
}

// number is the n of a host, if it is one of e's.
func (e *editor) number(t *testing.T, h lars.Host) (n uint32, own bool) {
	ip := host(t, h.String()).IP
	return ip & 0xffff, ip>>16&0xff == e.id
}

func (o *observer) run(ctx context.Context) {
	pace := time.NewTicker(5 * time.Millisecond)
	defer pace.Stop()
	for ctx.Err() == nil {
		o.look(ctx)
		<-pace.C
	}
}

// Whatever befalls a node of the database, every change reaches the agents, in
// order, soon after the cluster works again; and so do reports the database.
func TestClusterOfDatabases(t *testing.T) {
	c := newClustered(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var editors []*editor
	var observers []*observer
	var running sync.WaitGroup
	stop := func() { cancel(); running.Wait() }
	defer stop()
	for i := range mariadbtest.Nodes {
		// Each writes by another node, until that fails.
		st, err := store.Open(c.cluster.Config(c.config.Name, i, (i+1)%mariadbtest.Nodes, (i+2)%mariadbtest.Nodes))
		if err != nil {
			t.Fatal(err)
		}
		defer st.Close()
		// The first two change the same module.
		e := &editor{t: t, st: st, id: uint32(i), module: route.Module{ModID: 7, CmdID: int32(i / 2)}}
		editors = append(editors, e)
		e.edit(ctx)
		for n, client := range c.clients {
			o := &observer{t: t, client: client, name: fmt.Sprintf("agent %d", n), editor: e, gone: make(map[uint32]bool)}
			observers = append(observers, o)
			running.Go(func() { o.run(ctx) })
		}
		running.Go(func() { e.run(ctx) })
	}
	running.Go(func() { c.report(ctx, editors[0]) })
	// reached waits until what was changed by now is with all agents.
	reached := func(what string) {
		t.Helper()
		before := time.Now()
		made := make(map[*editor]uint32)
		for _, e := range editors {
			made[e] = uint32(e.made.Load())
		}
		eventually.True(t, patience, what+": the changes reach every agent", func() bool {
			return !slices.ContainsFunc(observers, func(o *observer) bool { return o.newest.Load() < made[o.editor] })
		})
		t.Logf("%s: changes %v with all agents after %v", what, slices.Sorted(maps.Values(made)), time.Since(before))
	}
	// changes waits until each editor has made some more, and returns when each
	// had made the first of them.
	changes := func(what string) (first time.Time) {
		t.Helper()
		before := time.Now()
		for _, e := range editors {
			after := e.made.Load() + 1
			eventually.True(t, patience, what+": routes can be changed", func() bool { return e.made.Load() >= after })
		}
		first = time.Now()
		for _, e := range editors {
			after := e.made.Load() + 2
			eventually.True(t, patience, what+": routes can be changed", func() bool { return e.made.Load() >= after })
		}
		t.Logf("%s: more changes made after %v", what, time.Since(before))
		reached(what)
		return first
	}
	changes("all well")
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	first := c.cluster.Node(0) // the one that all daemons prefer
	took := arrivals{took: make(map[string][]time.Duration)}
	for _, fault := range []struct {
		name       string
		hurt, heal func()
	}{
		{"killed", first.Kill, func() { do(first.Restart()) }},
		{"frozen", func() { do(first.Freeze()) }, func() { do(first.Thaw()) }},
		{"cut off", func() { first.CutOff(t) }, func() { first.Heal(t) }},
	} {
		from := time.Now()
		fault.hurt()
		to := changes(fault.name)
		took.outages = append(took.outages, outage{fault.name, from, to})
		from = time.Now()
		fault.heal()
		to = changes(fault.name + ", then healed")
		took.outages = append(took.outages, outage{fault.name + ", then healed", from, to})
		c.cluster.WaitSynced(t)
		changes(fault.name + ", then in step")
	}
	c.agree(editors)
	reached("in the end")
	for _, o := range observers {
		took.add(t, o)
	}
	took.judge(t)
	stop()
	c.agree(editors)
	c.saved(editors[0].module)
}

// report reports calls of the module's hosts until ctx is done.
func (c *clustered) report(ctx context.Context, e *editor) {
	pace := time.NewTicker(20 * time.Millisecond)
	defer pace.Stop()
	for ctx.Err() == nil {
		if h, err := c.clients[0].GetHost(ctx, e.module.ModID, e.module.CmdID); err == nil {
			_ = c.clients[0].Report(e.module.ModID, e.module.CmdID, h, lars.Success, time.Millisecond)
		}
		<-pace.C
	}
}

// agree waits until agents and all nodes say the same of the modules.
func (c *clustered) agree(editors []*editor) {
	c.t.Helper()
	for _, e := range editors {
		for i := range mariadbtest.Nodes {
			st, err := store.Open(c.cluster.Config(c.config.Name, i))
			if err != nil {
				c.t.Fatal(err)
			}
			defer st.Close()
			for n, client := range c.clients {
				var in, at []string
				eventually.True(c.t, patience, fmt.Sprintf("agent %d says of %v what node %d does", n, e.module, i), func() bool {
					list, err := st.ListRoutes(c.t.Context(), store.Filter{ModID: &e.module.ModID, CmdID: &e.module.CmdID})
					hosts, err2 := client.GetRoute(c.t.Context(), e.module.ModID, e.module.CmdID)
					in, at = nil, nil
					for _, l := range list {
						in = append(in, l.Host.String())
					}
					for _, h := range hosts {
						at = append(at, h.String())
					}
					slices.Sort(in)
					slices.Sort(at)
					return err == nil && err2 == nil && len(in) > 0 && slices.Equal(in, at)
				})
			}
		}
	}
}

// saved waits until counts of the module are in all nodes, and the same.
func (c *clustered) saved(m route.Module) {
	c.t.Helper()
	var stores []*store.Store
	for i := range mariadbtest.Nodes {
		st, err := store.Open(c.cluster.Config(c.config.Name, i))
		if err != nil {
			c.t.Fatal(err)
		}
		defer st.Close()
		stores = append(stores, st)
	}
	eventually.True(c.t, patience, "the counts are the same on all nodes", func() bool {
		var first []store.Status
		for i, st := range stores {
			list, err := st.ListStatuses(c.t.Context(), store.Filter{ModID: &m.ModID, CmdID: &m.CmdID})
			if err != nil || len(list) == 0 || i > 0 && !slices.Equal(list, first) {
				return false
			}
			first = list
		}
		return true
	})
}
