package mariadbtest_test

import (
	"context"

	"os"
	"path/filepath"
	"testing"

	"go.uber.org/goleak"

	"github.com/lars-lb/lars/internal/mariadbtest"
	"github.com/lars-lb/lars/internal/store"
)

// Whatever is done to a node, the others go on, and it has what it missed when
// it is back.
func TestCluster(t *testing.T) {
	defer goleak.VerifyNone(t)
	t.Setenv("TMPDIR", t.TempDir())
	c, err := mariadbtest.NewCluster()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Stop()
	cfg := c.NewDatabase(t)
	migrate(t, cfg)
	// A node that is killed while it defines a table needs a whole copy.
	c.WaitSynced(t)

	last := c.Node(2)
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	for i, fault := range []struct {
		name     string
		hurt, by func()
	}{
		{"killed", last.Kill, func() { do(last.Restart()) }},
		{"shut down", func() { do(last.Shutdown()) }, func() { do(last.Restart()) }},
		{"frozen", func() { do(last.Freeze()) }, func() { do(last.Thaw()) }},
		{"cut off", func() { last.CutOff(t) }, func() { last.Heal(t) }},
	} {
		fault.hurt()
		setName(t, c.Config(cfg.Name, 0, 1), int32(i), fault.name)
		fault.by()
		c.WaitSynced(t)
		for n := range mariadbtest.Nodes {
			st := open(t, c.Config(cfg.Name, n))
			if names, err := st.Names(t.Context()); err != nil || names.Mods[int32(i)] != fault.name {
				t.Errorf("%s: node %d says %v, %v", fault.name, n, names, err)
			}
			st.Close()
		}
	}
	if err := c.Stop(); err != nil {
		t.Error(err)
	}
	if err := c.Stop(); err != nil {
		t.Errorf("the second Stop: %v", err)
	}
	if left, _ := filepath.Glob(filepath.Join(os.TempDir(), "*")); len(left) != 0 {
		t.Errorf("left behind: %q", left)
	}
}

func open(t *testing.T, cfg store.Config) *store.Store {
	t.Helper()
	st, err := store.Open(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return st
}

func migrate(t *testing.T, cfg store.Config) {
	t.Helper()
	st := open(t, cfg)
	defer st.Close()
	if _, _, err := st.Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
}

func setName(t *testing.T, cfg store.Config, mod int32, name string) {
	t.Helper()
	st := open(t, cfg)
	defer st.Close()
	if err := st.SetModName(context.Background(), mod, name); err != nil {
		t.Errorf("%s: %v", name, err)
	}
}
