package store_test

import (
	"bytes"
	"errors"
	"io"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/mariadbtest"
	"github.com/lars-lb/lars/internal/store"
)

// mute is a way to a server on which no answer to a COMMIT ever comes: the
// connection ends instead, with what was asked being done if it is passed on.
type mute struct {
	addr, server string
	passOn       bool
}

func newMute(t *testing.T, server string, passOn bool) *mute {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	m := &mute{addr: l.Addr().String(), server: server, passOn: passOn}
	var running sync.WaitGroup
	running.Go(func() {
		for {
			client, err := l.Accept()
			if err != nil {
				return
			}
			running.Go(func() { m.relay(client) })
		}
	})
	t.Cleanup(func() { l.Close(); running.Wait() })
	return m
}

func (m *mute) relay(client net.Conn) {
	defer client.Close()
	server, err := net.Dial("tcp", m.server)
	if err != nil {
		return
	}
	defer server.Close()
	var back sync.WaitGroup
	defer back.Wait()
	back.Go(func() {
		_, _ = io.Copy(client, server)
		client.Close()
	})
	buf := make([]byte, 64<<10)
	for {
		n, err := client.Read(buf)
		commit := bytes.HasSuffix(buf[:n], []byte("COMMIT"))
		if commit {
			client.Close()
		}
		if !commit || m.passOn {
			_, _ = server.Write(buf[:n])
		}
		if err != nil || commit {
			_ = server.(*net.TCPConn).CloseWrite()
			return
		}
	}
}

// A change whose COMMIT was not answered is looked for at another server; if it
// is not found there, nothing is claimed of it.
func TestCommitWithoutAnswer(t *testing.T) {
	for _, passOn := range []bool{true, false} {
		cfg := newMariaDB(t)
		direct := open(t, cfg)
		if _, _, err := direct.Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		own, _ := cfg.Addrs()
		st := open(t, before(cfg, newMute(t, own[0], passOn).addr))
		added, err := st.AddHosts(within(t, 30*time.Second), someEntries)
		list := mustList(t, direct)
		if passOn {
			if err != nil || added.Hosts != 1 || len(list) != 1 {
				t.Errorf("carried out: %+v, %v; the routes are %v", added, err, list)
			}
		} else if !errors.Is(err, store.ErrOutcomeUnknown) || len(list) != 0 {
			t.Errorf("not carried out: %v; the routes are %v", err, list)
		}
		// The server is passed over by now. On a machine that is busy the store
		// may have gone back to it, which seems to work, and tells the same.
		for range 5 {
			if _, err = st.AddHosts(within(t, 30*time.Second), someEntries); !errors.Is(err, store.ErrOutcomeUnknown) {
				break
			}
		}
		if err != nil {
			t.Errorf("made again: %v", err)
		}
		if list := mustList(t, direct); len(list) != 1 {
			t.Errorf("made again, the routes are %v", list)
		}
	}
}

// Rows of a server that lags are not taken for those of the version that
// another one has shown.
func TestReadersWantWhatWasShown(t *testing.T) {
	ahead, lagging := mariadbtest.Start(t), mariadbtest.Start(t)
	cfg := ahead.NewDatabase(t)
	lagging.Exec(t, "CREATE DATABASE "+cfg.Name)
	for version, srv := range map[string]*mariadbtest.Server{"500": ahead, "400": lagging} {
		if _, _, err := open(t, srv.Config(cfg.Name)).Migrate(t.Context()); err != nil {
			t.Fatal(err)
		}
		srv.Exec(t, "UPDATE "+cfg.Name+".RouteVersion SET version = "+version)
	}
	st := open(t, before(lagging.Config(cfg.Name), ahead.Addr()))
	if r := mustRevision(t, st); r.Version != 500 {
		t.Fatalf("the first server is not asked: %+v", r)
	}
	if err := ahead.Shutdown(); err != nil {
		t.Fatal(err)
	}
	for name, read := range map[string]func() error{
		"all":     func() error { return st.ReadRoutes(t.Context(), ignoreRow) },
		"some":    func() error { return st.ReadModules(t.Context(), nil, ignoreRow) },
		"changes": func() error { _, err := st.Changed(t.Context(), store.Revision{}); return err },
	} {
		if err := read(); err == nil {
			t.Errorf("%s: read from a server that lags", name)
		}
	}
	if r := mustRevision(t, st); r.Version != 400 {
		t.Fatalf("%+v", r)
	}
	if err := st.ReadRoutes(t.Context(), ignoreRow); err != nil {
		t.Errorf("what was shown last cannot be read: %v", err)
	}
}
