package chaos

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/chaos/fault"
	"github.com/lars-lb/lars/internal/chaos/history"
	"github.com/lars-lb/lars/internal/chaos/model"
	"github.com/lars-lb/lars/internal/chaos/relay"
	"github.com/lars-lb/lars/internal/larstest"
	"github.com/lars-lb/lars/internal/mariadbtest"
	"github.com/lars-lb/lars/internal/store"
)

// patience bounds waiting for what takes well under a second on an idle machine.
const patience = 30 * time.Second

// reportTimeout is the agents' [loadbalance] report_timeout.
const reportTimeout = 200 * time.Millisecond

// Options say what a World is made of.
type Options struct {
	Agents, DNS, Reporters int // default 1, 2, 2
	// Endpoints is how many lars-dns, and how many lars-reporter, each agent
	// is told of; default 1.
	Endpoints int
	// Rate is GetHost a second, each followed by a report, at each agent;
	// default 2000.
	Rate    int
	Changes int         // of routes, a second; default 50
	MaxConn int         // of lars-dns and lars-reporter; default 1024
	Seed    uint64      // of the routes
	Rules   model.Rules // RoutesOnDisk and the times; see there
}

// World is a whole suite of real processes, with a relay in every connection
// between two of them, with callers that use it and an operator who changes
// routes. Its methods are for the test's goroutine.
type World struct {
	Recorder *history.Recorder

	t        testing.TB
	o        Options
	db       *mariadbtest.Server
	database store.Config
	store    *store.Store
	daemons  map[string]*larstest.Daemon
	admins   map[string]netip.AddrPort
	agents   map[string]netip.AddrPort // of the first UDP server
	links    map[string]*relay.Relay   // by "from>to"
	editor   *editor
	load     *load
	checker  *model.Checker
	result   *Result
	ip       netip.Addr                // of everything, but for the database
	lastPort uint16                    // that freeAddr gave
	addrs    map[string]netip.AddrPort // of lars-dns and lars-reporter, behind the relays
	starting map[string]func()         // daemons that do not serve yet, and what to do when they do
}

// NewWorld starts a suite on a database of its own, and returns when every agent
// has all routes. It ends with the test.
func NewWorld(t testing.TB, programs larstest.Programs, db *mariadbtest.Server, o Options) *World {
	t.Helper()
	o.Agents, o.DNS, o.Reporters = cmp.Or(o.Agents, 1), cmp.Or(o.DNS, 2), cmp.Or(o.Reporters, 2)
	o.Endpoints = cmp.Or(o.Endpoints, 1)
	o.Rate, o.Changes, o.MaxConn = cmp.Or(o.Rate, 2000), cmp.Or(o.Changes, 50), cmp.Or(o.MaxConn, 1024)
	w := &World{
		Recorder: history.NewRecorder(history.DefaultLimit),
		ip:       ownAddr(), lastPort: 10_000,
		t: t, o: o, db: db, database: db.NewDatabase(t),
		daemons: make(map[string]*larstest.Daemon), admins: make(map[string]netip.AddrPort),
		agents: make(map[string]netip.AddrPort), links: make(map[string]*relay.Relay),
		starting: make(map[string]func()), addrs: make(map[string]netip.AddrPort),
		checker: model.NewChecker(o.Rules), result: &Result{Outcomes: make(map[history.Outcome]int)},
	}
	var err error
	if w.store, err = store.Open(w.database); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.store.Close() })
	if _, _, err := w.store.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if w.editor, err = newEditor(t.Context(), w.store, w.Recorder, o.Seed); err != nil {
		t.Fatal(err)
	}
	w.load = &load{recorder: w.Recorder, modules: w.editor.modules}
	w.prepare(programs)
	for _, name := range w.Processes() {
		w.daemons[name].Start()
	}
	for _, name := range w.Processes() {
		w.daemons[name].WaitFor("serving")
	}
	w.WaitCurrent(patience)
	return w
}

// ownAddr is an address of this machine that nobody else uses, so that what is
// down for a while finds its ports free when it comes back.
func ownAddr() netip.Addr {
	n := rand.Uint32()
	return netip.AddrFrom4([4]byte{127, 1 + byte(n>>16)%254, byte(n >> 8), 1 + byte(n)%254})
}

// freeAddr is an address whose port, and the two behind it, nobody has.
func (w *World) freeAddr() netip.AddrPort {
	w.lastPort += 3
	return netip.AddrPortFrom(w.ip, w.lastPort)
}

