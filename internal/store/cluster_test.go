package store_test

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/eventually"
	"github.com/lars-lb/lars/internal/mariadbtest"
	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/store"
)

// galera is made when the first test needs it, and serves all.
var galera struct {
	once sync.Once
	*mariadbtest.Cluster
	err error
}

func startedCluster(t *testing.T) *mariadbtest.Cluster {
	t.Helper()
	galera.once.Do(func() { galera.Cluster, galera.err = mariadbtest.NewCluster() })
	if galera.err != nil {
		t.Fatal(galera.err)
	}
	return galera.Cluster
}

// perNode returns a store for each node, which turns to the others when that
// fails.
func perNode(t *testing.T, c *mariadbtest.Cluster, name string) []*store.Store {
	t.Helper()
	var all []*store.Store
	for i := range mariadbtest.Nodes {
		all = append(all, open(t, c.Config(name, i, (i+1)%mariadbtest.Nodes, (i+2)%mariadbtest.Nodes)))
	}
	return all
}

// onCluster returns a database with tables, and a store for each node.
func onCluster(t *testing.T) (*mariadbtest.Cluster, store.Config, []*store.Store) {
	t.Helper()
	c := startedCluster(t)
	cfg := c.NewDatabase(t)
	if _, _, err := open(t, cfg).Migrate(t.Context()); err != nil {
		t.Fatal(err)
	}
	c.WaitSynced(t)
	return c, cfg, perNode(t, c, cfg.Name)
}

// Daemons on several nodes migrate at once.
func TestClusterIsMigratedFromAllNodes(t *testing.T) {
	c := startedCluster(t)
	cfg := c.NewDatabase(t)
	stores := perNode(t, c, cfg.Name)
	errs := make([]error, 2*len(stores))
	var all sync.WaitGroup
	for i := range errs {
		all.Go(func() { _, _, errs[i] = stores[i%len(stores)].Migrate(t.Context()) })
	}
	all.Wait()
	if err := errors.Join(errs...); err != nil {
		t.Fatal(err)
	}
	c.WaitSynced(t)
	for i, st := range stores {
		if have, want, err := st.SchemaVersion(t.Context()); err != nil || have != want {
			t.Errorf("node %d is at %d of %d, %v", i, have, want, err)
		}
		if _, err := st.AddHosts(t.Context(), []store.Entry{entry(1, int32(i), "10.0.0.1:1")}); err != nil {
			t.Errorf("node %d: %v", i, err)
		}
	}
	raw := openRaw(t, c.Config(cfg.Name, 0))
	if got := mustQuery(t, raw, "SELECT version_id, COUNT(*) FROM lars_schema GROUP BY version_id HAVING COUNT(*) <> 1"); len(got) != 0 {
		t.Errorf("noted more than once: %q", got)
	}
	if got := mustQuery(t, raw, "SELECT COUNT(*) FROM RouteVersion"); got[0] != "1" {
		t.Errorf("%s versions", got[0])
	}
	// Galera needs a primary key and InnoDB in every table.
	if got := mustQuery(t, raw, `SELECT t.table_name FROM information_schema.tables t
		LEFT JOIN information_schema.table_constraints k ON k.table_schema = t.table_schema
			AND k.table_name = t.table_name AND k.constraint_type = 'PRIMARY KEY'
		WHERE t.table_schema = DATABASE() AND (k.table_name IS NULL OR t.engine <> 'InnoDB')`); len(got) != 0 {
		t.Errorf("not fit for a cluster: %q", got)
	}
}

// A follower reads what lars-dns does: what changed since the Revision before.
type follower struct {
	t      *testing.T
	st     *store.Store
	seen   store.Revision
	routes map[route.Module][]string
}

func (f *follower) follow() {
	f.t.Helper()
	rev, err := f.st.Revision(f.t.Context())
	if err != nil {
		f.t.Error(err)
		return
	}
	if rev.Version < f.seen.Version {
		return
	}
	if rev == f.seen {
		return
	}
	mods := mustChanged(f.t, f.st, f.seen)
	read := make(map[route.Module][]string)
	err = f.st.ReadModules(f.t.Context(), mods, func(r store.RouteRow) error {
		n, _ := r.Node()
		read[r.Module] = append(read[r.Module], fmt.Sprint(n))
		return nil
	})
	if err != nil {
		f.t.Error(err)
		return
	}
	for _, m := range mods {
		delete(f.routes, m)
	}
	maps.Copy(f.routes, read)
	f.seen = rev
}

