package store_test

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/mariadbtest"
	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/store"
)

// operations are all that need the database.
var operations = map[string]func(context.Context, *store.Store) error{
	"ping":           func(ctx context.Context, s *store.Store) error { return s.Ping(ctx) },
	"migrate":        func(ctx context.Context, s *store.Store) error { _, _, err := s.Migrate(ctx); return err },
	"schema version": func(ctx context.Context, s *store.Store) error { _, _, err := s.SchemaVersion(ctx); return err },
	"revision":       func(ctx context.Context, s *store.Store) error { _, err := s.Revision(ctx); return err },
	"changed": func(ctx context.Context, s *store.Store) error {
		_, err := s.Changed(ctx, store.Revision{})
		return err
	},
	"prune":       func(ctx context.Context, s *store.Store) error { _, err := s.PruneChanges(ctx, 0); return err },
	"read routes": func(ctx context.Context, s *store.Store) error { return s.ReadRoutes(ctx, ignoreRow) },
	"read modules": func(ctx context.Context, s *store.Store) error {
		return s.ReadModules(ctx, []route.Module{{}}, ignoreRow)
	},
	"list routes": func(ctx context.Context, s *store.Store) error {
		_, err := s.ListRoutes(ctx, store.Filter{})
		return err
	},
	"add hosts":    func(ctx context.Context, s *store.Store) error { _, err := s.AddHosts(ctx, someEntries); return err },
	"remove hosts": func(ctx context.Context, s *store.Store) error { _, err := s.RemoveHosts(ctx, someEntries); return err },
	"remove module": func(ctx context.Context, s *store.Store) error {
		_, err := s.RemoveModule(ctx, route.Module{})
		return err
	},
	"set weight": func(ctx context.Context, s *store.Store) error {
		_, err := s.SetWeight(ctx, route.Module{}, nil, 0)
		return err
	},
	"replace routes": func(ctx context.Context, s *store.Store) error { _, err := s.ReplaceRoutes(ctx, nil); return err },
	"names":          func(ctx context.Context, s *store.Store) error { _, err := s.Names(ctx); return err },
	"set name":       func(ctx context.Context, s *store.Store) error { return s.SetModName(ctx, 1, "one") },
	"delete name":    func(ctx context.Context, s *store.Store) error { _, err := s.DeleteCmdName(ctx, 1); return err },
	"save statuses":  func(ctx context.Context, s *store.Store) error { return s.SaveStatuses(ctx, someStatuses) },
	"list statuses": func(ctx context.Context, s *store.Store) error {
		_, err := s.ListStatuses(ctx, store.Filter{})
		return err
	},
}

var (
	someEntries  = []store.Entry{{Module: route.Module{ModID: 1, CmdID: 1}, Host: route.Host{IP: 1, Port: 1}}}
	someStatuses = []store.Status{{Host: route.Host{IP: 1, Port: 1}}}
)

func ignoreRow(store.RouteRow) error { return nil }

// Open succeeds while the database is down, every operation fails and says
// where, and all is well when the database is back.
func TestDatabaseDown(t *testing.T) {
	srv := mariadbtest.Start(t)
	cfg := srv.NewDatabase(t)
	if err := srv.Shutdown(); err != nil {
		t.Fatal(err)
	}
	st := open(t, cfg)
	for name, op := range operations {
		if err := op(within(t, 30*time.Second), st); err == nil || !strings.Contains(err.Error(), srv.Addr()) {
			t.Errorf("%s without a database = %v", name, err)
		}
	}
	if err := srv.Restart(); err != nil {
		t.Fatal(err)
	}
	if _, _, err := st.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	for name, op := range operations {
		if err := op(t.Context(), st); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}

	// With connections open, stopped and killed.
	for name, end := range map[string]func() error{"stopped": srv.Shutdown, "killed": func() error { srv.Kill(); return nil }} {
		if err := end(); err != nil {
			t.Fatal(err)
		}
		if err := st.Ping(within(t, 30*time.Second)); err == nil {
			t.Errorf("%s, the database answers", name)
		}
		if err := srv.Restart(); err != nil {
			t.Fatal(err)
		}
		for op, do := range operations {
			if err := do(t.Context(), st); err != nil {
				t.Errorf("%s after the database was %s and came back: %v", op, name, err)
			}
		}
	}
}

