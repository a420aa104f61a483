package dns_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/netip"
	"strings"
	"testing"

	"github.com/lars-lb/lars/internal/dns"
	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/wire"
)

func TestAnswers(t *testing.T) {
	db := openStore(t, sqlite(t))
	negative := module(-5, -1<<31)
	add(t, db, m11, node(3232235953, 7777))
	add(t, db, m12, hostRange(1, 3)...)
	add(t, db, negative, hostN(4))
	s := start(t, quick(), db, quiet())

	a := s.dial()
	a.subscribe(m11, node(3232235953, 7777))
	a.subscribe(m12, hostRange(1, 3)...)
	a.subscribe(m12, hostRange(1, 3)...) // again
	a.subscribe(negative, hostN(4))
	for _, m := range []route.Module{{}, module(-1, 0), module(1<<31-1, 1), module(-1<<31, 0)} {
		a.subscribe(m) // does not exist
	}
	st := s.Stats()
	if !st.Ready || st.Modules != 3 || st.Hosts != 5 || st.Answers != 8 || st.Subscriptions != 7 || st.Version == 0 {
		t.Errorf("stats: %+v", st)
	}
	if modules, places := s.Subscriptions(); modules != 7 || places != 7 {
		t.Errorf("%d modules have %d subscribers", modules, places)
	}
	text, err := json.Marshal(st)
	if err != nil || !strings.Contains(string(text), `"subscriptions":7`) {
		t.Errorf("as JSON: %s, %v", text, err)
	}
}

func TestRequestsInPiecesAndInOne(t *testing.T) {
	db := openStore(t, sqlite(t))
	add(t, db, m11, hostN(1))
	s := start(t, quick(), db, quiet())
	a := s.dial()
	for _, b := range request(m11) {
		a.write([]byte{b})
	}
	a.expect(m11, hostN(1))

	var all []byte
	for i := range int32(500) {
		all = append(all, request(module(9, i))...)
	}
	a.write(all)
	for i := range int32(500) {
		a.expect(module(9, i))
	}
}

func TestBadFrames(t *testing.T) {
	s := start(t, quick(), openStore(t, sqlite(t)), quiet())
	unknown := s.dial()
	unknown.write(wire.AppendFrame(nil, 99, []byte("from a newer peer")))
	unknown.subscribe(m11)

	for name, frame := range map[string][]byte{
		"bad protobuf":    wire.AppendFrame(nil, 1, []byte{0xff, 0xff}),
		"negative length": {1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff},
		"length too long": {1, 0, 0, 0, 0xf8, 0xff, 0, 0},
	} {
		a := s.dial()
		a.subscribe(m11)
		a.write(frame)
		if m, _, err := a.read(); err == nil {
			t.Errorf("%s is answered: %v", name, m)
		}
	}
	s.eventually("all are counted by reason and forgotten", func(st dns.Stats) bool {
		return st.TCP.ClosedBadBody == 1 && st.TCP.ClosedBadFrame == 2 && st.TCP.UnknownMessage == 1 && st.Subscriptions == 1
	})
	empty := s.dial()
	empty.write(wire.AppendFrame(nil, 1, nil)) // proto3: both numbers are 0
	empty.expect(route.Module{})
}

func TestLargestRoute(t *testing.T) {
	cfg := sqlite(t)
	db := openStore(t, cfg)
	all := hostRange(1, route.MaxHosts)
	add(t, db, m11, all...)
	s := start(t, quick(), db, quiet())
	a := s.dial()
	a.subscribe(m11, all...)

	// By plain SQL one more, and a smaller address: the rows that came first count.
	plainSQL(t, cfg, "INSERT INTO RouteData (modid, cmdid, serverip, serverport) VALUES (1, 1, 1, 1)",
		"UPDATE RouteVersion SET version = version + 1")
	s.eventually("the module is found oversized", func(st dns.Stats) bool { return st.OversizedModules == 1 })
	a.expectNothing(module(0, 1))

	remove(t, db, m11, all[17])
	want := append([]route.Node{node(1, 1)}, append(append([]route.Node{}, all[:17]...), all[18:]...)...)
	a.expect(m11, want...)
	if st := s.Stats(); st.OversizedModules != 0 || st.Hosts != route.MaxHosts {
		t.Errorf("stats: %+v", st)
	}
}

