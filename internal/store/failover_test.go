package store_test

import (
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/eventually"
	"github.com/lars-lb/lars/internal/mariadbtest"
	"github.com/lars-lb/lars/internal/store"
)

// silent returns the address of a server that accepts and never answers.
func silent(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l.Addr().String()
}

// before returns cfg with other servers in front of its own.
func before(cfg store.Config, addrs ...string) store.Config {
	own, _ := cfg.Addrs()
	cfg.Host = strings.Join(append(addrs, own...), ",")
	return cfg
}

// refusing returns an address where nobody listens.
func refusing(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// Servers that do not answer leave time enough for the one that does.
func TestServersThatAreAwayArePassedOver(t *testing.T) {
	for name, away := range map[string]func(*testing.T) string{"silent": silent, "refusing": refusing} {
		t.Run(name, func(t *testing.T) {
			cfg := before(newMariaDB(t), away(t), away(t))
			st := open(t, cfg)
			if _, _, err := st.Migrate(within(t, 30*time.Second)); err != nil {
				t.Fatal(err)
			}
			st = open(t, cfg) // one that knows nothing of the servers yet
			if _, err := st.Revision(within(t, 2*time.Second)); err != nil {
				t.Errorf("the time of one look is not enough: %v", err)
			}
			for name, op := range operations {
				if err := op(t.Context(), st); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		})
	}
}

// With nobody there every operation fails in time, and names all servers.
func TestNoServerAnswers(t *testing.T) {
	cfg := store.Config{Driver: store.MySQL, Host: silent(t) + "," + refusing(t) + "," + silent(t), Port: 1, User: "u", Name: "n"}
	st := open(t, cfg)
	for name, op := range operations {
		err := op(within(t, 20*time.Millisecond), st)
		if err == nil || !strings.Contains(err.Error(), strings.ReplaceAll(cfg.Host, ",", ", ")) {
			t.Errorf("%s = %v", name, err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		if err := op(ctx, st); !errors.Is(err, context.Canceled) {
			t.Errorf("%s by a caller who left = %v", name, err)
		}
	}
}

// A server that can only be read is the last choice, and better than none.
func TestServerThatCanOnlyBeRead(t *testing.T) {
	replica := mariadbtest.Start(t)
	name := replica.NewDatabase(t).Name
	if _, _, err := open(t, replica.Config(name)).Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	replica.Exec(t, "CREATE USER lars@'127.0.0.1'", "GRANT SELECT, INSERT, UPDATE, DELETE ON "+name+".* TO lars@'127.0.0.1'", "SET GLOBAL read_only = 1")
	main := mariadbtest.Start(t)
	main.Exec(t, "CREATE DATABASE IF NOT EXISTS "+name, "CREATE USER lars@'127.0.0.1'", "GRANT ALL ON "+name+".* TO lars@'127.0.0.1'")
	cfg := before(main.Config(name), replica.Addr())
	cfg.User = "lars"
	st := open(t, cfg)
	if _, _, err := st.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	mustAdd(t, st, someEntries...)
	if port, err := st.Port(t.Context()); err != nil || port != main.Config(name).Port {
		t.Errorf("port %d, %v", port, err)
	}
	if err := main.Shutdown(); err != nil {
		t.Fatal(err)
	}
	eventually.True(t, 30*time.Second, "the replica is read", func() bool {
		_, err := st.Revision(within(t, 2*time.Second))
		return err == nil
	})
	if port, err := st.Port(t.Context()); err != nil || port != replica.Config(name).Port {
		t.Errorf("port %d, %v", port, err)
	}
	if _, err := st.AddHosts(within(t, 5*time.Second), someEntries); err == nil {
		t.Error("a replica was written to")
	}
	if err := main.Restart(); err != nil {
		t.Fatal(err)
	}
	eventually.True(t, 30*time.Second, "the main server is used again", func() bool {
		_, err := st.AddHosts(within(t, 2*time.Second), someEntries)
		return err == nil
	})
	if got := mustList(t, st); len(got) != 1 {
		t.Errorf("routes: %v", got)
	}
}

// A slow statement is let be, as its server answers others.
func TestSlowStatementIsLetBe(t *testing.T) {
	cfg := newMariaDB(t)
	raw := openRaw(t, cfg)
	cfg = before(cfg)
	cfg.Host += "," + refusing(t)
	st := open(t, cfg)
	if _, _, err := st.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	tx, err := raw.Begin()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := tx.Exec("UPDATE RouteVersion SET version = version + 1"); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() {
		_, err := st.AddHosts(t.Context(), someEntries)
		done <- err
	}()
	select {
	case err := <-done:
		t.Errorf("it did not wait for the lock: %v", err)
	case <-time.After(2500 * time.Millisecond): // silence would have been noticed
	}
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil {
		t.Errorf("after the lock was released: %v", err)
	}
}
