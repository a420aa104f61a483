package lbagent

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lars-lb/lars/internal/balance"
	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/snapshot"
	"github.com/lars-lb/lars/reactor"
)

const (
	// maxRequest is the longest datagram that a caller has a reason to send,
	// with room for fields to come, bytes.
	maxRequest = 2048
	// recvBuffer is asked for as the receive buffer of each UDP server, bytes.
	// It bounds how long requests wait that are more than can be answered: the
	// kernel takes some 1,260 of the smallest for it, which is 4 ms of work at
	// 300,000 a second, and less than 20 ms down to 65,000.
	recvBuffer = 512 << 10
	// lastReport bounds how long a stopping agent takes to hand over its
	// counts.
	lastReport = time.Second
)

// Agent is lars-lb-agent. Its methods may be called on any goroutine.
type Agent struct {
	log      *slog.Logger
	clock    func() time.Duration
	shards   [route.Shards]*RouteLB
	servers  [route.Shards]*reactor.UDPServer
	dns      *dnsClient
	reporter *reportClient
	side     *reactor.Loop // of what is done beside the traffic: checks and the log of events
	checker  *checker
	events   *eventLog
	keeper   *keeper
	befell   befellCounters
	seed     uint64 // of settings that name none
	served   atomic.Bool
}

// New binds the UDP ports and reads the file of the last routes. The caller must
// call Serve or Close.
func New(cfg Config, log *slog.Logger) (*Agent, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	start := time.Now()
	clock := func() time.Duration { return time.Since(start) }
	a := &Agent{log: log, clock: clock, seed: rand.Uint64()}
	cfg.Settings = a.seeded(cfg.Settings)
	var err error
	if a.side, err = reactor.NewLoop(); err != nil {
		return nil, err
	}
	a.checker = newChecker(a.side, &a.shards, clock)
	a.events = newEventLog(a.side, clock, log)
	shard := func() *RouteLB {
		r := newRouteLB(&cfg)
		r.helper = a
		return r
	}
	for i := range a.shards {
		a.shards[i] = shard()
	}
	if a.dns, err = newDNSClient(preference(cfg.DNS, a.seed), &a.shards, clock, log); err != nil {
		a.Close()
		return nil, err
	}
	if a.reporter, err = newReportClient(preference(cfg.Reporter, mix(a.seed)), &a.shards, clock, log); err != nil {
		a.Close()
		return nil, err
	}
	for i := range a.servers {
		addr := cfg.Listen
		if addr.Port() != 0 {
			addr = netip.AddrPortFrom(addr.Addr(), addr.Port()+uint16(i))
		}
		c := &callers{shards: &a.shards, pull: a.dns.pull, clock: clock}
		a.servers[i], err = reactor.ListenUDP(reactor.UDPServerConfig{Addr: addr, MaxDatagram: maxRequest, RecvBuffer: recvBuffer}, c.router())
		if err != nil {
			a.Close()
			return nil, fmt.Errorf("lbagent: UDP server %d of %d: %w", i+1, route.Shards, err)
		}
	}
	a.keeper = newKeeper(&cfg, &a.shards, a.dns.link.downFor, log)
	a.dns.onNew = a.keeper.changed
	// Who asks meanwhile waits in a socket, which is better than being refused.
	a.keeper.load(&cfg, clock(), shard)
	return a, nil
}

// Addrs are the addresses of the UDP servers; server i owns the modules whose
// Shard is i, but serves all.
func (a *Agent) Addrs() [route.Shards]netip.AddrPort {
	var addrs [route.Shards]netip.AddrPort
	for i, s := range a.servers {
		addrs[i] = s.Addr()
	}
	return addrs
}

// Serve answers callers until ctx is done or Close. Before it returns it sends
// the counts not reported yet to lars-reporter, if that takes them in time.
func (a *Agent) Serve(ctx context.Context) error {
	a.served.Store(true)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	addrs := a.Addrs()
	a.log.Info("serving", "addr0", addrs[0], "addr1", addrs[1], "addr2", addrs[2])
	a.keeper.tellRestored()
	keep, stopKeeping := context.WithCancel(context.WithoutCancel(ctx))
	var clients, dns, servers, keeper sync.WaitGroup
	keeper.Go(func() { a.keeper.run(keep) })
	errs := make([]error, route.Shards+3)
	run := func(group *sync.WaitGroup, slot int, f func() error) {
		group.Go(func() {
			defer cancel() // one part down, all down
			if err := f(); !errors.Is(err, reactor.ErrClosed) {
				errs[slot] = err
			}
		})
	}
	for i, s := range a.servers {
		run(&servers, i, func() error { return s.Serve(ctx) })
	}
	_, _ = a.dns.client.Start(), a.reporter.client.Start() // fail only on a closed loop, which Run then reports
	run(&dns, route.Shards, a.dns.loop.Run)
	run(&clients, route.Shards+1, a.reporter.loop.Run)
	run(&clients, route.Shards+2, a.side.Run)

	servers.Wait() // nobody can report any more
	a.dns.loop.Close()
	dns.Wait() // no route changes any more
	stopKeeping()
	a.flushCounts()
	a.reporter.loop.Close()
	a.side.Close()
	clients.Wait()
	keeper.Wait()
	a.events.tell()
	return errors.Join(errs...)
}