func TestDuplicateAndImpossibleRows(t *testing.T) {
	cfg := sqlite(t)
	db := openStore(t, cfg)
	plainSQL(t, cfg, `INSERT INTO RouteData (modid, cmdid, serverip, serverport) VALUES
		(1, 1, 7, 80), (1, 1, 7, 80), (1, 1, 0, 80), (1, 1, 5, 65536), (4294967291, 1, 6, 1), (1, 1, 7, 80), (2, 2, 4294967296, 9)`,
		"INSERT INTO RouteData (modid, cmdid, serverip, serverport, weight) VALUES (3, 3, 8, 80, 10001), (3, 3, 8, 80, 5), (1, 1, 7, 80, 0)")
	s := start(t, quick(), db, quiet())
	a := s.dial()
	a.subscribe(m11, node(7, 80))
	a.subscribe(module(3, 3), weighing(route.MaxWeight, node(8, 80))...)
	a.subscribe(module(-5, 1), node(6, 1))
	a.subscribe(module(2, 2))
	if st := s.Stats(); st.SkippedRows != 3 || st.ClampedRows != 1 || st.Hosts != 3 {
		t.Errorf("stats: %+v", st)
	}
	plainSQL(t, cfg, "DELETE FROM RouteData WHERE serverip = 0 OR weight > 10000", "UPDATE RouteVersion SET version = version + 1")
	s.eventually("the repaired rows are gone", func(st dns.Stats) bool { return st.SkippedRows == 2 && st.ClampedRows == 0 })
	a.expect(module(3, 3), weighing(5, node(8, 80))...)
}

func TestNewRefuses(t *testing.T) {
	first := start(t, quick(), openStore(t, sqlite(t)), quiet())
	taken := quick()
	taken.Listen = first.Addr()
	if _, err := dns.New(taken, new(memory), quiet()); err == nil || !strings.Contains(err.Error(), first.Addr().String()) {
		t.Errorf("an address in use: %v", err)
	}
	bad := quick()
	bad.MaxConn = 0
	if _, err := dns.New(bad, new(memory), quiet()); err == nil {
		t.Error("a bad configuration is taken")
	}
}

func TestConfigValidate(t *testing.T) {
	cfg := dns.DefaultConfig()
	if err := cfg.Validate(); err != nil {
		t.Errorf("the defaults: %v", err)
	}
	for _, c := range []struct {
		set  func(*dns.Config)
		want string
	}{
		{func(c *dns.Config) { c.Listen = netip.AddrPort{} }, "dns: Listen is not an address with a port"},
		{func(c *dns.Config) { c.MaxConn = 0 }, "dns: MaxConn is 0, allowed is 1 to 1000000"},
		{func(c *dns.Config) { c.Threads = 257 }, "dns: Threads is 257, allowed is 1 to 256"},
		{func(c *dns.Config) { c.PollInterval = 9e6 }, "dns: PollInterval is 9ms, allowed is 10ms to 1m0s"},
		{func(c *dns.Config) { c.ReloadInterval = 0 }, "dns: ReloadInterval is 0s, allowed is 10ms to 24h0m0s"},
		{func(c *dns.Config) { c.ChangeRetention = 1 }, "dns: ChangeRetention is 1ns, allowed is 1m0s to 8760h0m0s"},
		{func(c *dns.Config) { c.PruneInterval = -1 }, "dns: PruneInterval is -1ns, allowed is 10ms to 24h0m0s"},
		{func(c *dns.Config) { c.MaxBuffered = 1 }, "dns: MaxBuffered is 1, allowed is 4096 to 67108864"},
		{func(c *dns.Config) { c.PushTimeout = 0 }, "dns: PushTimeout is 0s, allowed is 10ms to 10m0s"},
		{func(c *dns.Config) { c.MaxSubscriptions = 0 }, "dns: MaxSubscriptions is 0, allowed is 1 to 10000000"},
	} {
		cfg := dns.DefaultConfig()
		c.set(&cfg)
		if err := cfg.Validate(); fmt.Sprint(err) != c.want {
			t.Errorf("got %v, want %s", err, c.want)
		}
	}
}