// A change that was confirmed is there after the server was killed, and one
// that failed can be repeated.
func TestKilledUnderWrites(t *testing.T) {
	srv := mariadbtest.Start(t)
	st := open(t, srv.NewDatabase(t))
	if _, _, err := st.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	confirmed := make(chan store.Entry, 100_000)
	stop := make(chan struct{})
	finished := make(chan struct{})
	go func() {
		defer close(finished)
		for i := uint32(1); ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			e := store.Entry{Module: route.Module{ModID: int32(i)}, Host: route.Host{IP: i, Port: 1}}
			if _, err := st.AddHosts(t.Context(), []store.Entry{e}); err == nil {
				confirmed <- e
			}
		}
	}()
	var want []store.Entry
	take := func(n int) {
		for range n {
			want = append(want, <-confirmed)
		}
	}
	for range 2 {
		take(20)
		srv.Kill()
		if err := srv.Restart(); err != nil {
			t.Fatal(err)
		}
	}
	take(20)
	close(stop)
	<-finished
	have := make(map[store.Entry]bool)
	for _, e := range mustList(t, st) {
		have[e] = true
	}
	for _, e := range want {
		if !have[e] {
			t.Errorf("%v was confirmed and is lost", e)
		}
	}
}

// A server that accepts and never answers ends each call with its context.
func TestSilentServer(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	st := open(t, store.Config{Driver: store.MySQL, Host: "127.0.0.1", Port: uint16(l.Addr().(*net.TCPAddr).Port), User: "u", Name: "n"})
	for name, op := range operations {
		if err := op(within(t, 20*time.Millisecond), st); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s = %v", name, err)
		}
	}
}

func TestLockedFileIsAnErrorInTime(t *testing.T) {
	cfg := newSQLite(t)
	st := open(t, cfg)
	if _, _, err := st.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	raw := openRaw(t, cfg)
	raw.SetMaxOpenConns(1)
	mustExec(t, raw, "BEGIN IMMEDIATE")
	if _, err := st.AddHosts(within(t, 50*time.Millisecond), someEntries); err == nil {
		t.Error("a write went through another one's lock")
	}
	if got := mustList(t, st); len(got) != 0 { // readers do not wait
		t.Errorf("ListRoutes() = %v", got)
	}
	done := make(chan error, 1)
	go func() {
		_, err := st.AddHosts(t.Context(), someEntries)
		done <- err
	}()
	mustExec(t, raw, "COMMIT")
	if err := <-done; err != nil {
		t.Errorf("after the lock was released: %v", err)
	}
}

func TestUnusablePath(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, []byte("no database at all, and longer than the head of one, which has 100 bytes: "+strings.Repeat("x", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	st := open(t, store.Config{Driver: store.SQLite, Path: filepath.Join(file, "lars.db")})
	if _, _, err := st.Migrate(t.Context()); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("Migrate() below a file = %v", err)
	}
	st = open(t, store.Config{Driver: store.SQLite, Path: file})
	if _, _, err := st.Migrate(t.Context()); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("Migrate() of a file that is no database = %v", err)
	}
}

func TestCloseTwice(t *testing.T) {
	onEngines(t, func(t *testing.T, cfg store.Config) {
		st := open(t, cfg)
		for range 2 {
			if err := st.Close(); err != nil {
				t.Error(err)
			}
		}
		for name, op := range operations {
			if err := op(t.Context(), st); err == nil && name != "migrate" {
				t.Errorf("%s on a closed store succeeded", name)
			}
		}
	})
}