// flushCounts sends every count, until the connection has taken all or
// lastReport has passed.
func (a *Agent) flushCounts() {
	timeout := time.After(lastReport)
	retry := time.NewTicker(10 * time.Millisecond)
	defer retry.Stop()
	for {
		done := make(chan bool, 1)
		if a.reporter.loop.Post(func() { done <- a.reporter.flushed() }) != nil {
			return
		}
		select {
		case <-timeout:
			a.log.Warn("stopping with counts that lars-reporter has not acknowledged in time", "calls", a.uncounted())
			return
		case ok := <-done:
			if ok {
				return
			}
		}
		<-retry.C
	}
}

// uncounted is how many calls were reported, and are not known to be in the
// database.
func (a *Agent) uncounted() (calls uint64) {
	sum := make(chan uint64, 1)
	if a.reporter.loop.Post(func() { sum <- a.reporter.window.calls() }) == nil {
		select {
		case calls = <-sum:
		case <-time.After(lastReport): // the loop has failed
		}
	}
	for _, r := range a.shards {
		calls += r.Uncounted(a.clock())
	}
	return calls
}

// Close ends Serve, or releases an agent that was never served. It does not
// wait for Serve and may be called more than once.
func (a *Agent) Close() {
	for _, s := range a.servers {
		if s != nil {
			s.Close()
		}
	}
	if a.served.Load() {
		return // Serve closes the clients, once they have sent what is left
	}
	a.side.Close()
	if a.dns != nil {
		a.dns.loop.Close()
	}
	if a.reporter != nil {
		a.reporter.loop.Close()
	}
}

// Reload applies settings to the running agent. They must have passed Validate.
func (a *Agent) Reload(s Settings) {
	s = a.seeded(s)
	for _, r := range a.shards {
		r.SetSettings(&s, a.clock())
	}
}

// seeded gives settings that name no seed the agent's own.
func (a *Agent) seeded(s Settings) Settings {
	if s.Balance.Seed == 0 {
		s.Balance.Seed = a.seed
	}
	return s
}

// tell and check make the agent the helper of its RouteLBs.

func (a *Agent) tell(id route.Module, e balance.Event) {
	a.befell.count(&e)
	a.events.add(id, e)
}

func (a *Agent) check(id route.Module, h route.Host) bool { return a.checker.ask(id, h) }

// Stats is what an agent counts.
type Stats struct {
	Routes [route.Shards]RouteStats       `json:"routes"`
	UDP    [route.Shards]reactor.UDPStats `json:"udp"`
	// DNSPeer and ReporterPeer are the addresses of those that the agent is
	// connected to, empty if it is not.
	DNSPeer       string `json:"dns_peer"`
	ReporterPeer  string `json:"reporter_peer"`
	PullsInFlight int64  `json:"pulls_in_flight"` // asked of lars-dns, now
	DNSSilences   uint64 `json:"dns_silences"`    // times that one was left since it did not answer

	DNS      reactor.TCPStats `json:"dns"`
	Reporter reactor.TCPStats `json:"reporter"`
	Reports  ReportStats      `json:"reports"`
	Checks   CheckStats       `json:"checks"`
	Events   EventStats       `json:"events"`

	DNSDisconnectedMS int64               `json:"dns_disconnected_ms"` // since when lars-dns is not connected; 0 if it is
	Snapshot          snapshot.SaverStats `json:"snapshot"`
	SnapshotModules   int                 `json:"snapshot_modules"` // taken from the file at the start
	SnapshotAgeMS     int64               `json:"snapshot_age_ms"`  // age of that then

	Befell BefellStats              `json:"befell"`
	Queues QueueStats               `json:"queues"`
	Loops  []reactor.NamedLoopStats `json:"loops"`
	// RouteAge is how long ago a route came from lars-dns last, of whatever
	// module; nil before the first.
	RouteAge *float64 `json:"route_age_seconds"`
}

// Stats returns the counters so far.
func (a *Agent) Stats() Stats {
	s := Stats{
		DNSPeer: a.dns.link.to(), ReporterPeer: a.reporter.link.to(),
		PullsInFlight: a.dns.inFlight.Load(), DNSSilences: a.dns.silences.Load(),
		DNS: a.dns.client.Stats(), Reporter: a.reporter.client.Stats(),
		Reports: a.reporter.Stats(), Checks: a.checker.Stats(), Events: a.events.Stats(),
		Snapshot: a.keeper.saver.Stats(), SnapshotModules: a.keeper.restored.Modules, SnapshotAgeMS: a.keeper.age.Milliseconds(),
	}
	if away, down := a.dns.link.downFor(); down {
		s.DNSDisconnectedMS = max(1, away.Milliseconds())
	}
	for i := range route.Shards {
		s.Routes[i] = a.shards[i].Stats()
		s.UDP[i] = a.servers[i].Stats()
	}
	a.addCondition(&s)
	return s
}