func TestCloseWithoutServe(t *testing.T) {
	s, err := dns.New(quick(), new(memory), quiet())
	if err != nil {
		t.Fatal(err)
	}
	s.Close()
	s.Close()
	if err := s.Serve(context.Background()); err != nil {
		t.Errorf("Serve after Close: %v", err)
	}
}

func TestCloseEndsServe(t *testing.T) {
	s := start(t, quick(), openStore(t, sqlite(t)), quiet())
	a := s.dial()
	a.subscribe(m11)
	s.Close()
	if _, _, err := a.read(); err == nil {
		t.Error("the connection is still open")
	}
	s.stop()
}

func TestConnectionsBeyondMaxConn(t *testing.T) {
	cfg := quick()
	cfg.MaxConn = 3
	s := start(t, cfg, openStore(t, sqlite(t)), quiet())
	var held []*agent
	for range cfg.MaxConn {
		a := s.dial()
		a.subscribe(m11)
		held = append(held, a)
	}
	over := s.dial()
	over.Write(request(m11)) // may be refused already
	if _, _, err := over.read(); err == nil {
		t.Error("a connection beyond MaxConn is served")
	}
	for _, a := range held {
		a.subscribe(m12)
		a.Close()
	}
	s.eventually("all are freed", func(st dns.Stats) bool { return st.TCP.Open == 0 && st.Subscriptions == 0 })
	s.dial().subscribe(m11)
}

func TestSubscriptionsAreBounded(t *testing.T) {
	cfg := quick()
	cfg.MaxSubscriptions = 5
	db := openStore(t, sqlite(t))
	for i := range int32(6) {
		add(t, db, module(1, i), hostN(1))
	}
	s := start(t, cfg, db, quiet())
	a := s.dial()
	for i := range int32(5) {
		a.subscribe(module(1, i), hostN(1))
	}
	a.subscribe(module(1, 5), hostN(1)) // answered; all places are taken by modules with hosts
	if st := s.Stats(); st.Subscriptions != 5 || st.Unsubscribed != 1 {
		t.Errorf("stats: %+v", st)
	}
	add(t, db, module(1, 5), hostN(2)) // not pushed
	add(t, db, module(1, 4), hostN(2))
	a.expect(module(1, 4), hostN(1), hostN(2))
	a.subscribe(module(1, 5), hostN(1), hostN(2))
}

// Modules that do not exist make room for those that do.
func TestSubscriptionsToWrongModulesMakeRoom(t *testing.T) {
	cfg := quick()
	cfg.MaxSubscriptions = 5
	db := openStore(t, sqlite(t))
	add(t, db, m11, hostN(1))
	s := start(t, cfg, db, quiet())
	a := s.dial()
	for i := range int32(50) {
		a.subscribe(module(2, i))
	}
	a.subscribe(m11, hostN(1))
	for i := range int32(50) {
		a.subscribe(module(3, i))
	}
	if st := s.Stats(); st.Subscriptions != 5 || st.Unsubscribed != 0 {
		t.Errorf("stats: %+v", st)
	}
	add(t, db, m11, hostN(2))
	a.expect(m11, hostN(1), hostN(2))
}

func TestOldChangesArePruned(t *testing.T) {
	source := oneHost()
	cfg := quick()
	cfg.PruneInterval = 10 * cfg.PollInterval
	s := start(t, cfg, source, quiet())
	s.eventually("pruned several times", func(st dns.Stats) bool { return st.PrunedChanges >= 9 })
	source.do(func(s *memory) {
		if s.pruneKeep != cfg.ChangeRetention {
			t.Errorf("kept for %v", s.pruneKeep)
		}
	})
}
