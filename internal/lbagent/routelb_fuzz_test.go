package lbagent

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/balance"
	"github.com/lars-lb/lars/internal/route"
)

// ordeal drives a RouteLB with operations read from bytes, and holds what must
// be true after each of them, whatever the order: it knows what lars-dns has
// said and what callers have reported, and nothing of how a RouteLB works.
type ordeal struct {
	t     *testing.T
	input []byte
	cfg   Config
	r     *RouteLB
	now   time.Duration

	routes   map[route.Module][]route.Node // as lars-dns said last and the agent took it
	asks     map[route.Module]ask          // the last pull of each module
	accepted uint64                        // calls that were reported
	sent     uint64                        // of them, those that were taken to be sent
}

// ask is a pull.
type ask struct {
	at       time.Duration
	forgot   uint64 // modules that had been forgotten by then
	answered bool
}

const ordealHosts = 12

func newOrdeal(t *testing.T, input []byte) *ordeal {
	o := &ordeal{t: t, input: input, now: time.Hour,
		routes: make(map[route.Module][]route.Node), asks: make(map[route.Module]ask)}
	o.cfg = DefaultConfig()
	o.cfg.MaxModules, o.cfg.MaxUnknown = 1+o.next()%6, 1+o.next()%6
	o.cfg.Settings = o.settings()
	if err := o.cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	o.r = newRouteLB(&o.cfg)
	return o
}

func (o *ordeal) next() int {
	if len(o.input) == 0 {
		return 0
	}
	n := o.input[0]
	o.input = o.input[1:]
	return int(n)
}

func (o *ordeal) settings() Settings {
	s := o.cfg.Settings
	s.Balance.Policy = []balance.Policy{balance.Classic, balance.Adaptive}[o.next()%2]
	s.Balance.Seed = 1 + uint64(o.next())
	s.Balance.ProbeNum = 1 + uint32(o.next())%5
	return s
}

func (o *ordeal) module() route.Module { return route.Module{ModID: 3 * int32(o.next()%9)} }

func (o *ordeal) host() route.Host { return route.Host{IP: 1 + uint32(o.next()%ordealHosts), Port: 80} }

func (o *ordeal) step() {
	switch op := o.next(); {
	case op < 80:
		o.pick()
	case op < 110:
		id := o.module()
		nodes, _, pull := o.r.Route(id, nil, o.now)
		if !slices.Equal(nodes, o.routes[id]) {
			o.t.Fatalf("route of %v is %v, want %v", id, nodes, o.routes[id])
		}
		o.pulled(id, pull)
	case op < 170:
		o.report()
	case op < 195:
		o.now += time.Duration(o.next()) * 100 * time.Millisecond
	case op < 225:
		o.apply()
	case op < 232:
		for _, id := range o.r.Overdue(nil, 1+o.next()%4, o.now) {
			if a, ok := o.asks[id]; !ok || a.answered || o.now-a.at < o.cfg.PullInterval {
				o.t.Fatalf("at %v %v is overdue, asked for as %+v", o.now, id, a)
			}
			o.ask(id)
		}
	case op < 236:
		for _, id := range o.r.AskAll(nil, o.now) {
			o.ask(id)
		}
	case op < 253:
		if _, counts, ok := o.r.TakeDueCounts(nil, o.next()%2 == 0, o.now); ok {
			o.sent += sum(counts)
		}
	default:
		s := o.settings()
		o.r.SetSettings(&s, o.now)
	}
}

func (o *ordeal) pick() {
	id := o.module()
	h, v, pull := o.r.Pick(id, o.now)
	nodes := o.routes[id]
	inRoute := slices.ContainsFunc(nodes, func(n route.Node) bool { return n.Host() == h })
	switch {
	case v == balance.Picked && !inRoute:
		o.t.Fatalf("%v of %v was picked, the route is %v", h, id, nodes)
	case v == balance.Empty && len(nodes) > 0:
		o.t.Fatalf("%v is said not to exist, its route is %v", id, nodes)
	case v == balance.Overloaded && len(nodes) == 0:
		o.t.Fatalf("%v is said to be overloaded, and has no route", id)
	}
	o.pulled(id, pull)
}

// pulled notes a pull that a caller's question led to: one a PullInterval at
// most, but for a module that was forgotten in between to make room.
func (o *ordeal) pulled(id route.Module, pull bool) {
	if !pull {
		return
	}
	a, ok := o.asks[id]
	if ok && o.now-a.at < o.cfg.PullInterval && a.forgot == o.r.Stats().ForgotOldest {
		o.t.Fatalf("at %v %v is pulled again, asked for as %+v", o.now, id, a)
	}
	o.ask(id)
}