// Nodes give out ids of their own, so they are not committed in order; nothing
// is missed for all that.
func TestClusterWritersMissNoChange(t *testing.T) {
	const changes = 60
	c, cfg, stores := onCluster(t)
	var followers []*follower
	for i := range stores {
		followers = append(followers, &follower{t: t, st: open(t, c.Config(cfg.Name, i)), routes: make(map[route.Module][]string)})
	}
	followers = append(followers, &follower{t: t, st: open(t, cfg), routes: make(map[route.Module][]string)})

	stop := make(chan struct{})
	var writers, readers sync.WaitGroup
	for _, f := range followers {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					f.follow()
				}
			}
		})
	}
	for node, st := range stores {
		writers.Go(func() {
			for n := range int32(changes) {
				// Some modules are changed by all nodes, some by one.
				own, shared := entry(int32(10+node), n%7, fmt.Sprintf("10.0.%d.%d:1", node, n+1)), entry(1, n%3, fmt.Sprintf("10.1.%d.%d:1", node, n+1))
				if _, err := st.AddHosts(t.Context(), []store.Entry{own, shared}); err != nil {
					t.Errorf("node %d: %v", node, err)
				}
				if n%4 == 3 {
					if _, err := st.RemoveHosts(t.Context(), []store.Entry{own, shared}); err != nil {
						t.Errorf("node %d: %v", node, err)
					}
				}
			}
		})
	}
	writers.Wait()
	close(stop)
	readers.Wait()
	c.WaitSynced(t)

	want := make(map[route.Module][]string)
	err := stores[0].ReadRoutes(t.Context(), func(r store.RouteRow) error {
		n, _ := r.Node()
		want[r.Module] = append(want[r.Module], fmt.Sprint(n))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	for i, f := range followers {
		f.follow()
		if !maps.EqualFunc(f.routes, want, slices.Equal) {
			t.Errorf("follower %d has %v,\nwant %v", i, f.routes, want)
		}
	}
	raw := openRaw(t, c.Config(cfg.Name, 0))
	if got := mustQuery(t, raw, "SELECT version, COUNT(*) FROM RouteChange GROUP BY version HAVING COUNT(*) > 2"); len(got) != 0 {
		t.Errorf("versions of more than one transaction: %q", got)
	}
}

// A change whose id is below that of one committed before it, as on another
// node, is seen by its version.
func TestClusterIDsOutOfOrder(t *testing.T) {
	c, cfg, stores := onCluster(t)
	f := &follower{t: t, st: open(t, cfg), routes: make(map[route.Module][]string)}
	f.follow()
	late, err := openRaw(t, c.Config(cfg.Name, 1)).Begin()
	if err != nil {
		t.Fatal(err)
	}
	defer late.Rollback()
	exec := func(q string) {
		t.Helper()
		if _, err := late.Exec(q); err != nil {
			t.Fatalf("%s: %v", q, err)
		}
	}
	exec("INSERT INTO RouteChange (modid, cmdid, version) VALUES (5, 5, 0)")
	mustAdd(t, stores[0], entry(1, 1, "10.0.0.1:1"), entry(1, 2, "10.0.0.1:1"), entry(1, 3, "10.0.0.1:1"), entry(1, 4, "10.0.0.1:1"))
	c.WaitSynced(t)
	f.follow()
	exec("UPDATE RouteVersion SET version = version + 1 WHERE id = 1")
	exec("INSERT INTO RouteData (modid, cmdid, serverip, serverport) VALUES (5, 5, 1, 1)")
	exec("UPDATE RouteChange SET version = (SELECT version FROM RouteVersion) WHERE version = 0")
	if err := late.Commit(); err != nil {
		t.Fatal(err)
	}
	c.WaitSynced(t)
	raw := openRaw(t, c.Config(cfg.Name, 0))
	if got := mustQuery(t, raw, "SELECT COUNT(*) FROM RouteChange a, RouteChange b WHERE a.id < b.id AND a.version > b.version"); got[0] == "0" {
		t.Fatalf("the ids were committed in order: %q", mustQuery(t, raw, "SELECT id, version FROM RouteChange"))
	}
	f.follow()
	if len(f.routes) != 5 {
		t.Errorf("missed a change: %v", f.routes)
	}
}

// Writers on several nodes who change one module at once all succeed, and one
// after the other.
func TestClusterConflicts(t *testing.T) {
	const rounds = 25
	c, cfg, stores := onCluster(t)
	host := entry(1, 1, "10.0.0.1:1")
	mustAdd(t, stores[0], host)
	c.WaitSynced(t)
	var writers sync.WaitGroup
	for node, st := range stores {
		writers.Go(func() {
			for n := range uint16(rounds) {
				if _, err := st.SetWeight(t.Context(), host.Module, []route.Host{host.Host}, 1000*uint16(node+1)+n); err != nil {
					t.Errorf("node %d: %v", node, err)
				}
				if err := st.SaveStatuses(t.Context(), []store.Status{{Module: host.Module, Host: host.Host, Succ: uint32(n), TS: uint32(n)}}); err != nil {
					t.Errorf("node %d: %v", node, err)
				}
			}
		})
	}
	writers.Wait()
	c.WaitSynced(t)
	raw := openRaw(t, c.Config(cfg.Name, 0))
	if got := mustQuery(t, raw, "SELECT COUNT(*), COUNT(DISTINCT version) FROM RouteChange WHERE modid = 1"); got[0] != fmt.Sprintf("%d %[1]d", 3*rounds+1) {
		t.Errorf("changes and their versions: %s, want %d of both", got[0], 3*rounds+1)
	}
	first := mustList(t, stores[0])
	if len(first) != 1 || first[0].Weight.Or(0)%1000 != rounds-1 {
		t.Errorf("the weight is %v, which was nobody's last", first)
	}
	for node, st := range stores {
		if got := mustList(t, st); !slices.Equal(got, first) {
			t.Errorf("node %d has %v, node 0 has %v", node, got, first)
		}
		statuses, err := st.ListStatuses(t.Context(), store.Filter{})
		if err != nil || len(statuses) != 1 || statuses[0].TS != rounds-1 || statuses[0].Succ != rounds-1 {
			t.Errorf("node %d: %+v, %v", node, statuses, err)
		}
	}
}

// With any node frozen, killed or cut off a store goes on within seconds, and
// it returns to the first in order when that is back.
func TestClusterFailsOver(t *testing.T) {
	c, cfg, _ := onCluster(t)
	first := c.Node(0)
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	var st *store.Store
	n := byte(0)
	write := func() {
		t.Helper()
		n++
		e := entry(1, 1, fmt.Sprintf("10.0.0.%d:1", n))
		_, err := st.AddHosts(within(t, 30*time.Second), []store.Entry{e})
		if errors.Is(err, store.ErrOutcomeUnknown) {
			_, err = st.AddHosts(within(t, 30*time.Second), []store.Entry{e})
		}
		do(err)
	}
	used := func() uint16 {
		t.Helper()
		port, err := st.Port(within(t, 30*time.Second))
		do(err)
		return port
	}
	firstPort := c.Config(cfg.Name, 0).Port
	for _, fault := range []struct {
		name       string
		hurt, heal func()
	}{
		{"cut off", func() { first.CutOff(t) }, func() { first.Heal(t) }},
		{"frozen", func() { do(first.Freeze()) }, func() { do(first.Thaw()) }},
		{"killed", first.Kill, func() { do(first.Restart()) }},
	} {
		st = open(t, cfg)
		write()
		if used() != firstPort {
			t.Errorf("the first in order is not used before it is %s", fault.name)
		}
		fault.hurt()
		// The connection in use would wait for ioTimeout, which is longer.
		if _, err := st.Revision(within(t, 8*time.Second)); err != nil {
			t.Errorf("%s: %v", fault.name, err)
		}
		write()
		if used() == firstPort {
			t.Errorf("%s, it is used", fault.name)
		}
		fault.heal()
		c.WaitSynced(t)
		write()
	}
	eventually.True(t, time.Minute, "the first in order is used again", func() bool { return used() == firstPort })
	var want []store.Entry
	for i := range n {
		want = append(want, entry(1, 1, fmt.Sprintf("10.0.0.%d:1", i+1)))
	}
	c.WaitSynced(t)
	if got := mustList(t, st); !slices.Equal(got, want) {
		t.Errorf("routes are %v, want %v", got, want)
	}
}
