package dns_test

import (
	"bufio"
	"context"
	"database/sql"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/dns"
	"github.com/lars-lb/lars/internal/eventually"
	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/routepb"
	"github.com/lars-lb/lars/internal/store"
	"github.com/lars-lb/lars/internal/wire"
	"github.com/lars-lb/lars/proto/larspb"
)

// patience bounds waiting for what takes milliseconds on an idle machine.
const patience = 20 * time.Second

// quick is a configuration that finds changes soon, by polling alone.
func quick() dns.Config {
	cfg := dns.DefaultConfig()
	cfg.SmallTable = 0 // so that announced changes are read by themselves
	cfg.Listen = netip.MustParseAddrPort("127.0.0.1:0")
	cfg.Threads = 2
	cfg.PollInterval = 10 * time.Millisecond
	cfg.ReloadInterval = time.Hour
	return cfg
}

// running is a Server that serves.
type running struct {
	*dns.Server
	t    testing.TB
	stop func() // and wait until Serve has returned
}

// start serves until the test ends, and then sees that nothing is left.
func start(t testing.TB, cfg dns.Config, source dns.Source, log *slog.Logger) running {
	t.Helper()
	s, err := dns.New(cfg, source, log)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx) }()
	stopped := false
	r := running{Server: s, t: t, stop: func() {
		if stopped {
			return
		}
		stopped = true
		cancel()
		select {
		case err := <-served:
			if err != nil {
				t.Errorf("Serve: %v", err)
			}
		case <-time.After(patience):
			t.Fatal("Serve does not return")
		}
		if st := s.Stats(); st.Subscriptions != 0 || st.TCP.Open != 0 || s.Left() != 0 {
			t.Errorf("left: %d subscriptions, %d modules with subscribers, %d connections", st.Subscriptions, s.Left(), st.TCP.Open)
		}
	}}
	t.Cleanup(r.stop)
	return r
}

func quiet() *slog.Logger { return slog.New(slog.DiscardHandler) }

// openStore opens the database of cfg until the test ends.
func openStore(t testing.TB, cfg store.Config) *store.Store {
	t.Helper()
	s, err := store.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	if _, _, err := s.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return s
}

func sqlite(t testing.TB) store.Config {
	return store.Config{Driver: store.SQLite, Path: filepath.Join(t.TempDir(), "lars.db")}
}

// plainSQL runs statements beside the store, as an operator would.
func plainSQL(t testing.TB, cfg store.Config, statements ...string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+cfg.Path+"?_pragma=busy_timeout(10000)")
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	tx, err := db.Begin()
	if err != nil {
		t.Fatal(err)
	}
	for _, s := range statements {
		if _, err := tx.Exec(s); err != nil {
			t.Fatalf("%s: %v", s, err)
		}
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
}

// add adds hosts to a module as the operator's tool does.
func add(t testing.TB, s *store.Store, m route.Module, hosts ...route.Node) {
	t.Helper()
	if _, err := s.AddHosts(t.Context(), entries(m, hosts)); err != nil {
		t.Fatal(err)
	}
}

func remove(t testing.TB, s *store.Store, m route.Module, hosts ...route.Node) {
	t.Helper()
	if _, err := s.RemoveHosts(t.Context(), entries(m, hosts)); err != nil {
		t.Fatal(err)
	}
}

func entries(m route.Module, hosts []route.Node) []store.Entry {
	var es []store.Entry
	for _, h := range hosts {
		es = append(es, store.Entry{Module: m, Host: h.Host(), Weight: store.WeightOf(h.Weight)})
	}
	return es
}

// agent is the other end of a connection.
type agent struct {
	t testing.TB
	net.Conn
	r *bufio.Reader
}