func (o *ordeal) ask(id route.Module) { o.asks[id] = ask{at: o.now, forgot: o.r.Stats().ForgotOldest} }

func (o *ordeal) report() {
	id, h, good := o.module(), o.host(), o.next()%3 > 0
	before := o.r.Stats().Reports
	o.r.Report(id, h, good, time.Duration(o.next())*time.Millisecond, o.now)
	got := o.r.Stats().Reports > before
	want := slices.ContainsFunc(o.routes[id], func(n route.Node) bool { return n.Host() == h })
	if got != want {
		o.t.Fatalf("a report on %v of %v is counted: %v, want %v; the route is %v", h, id, got, want, o.routes[id])
	}
	if got {
		o.accepted++
	}
}

func (o *ordeal) apply() {
	id := o.module()
	nodes := make([]route.Node, o.next()%6)
	for i := range nodes {
		nodes[i] = route.NodeOf(o.host(), uint16(o.next()%3)*50)
	}
	before := o.r.Stats()
	o.r.Apply(id, nodes, o.now)
	after := o.r.Stats()
	a := o.asks[id]
	a.answered = true
	o.asks[id] = a
	if after.Updates == before.Updates { // not asked for, or no room
		if len(o.routes[id]) > 0 {
			o.t.Fatalf("a route of %v was refused, which is in use", id)
		}
		return
	}
	// Of a host that is named twice one weight counts; the hosts are a set.
	got, _, pull := o.r.Route(id, nil, o.now)
	o.pulled(id, pull)
	if !slices.Equal(hostSet(got), hostSet(nodes)) {
		o.t.Fatalf("route of %v is %v after lars-dns said %v", id, got, nodes)
	}
	if len(nodes) == 0 {
		delete(o.routes, id)
		return
	}
	o.routes[id] = got
}

func hostSet(nodes []route.Node) []route.Host {
	var hosts []route.Host
	for _, n := range nodes {
		hosts = append(hosts, n.Host())
	}
	slices.SortFunc(hosts, route.Host.Compare)
	return slices.Compact(hosts)
}

func sum(counts []balance.Count) (n uint64) {
	for _, c := range counts {
		n += uint64(c.Succ) + uint64(c.Err)
	}
	return n
}

// check holds the bounds.
func (o *ordeal) check() {
	s := o.r.Stats()
	if s.Unknown > o.cfg.MaxUnknown {
		o.t.Fatalf("%d modules without hosts, at most %d are allowed", s.Unknown, o.cfg.MaxUnknown)
	}
	if len(o.routes) > o.cfg.MaxModules {
		o.t.Fatalf("%d modules with hosts, at most %d are allowed", len(o.routes), o.cfg.MaxModules)
	}
}

// end lets lars-dns be silent, and takes everything that was reported: no pull
// may be forgotten, no call be missing, none counted twice.
func (o *ordeal) end() {
	o.now += o.cfg.PullInterval
	overdue := o.r.Overdue(nil, 1000, o.now)
	for id, a := range o.asks {
		if !a.answered && a.forgot == o.r.Stats().ForgotOldest && !slices.Contains(overdue, id) {
			o.t.Fatalf("the pull of %v, %+v, is lost", id, a)
		}
	}
	for {
		_, counts, ok := o.r.TakeDueCounts(nil, true, o.now)
		if !ok {
			break
		}
		o.sent += sum(counts)
	}
	s := o.r.Stats()
	if o.sent+s.ReportsLost != o.accepted {
		o.t.Fatalf("%d calls were reported, %d sent and %d lost", o.accepted, o.sent, s.ReportsLost)
	}
	if s.ReportsLost > 0 {
		o.t.Fatalf("%d calls were lost with %d hosts in all", s.ReportsLost, ordealHosts)
	}
}

func (o *ordeal) run() {
	for len(o.input) > 0 {
		o.step()
		o.check()
	}
	o.end()
}

func FuzzRouteLB(f *testing.F) {
	random := rand.New(rand.NewPCG(1, 2))
	for range 20 {
		input := make([]byte, 600)
		for i := range input {
			input[i] = byte(random.Uint32())
		}
		f.Add(input)
	}
	f.Fuzz(func(t *testing.T, input []byte) {
		if len(input) > 4096 {
			return // longer ones find nothing that a shorter one does not
		}
		newOrdeal(t, input).run()
	})
}
