package reporter_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/lars-lb/lars/internal/eventually"
	"github.com/lars-lb/lars/internal/mariadbtest"
	"github.com/lars-lb/lars/internal/reporter"
	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/store"
	"github.com/lars-lb/lars/internal/wire"
	"github.com/lars-lb/lars/proto/larspb"
)

// soon is how long anything may take before a test gives up on it.
const soon = 20 * time.Second

// mariaDB serves the whole test binary. Tests that stop a server start one of
// their own.
var mariaDB struct {
	*mariadbtest.Server
	err error
}

func TestMain(m *testing.M) {
	mariaDB.Server, mariaDB.err = mariadbtest.New()
	code := m.Run()
	if mariaDB.Server != nil {
		if err := mariaDB.Stop(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// onStores runs test on an empty database of each engine.
func onStores(t *testing.T, test func(t *testing.T, st *store.Store)) {
	t.Run("sqlite", func(t *testing.T) {
		test(t, openStore(t, store.Config{Driver: store.SQLite, Path: filepath.Join(t.TempDir(), "lars.db")}))
	})
	t.Run("mariadb", func(t *testing.T) {
		if mariaDB.err != nil {
			t.Fatal(mariaDB.err)
		}
		test(t, openStore(t, mariaDB.NewDatabase(t)))
	})
}

func openStore(t *testing.T, cfg store.Config) *store.Store {
	t.Helper()
	st, err := store.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	return st
}

// running is a reporter under test.
type running struct {
	*reporter.Server
	t    *testing.T
	log  *logLines
	stop context.CancelFunc
	err  error // of Serve, once ended is closed

	ended chan struct{}
}

func testConfig() reporter.Config {
	cfg := reporter.DefaultConfig()
	cfg.Listen = netip.MustParseAddrPort("127.0.0.1:0")
	cfg.FlushInterval = 5 * time.Millisecond
	return cfg
}

// serve starts a reporter. It is stopped at the end of the test, which fails
// if the test did not look at the error of Serve and there is one.
func serve(t *testing.T, cfg reporter.Config, st reporter.Store) *running {
	t.Helper()
	r := &running{t: t, log: &logLines{}, ended: make(chan struct{})}
	var err error
	if r.Server, err = reporter.New(cfg, st, slog.New(slog.NewTextHandler(r.log, nil))); err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	r.stop = stop
	go func() {
		defer close(r.ended)
		r.err = r.Serve(ctx)
	}()
	t.Cleanup(func() {
		select {
		case <-r.ended:
		default:
			if err := r.end(); err != nil {
				t.Errorf("Serve: %v", err)
			}
		}
	})
	return r
}

// end stops the reporter and returns the error of Serve.
func (r *running) end() error {
	r.t.Helper()
	r.stop()
	select {
	case <-r.ended:
	case <-time.After(soon):
		r.t.Fatal("Serve does not return")
	}
	return r.err
}

func (r *running) await(what string, cond func(reporter.Stats) bool) {
	r.t.Helper()
	eventually.True(r.t, soon, what, func() bool { return cond(r.Stats()) })
}

// awaitResults waits until n results have been taken.
func (r *running) awaitResults(n int) {
	r.t.Helper()
	r.await(fmt.Sprintf("%d results taken", n), func(s reporter.Stats) bool { return s.Results >= uint64(n) })
}

func (r *running) awaitSaved() {
	r.t.Helper()
	r.await("everything saved", func(s reporter.Stats) bool { return s.Pending == 0 })
}

// logLines collects a log.
type logLines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *logLines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(p)
}

func (l *logLines) count(what string) int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Count(l.text.String(), what)
}

// agent is a connection to a reporter.
type agent struct {
	net.Conn
	t *testing.T
}

func dial(t *testing.T, r *running) agent {
	t.Helper()
	c, err := net.Dial("tcp", r.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	return agent{c, t}
}

func (a agent) send(stream []byte) {
	a.t.Helper()
	if _, err := a.Write(stream); err != nil {
		a.t.Fatal(err)
	}
}

func frame(t *testing.T, m *larspb.ReportStatusRequest) []byte {
	t.Helper()
	body, err := m.MarshalVT()
	if err != nil {
		t.Fatal(err)
	}
	return wire.AppendFrame(nil, int32(larspb.MessageId_ID_ReportStatusRequest), body)
}

// report is the frame of one agent's results for one module: all of them must
// have its module, caller and time.
func report(t *testing.T, results ...store.Status) []byte {
	t.Helper()
	first := results[0]
	m := &larspb.ReportStatusRequest{Modid: first.Module.ModID, Cmdid: first.Module.CmdID, Caller: int32(first.Caller), Ts: first.TS}
	for _, s := range results {
		m.Results = append(m.Results, &larspb.HostCallResult{Ip: int32(s.Host.IP), Port: int32(s.Host.Port), Succ: s.Succ, Err: s.Err, Overload: s.Overload})
	}
	return frame(t, m)
}

// status is one result of the agent 192.168.1.1 for host number n of (1,1).
func status(n, ts uint32) store.Status {
	return store.Status{Module: route.Module{ModID: 1, CmdID: 1}, Host: route.Host{IP: 3232235777 + n, Port: 7777},
		Caller: 3232235777, Succ: ts % 1000, Err: n % 1000, TS: ts, Overload: ts%2 == 1}
}

func statuses(t *testing.T, st *store.Store) []store.Status {
	t.Helper()
	list, err := st.ListStatuses(t.Context(), store.Filter{})
	if err != nil {
		t.Fatal(err)
	}
	return list
}