// prepare makes the configurations and the relays between the processes.
func (w *World) prepare(programs larstest.Programs) {
	server := func(name, program, more string) {
		w.addrs[name] = w.freeAddr()
		w.daemon(programs, name, program, fmt.Sprintf(
			"[reactor]\nip = %v\nport = %d\nmaxConn = %d\nthreadNum = 2\n[mysql]\ndb_host = %v\ndb_port = %s\ndb_user = %s\ndb_passwd = %s\ndb_name = %s\n%s",
			w.ip, w.addrs[name].Port(), w.o.MaxConn, w.ip, portOf(w.link(name, fault.Database, w.db.Addr())), w.database.User, w.database.Password, w.database.Name, more))
	}
	for i := range w.o.DNS {
		server(fmt.Sprintf("dns%d", i+1), "lars-dns", "[dns]\npoll_interval = 50ms\nreload_interval = 5s\n")
	}
	for i := range w.o.Reporters {
		server(fmt.Sprintf("reporter%d", i+1), "lars-reporter", "")
	}
	for i := range w.o.Agents {
		name := fmt.Sprintf("agent%d", i+1)
		w.agents[name] = w.freeAddr()
		conf := fmt.Sprintf("[agent]\nip = %v\nport = %d\n[loadbalance]\npolicy = classic\nreport_timeout = %v\nupdate_timeout = 2s\n", w.ip, w.agents[name].Port(), reportTimeout)
		for section, peers := range map[string][]string{"dnsserver": w.peers(name, "dns"), "reporter": w.peers(name, "reporter")} {
			var endpoints []string
			for _, peer := range peers {
				endpoints = append(endpoints, w.link(name, peer, w.addrs[peer].String()).Addr())
			}
			if len(peers) == 1 {
				conf += fmt.Sprintf("[%s]\nip = %v\nport = %s\n", section, w.ip, portOf(w.links[name+">"+peers[0]]))
			} else {
				conf += fmt.Sprintf("[%s]\nendpoints = %s\n", section, strings.Join(endpoints, ","))
			}
		}
		w.daemon(programs, name, "lars-lb-agent", conf)
	}
}

func (w *World) daemon(programs larstest.Programs, name, program, conf string) {
	w.admins[name] = w.freeAddr()
	conf += fmt.Sprintf("[admin]\naddr = %v\n[log]\nformat = json\n", w.admins[name])
	w.daemons[name] = larstest.NewDaemon(w.t, programs, program, conf)
}

// peers are the lars-dns or lars-reporter that an agent is told of.
func (w *World) peers(agent, kind string) []string {
	n := map[string]int{"dns": w.o.DNS, "reporter": w.o.Reporters}[kind]
	var first int
	_, _ = fmt.Sscanf(agent, "agent%d", &first) // a name of ours
	var peers []string
	for i := range min(w.o.Endpoints, n) {
		peers = append(peers, fmt.Sprintf("%s%d", kind, (first-1+i)%n+1))
	}
	return peers
}

// Processes are the names of our processes.
func (w *World) Processes() []string {
	return slices.Sorted(maps.Keys(w.daemons))
}

// Addr is where a lars-dns or lars-reporter listens, behind the relays.
func (w *World) Addr(name string) netip.AddrPort { return w.addrs[name] }

// Agents are the names of the agents.
func (w *World) Agents() []string { return slices.Sorted(maps.Keys(w.agents)) }

// Links are the names of the connections between processes, as "agent1>dns1".
func (w *World) Links() []string { return slices.Sorted(maps.Keys(w.links)) }

// Capacity is how many GetHost a second, each followed by a report, an agent
// answers when it is asked as fast as it answers. The callers may be the limit.
func (w *World) Capacity(agent string, length time.Duration) int {
	w.t.Helper()
	// Nothing of it is judged, so it must not be counted either.
	l := &load{recorder: history.NewRecorder(0), modules: w.editor.modules[:steadyModules], nobody: true}
	ctx, cancel := context.WithTimeout(w.t.Context(), length)
	defer cancel()
	if err := l.start(ctx, agent, w.agents[agent], int(time.Second/time.Microsecond)); err != nil {
		w.t.Fatal(err)
	}
	l.wait()
	return int(float64(l.asked.Load()) / length.Seconds())
}

// SetRate is Options.Rate for the next Run.
func (w *World) SetRate(rate int) { w.o.Rate = rate }

// Close ends the processes and the relays before the test's end does.
func (w *World) Close() {
	for _, name := range w.Processes() {
		if w.daemons[name].Running() {
			w.daemons[name].Stop()
		}
	}
	for _, r := range w.links {
		r.Close()
	}
}

// link is the relay between two processes, made when it is first asked for.
func (w *World) link(from, to, addr string) *relay.Relay {
	name := from + ">" + to
	if w.links[name] == nil {
		r, err := relay.New(w.freeAddr().String(), addr)
		if err != nil {
			w.t.Fatal(err)
		}
		w.t.Cleanup(r.Close)
		w.links[name] = r
	}
	return w.links[name]
}

func portOf(r *relay.Relay) string {
	_, port, _ := strings.Cut(r.Addr(), ":")
	return port
}