// dial connects; an agent with a small buffer soon lets the server wait.
func dial(t testing.TB, addr netip.AddrPort, receiveBuffer int) *agent {
	t.Helper()
	d := net.Dialer{Timeout: patience, Control: func(_, _ string, c syscall.RawConn) error {
		if receiveBuffer == 0 {
			return nil
		}
		return c.Control(func(fd uintptr) {
			_ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, receiveBuffer)
		})
	}}
	c, err := d.Dial("tcp", addr.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(3 * patience)); err != nil {
		t.Fatal(err)
	}
	return &agent{t, c, bufio.NewReader(c)}
}

func (r running) dial() *agent { return dial(r.t, r.Addr(), 0) }

func request(m route.Module) []byte {
	body, err := (&larspb.GetRouteRequest{Modid: m.ModID, Cmdid: m.CmdID}).MarshalVT()
	if err != nil {
		panic(err) // not for these fields
	}
	return wire.AppendFrame(nil, int32(larspb.MessageId_ID_GetRouteRequest), body)
}

func (a *agent) write(b []byte) {
	a.t.Helper()
	if _, err := a.Write(b); err != nil {
		a.t.Fatal(err)
	}
}

func (a *agent) ask(m route.Module) { a.t.Helper(); a.write(request(m)) }

// read returns the next answer or push, or an error. It may not be stale.
func (a *agent) read() (m route.Module, hosts []route.Node, err error) {
	m, hosts, stale, err := a.readAny()
	if err == nil && stale {
		err = fmt.Errorf("a stale route of %v", m)
	}
	return m, hosts, err
}

// readAny returns the next answer or push, or an error.
func (a *agent) readAny() (m route.Module, hosts []route.Node, stale bool, err error) {
	head := make([]byte, wire.HeadSize)
	if _, err := io.ReadFull(a.r, head); err != nil {
		return m, nil, false, err
	}
	h, err := wire.DecodeHead(head)
	if err != nil {
		return m, nil, false, err
	}
	body := make([]byte, h.Len)
	if _, err := io.ReadFull(a.r, body); err != nil {
		return m, nil, false, err
	}
	var msg larspb.GetRouteResponse
	if err := msg.UnmarshalVT(body); err != nil {
		return m, nil, false, err
	}
	for _, h := range msg.Host {
		n, ok := routepb.Node(h)
		if !ok {
			return m, nil, false, fmt.Errorf("a route with host %v", h)
		}
		hosts = append(hosts, n)
	}
	return module(msg.Modid, msg.Cmdid), hosts, msg.Stale, nil
}

func (a *agent) expect(m route.Module, hosts ...route.Node) {
	a.t.Helper()
	got, gotHosts, err := a.read()
	if err != nil {
		a.t.Fatalf("instead of the route of %v: %v", m, err)
	}
	if got != m || !slices.Equal(gotHosts, hosts) {
		a.t.Fatalf("got %v with %d hosts %.200v, want %v with %d", got, len(gotHosts), gotHosts, m, len(hosts))
	}
}

// expectStale is expect for a route of the file.
func (a *agent) expectStale(m route.Module, hosts ...route.Node) {
	a.t.Helper()
	got, gotHosts, stale, err := a.readAny()
	if err != nil || !stale || got != m || !slices.Equal(gotHosts, hosts) {
		a.t.Fatalf("got %v with %.200v, stale: %v, %v; want %v with %d", got, gotHosts, stale, err, m, len(hosts))
	}
}

// expectNothing sees that nothing was sent but the answers already read: the
// answer about a fresh module is next.
func (a *agent) expectNothing(fresh route.Module) {
	a.t.Helper()
	a.ask(fresh)
	a.expect(fresh)
}

// subscribe asks and reads the answer.
func (a *agent) subscribe(m route.Module, hosts ...route.Node) {
	a.t.Helper()
	a.ask(m)
	a.expect(m, hosts...)
}

func (r running) eventually(what string, cond func(dns.Stats) bool) {
	r.t.Helper()
	eventually.True(r.t, patience, what, func() bool { return cond(r.Stats()) })
}
