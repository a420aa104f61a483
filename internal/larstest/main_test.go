package larstest_test

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lars-lb/lars/api/lars"
	"github.com/lars-lb/lars/internal/eventually"
	"github.com/lars-lb/lars/internal/larstest"
	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/store"
)

// programs is set once, before any test runs.
var programs larstest.Programs

func TestMain(m *testing.M) {
	built, remove, err := larstest.BuildTemporary()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	programs = built
	code := m.Run()
	remove()
	os.Exit(code)
}

// patience bounds waiting for what takes well under a second on an idle machine.
const patience = 30 * time.Second

// newClient returns a client that knows nothing but what the agent answers.
func newClient(t *testing.T, agent netip.AddrPort) *lars.Client {
	t.Helper()
	c, err := lars.NewClient(lars.Config{Agent: agent.String(), StaleFor: -1})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

func host(t testing.TB, s string) route.Host {
	t.Helper()
	h, err := route.ParseHost(s)
	if err != nil {
		t.Fatal(err)
	}
	return h
}

func entry(t testing.TB, id route.Module, addr string) store.Entry {
	t.Helper()
	return store.Entry{Module: id, Host: host(t, addr)}
}

func addHosts(t testing.TB, st *store.Store, entries ...store.Entry) {
	t.Helper()
	if _, err := st.AddHosts(context.Background(), entries); err != nil {
		t.Fatal(err)
	}
}

// waitHost asks until the module is answered with a host.
func waitHost(t *testing.T, c *lars.Client, id route.Module, want string) {
	t.Helper()
	var last string
	eventually.True(t, patience, fmt.Sprintf("GetHost%v answers %s (last: %s)", id, want, last), func() bool {
		h, err := c.GetHost(t.Context(), id.ModID, id.CmdID)
		if last = h.String(); err != nil {
			last = err.Error()
		}
		return last == want
	})
}

// waitRoute asks until the module has exactly these hosts.
func waitRoute(t *testing.T, c *lars.Client, id route.Module, want ...string) {
	t.Helper()
	slices.Sort(want)
	eventually.True(t, patience, fmt.Sprintf("route of %v becomes %v", id, want), func() bool {
		hosts, err := c.GetRoute(t.Context(), id.ModID, id.CmdID)
		if err != nil && !errors.Is(err, lars.ErrNotExist) {
			return false
		}
		got := []string{}
		for _, h := range hosts {
			got = append(got, h.String())
		}
		slices.Sort(got)
		return slices.Equal(got, want)
	})
}

// mustServe fails the test unless the module is answered with a host at once.
func mustServe(t *testing.T, c *lars.Client, id route.Module) {
	t.Helper()
	if _, err := c.GetHost(t.Context(), id.ModID, id.CmdID); err != nil {
		t.Errorf("GetHost%v: %v", id, err)
	}
}

// waitStatus waits until lars-reporter has stored counts of the module.
func waitStatus(t *testing.T, st *store.Store, id route.Module) {
	t.Helper()
	eventually.True(t, patience, "counts of "+id.String()+" are stored", func() bool {
		rows, err := st.ListStatuses(t.Context(), store.Filter{})
		return err == nil && slices.ContainsFunc(rows, func(r store.Status) bool { return r.Module == id && r.Succ+r.Err > 0 })
	})
}

// replaceInFile changes a text that the file must have.
func replaceInFile(t *testing.T, path, before, after string) {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(string(content), before) {
		t.Fatalf("%s has no %q", path, before)
	}
	if err := os.WriteFile(path, []byte(strings.Replace(string(content), before, after, 1)), 0o600); err != nil {
		t.Fatal(err)
	}
}
