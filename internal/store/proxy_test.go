package store_test

import (
	"io"
	"net"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/mariadbtest"
	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/store"
)

// proxy is one address of several servers. Each connection goes to the one that
// is set when it is made.
type proxy struct {
	listener net.Listener
	server   atomic.Value // address
	running  sync.WaitGroup

	mu    sync.Mutex
	conns []net.Conn
}

func newProxy(t *testing.T, to string) *proxy {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{listener: l}
	p.server.Store(to)
	p.running.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			server, err := net.Dial("tcp", p.server.Load().(string))
			if err != nil {
				_ = client.Close()
				continue
			}
			p.mu.Lock()
			p.conns = append(p.conns, client, server)
			p.mu.Unlock()
			for _, way := range [][2]net.Conn{{client, server}, {server, client}} {
				p.running.Go(func() {
					_, _ = io.Copy(way[0], way[1])
					_ = way[0].Close()
				})
			}
		}
	})
	t.Cleanup(func() {
		_ = l.Close()
		p.end()
		p.running.Wait()
	})
	return p
}

// turn sends whoever connects from now on to another server.
func (p *proxy) turn(to string) {
	p.server.Store(to)
	p.end()
}

func (p *proxy) end() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		_ = c.Close()
	}
	p.conns = nil
}

// One address may stand for several servers, of which some lag. What was read
// there before a change is not taken for what is there after it.
func TestProxyTurnsToAServerThatLags(t *testing.T) {
	m := route.Module{ModID: 1, CmdID: 1}
	ahead, behind := newMariaDB(t), mariadbtest.Start(t)
	behind.Exec(t, "CREATE DATABASE "+ahead.Name)
	lagging := behind.Config(ahead.Name)
	for _, cfg := range []store.Config{ahead, lagging} {
		st := open(t, cfg)
		if _, _, err := st.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	mustAdd(t, open(t, ahead), store.Entry{Module: m, Host: route.Host{IP: 1, Port: 1}})

	p := newProxy(t, mariaDB.Addr())
	st := open(t, store.Config{Driver: store.MySQL, Host: "127.0.0.1", Port: uint16(p.listener.Addr().(*net.TCPAddr).Port), User: "root", Name: ahead.Name})
	rev, err := st.Revision(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	p.turn(behind.Addr())
	reads := map[string]func() error{
		"changes": func() error { _, err := st.Changed(within(t, 5*time.Second), store.Revision{}); return err },
		"routes":  func() error { return st.ReadRoutes(within(t, 5*time.Second), ignoreRow) },
		"modules": func() error { return st.ReadModules(within(t, 5*time.Second), []route.Module{m}, ignoreRow) },
	}
	for what, read := range reads {
		if err := read(); err == nil || !strings.Contains(err.Error(), "lags behind") {
			t.Errorf("%s are read from a server that lags: %v", what, err)
		}
	}
	// Asked first, it says what it has.
	if r, err := st.Revision(t.Context()); err != nil || r.Version >= rev.Version {
		t.Errorf("Revision() = %+v, %v; want one before %+v", r, err, rev)
	}
	for what, read := range reads {
		if err := read(); err != nil {
			t.Errorf("%s: %v", what, err)
		}
	}
}
