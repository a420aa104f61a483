package mariadbtest

import (
	_ "embed"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/store"
)

// Nodes is how many nodes a Cluster has.
const Nodes = 3

// syncTimeout bounds WaitSynced: a node that was away takes a few seconds.
const syncTimeout = 60 * time.Second

// ErrNoGalera is returned when the library that joins MariaDB servers to a
// cluster is not installed.
var ErrNoGalera = errors.New("the library that joins MariaDB servers to a cluster (libgalera_smm.so) is not installed; `make test` installs it, or on Debian: apt-get install galera-4")

//go:embed wsrep_sst_lars
var transferScript []byte

// Cluster is a Galera cluster of three MariaDB servers on this machine. A node
// that does not answer is expelled after a second or two.
type Cluster struct {
	nodes [Nodes]*Node
	dir   string
	names atomic.Int64 // numbers the databases
}

// StartCluster is NewCluster for one test, which fails when there is no cluster
// to be had.
func StartCluster(tb testing.TB) *Cluster {
	tb.Helper()
	c, err := NewCluster()
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if tb.Failed() {
			for _, n := range c.nodes {
				tb.Logf("end of the log of node %d:\n%s", n.place, n.logTail())
			}
		}
		if err := c.Stop(); err != nil {
			tb.Error(err)
		}
	})
	return c
}

// NewCluster starts a cluster, which takes some seconds. The caller must Stop
// it.
func NewCluster() (*Cluster, error) {
	binary, err := find("mariadbd", "mysqld")
	if err != nil {
		return nil, err
	}
	library, err := findGalera()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "lars-galera-") // short, for the sockets' paths
	if err != nil {
		return nil, fmt.Errorf("mariadbtest: %w", err)
	}
	c := &Cluster{dir: dir}
	if err := c.start(binary, library); err != nil {
		return nil, errors.Join(err, c.Stop())
	}
	return c, nil
}

func findGalera() (string, error) {
	for _, dir := range []string{"/usr/lib/galera", "/usr/lib64/galera-4", "/usr/lib/galera-4", "/usr/lib"} {
		if path := filepath.Join(dir, "libgalera_smm.so"); exists(path) {
			return path, nil
		}
	}
	return "", ErrNoGalera
}

func exists(path string) bool { _, err := os.Stat(path); return err == nil }

func (c *Cluster) start(binary, library string) error {
	if err := os.WriteFile(filepath.Join(c.dir, "wsrep_sst_lars"), transferScript, 0o700); err != nil {
		return fmt.Errorf("mariadbtest: %w", err)
	}
	ports, err := clusterPorts(Nodes * portsPerNode)
	if err != nil {
		return err
	}
	var peers []string
	for i := range Nodes {
		n := &Node{place: i, ports: ports[i*portsPerNode:]}
		n.Server = &Server{binary: binary, dir: filepath.Join(c.dir, fmt.Sprint("n", i)), port: n.ports[0]}
		n.environment = []string{"PATH=" + c.dir + ":" + os.Getenv("PATH")}
		peers = append(peers, local(n.ports[1]))
		c.nodes[i] = n
	}
	for _, n := range c.nodes {
		n.more = n.flags(library, "gcomm://"+strings.Join(peers, ","))
	}
	// The first node begins the cluster alone, and its data is what the others
	// begin with.
	first := c.nodes[0]
	if err := os.Mkdir(first.dir, 0o700); err != nil {
		return fmt.Errorf("mariadbtest: %w", err)
	}
	if err := first.bootstrap(); err != nil {
		return err
	}
	if err := first.run("--wsrep-new-cluster"); err != nil {
		return err
	}
	if err := first.Shutdown(); err != nil {
		return err
	}
	for _, n := range c.nodes[1:] {
		if out, err := exec.Command("cp", "-R", first.dir, n.dir).CombinedOutput(); err != nil {
			return fmt.Errorf("mariadbtest: copy the first node's data: %w\n%s", err, out)
		}
	}
	if err := first.run("--wsrep-new-cluster"); err != nil {
		return err
	}
	for _, n := range c.nodes[1:] {
		if err := n.run(); err != nil {
			return err
		}
	}
	return c.synced(time.Now().Add(syncTimeout))
}

// Node returns the node at a place, 0 to Nodes-1.
func (c *Cluster) Node(i int) *Node { return c.nodes[i] }

// Config is how a store reaches the database name through the nodes, in this
// order; all of them in theirs if none is given.
func (c *Cluster) Config(name string, order ...int) store.Config {
	if len(order) == 0 {
		for i := range c.nodes {
			order = append(order, i)
		}
	}
	if len(order) == 1 {
		return c.nodes[order[0]].Config(name)
	}
	var addrs []string
	for _, i := range order {
		addrs = append(addrs, c.nodes[i].Addr())
	}
	cfg := c.nodes[order[0]].Config(name)
	cfg.Host = strings.Join(addrs, ",")
	return cfg
}

// NewDatabase makes an empty database, which is on all nodes when it returns.
func (c *Cluster) NewDatabase(tb testing.TB) store.Config {
	tb.Helper()
	name := fmt.Sprintf("lars_%d", c.names.Add(1))
	c.nodes[0].Exec(tb, "CREATE DATABASE "+name)
	c.WaitSynced(tb)
	return c.Config(name)
}

// WaitSynced waits until every node is part of the one cluster, and has all
// that was committed when it was called.
func (c *Cluster) WaitSynced(tb testing.TB) {
	tb.Helper()
	if err := c.synced(time.Now().Add(syncTimeout)); err != nil {
		tb.Fatal(err)
	}
}

func (c *Cluster) synced(deadline time.Time) error {
	var committed int64
	for _, n := range c.nodes {
		if at, err := n.committed(); err == nil {
			committed = max(committed, at)
		}
	}
	poll := time.NewTicker(20 * time.Millisecond)
	defer poll.Stop()
	for ; ; <-poll.C {
		// All in one round: one that was away does not know it at first.
		n, err := c.outOfStep(committed)
		if n == nil {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("mariadbtest: node %d is not in step with the cluster after %v: %w\n%s", n.place, syncTimeout, err, n.logTail())
		}
	}
}

// outOfStep returns a node that has not all up to a transaction, or is not in
// step with all others; nil if there is none.
func (c *Cluster) outOfStep(committed int64) (*Node, error) {
	for _, n := range c.nodes {
		at, err := n.committed()
		if err == nil && at < committed {
			err = fmt.Errorf("it is at %d of %d", at, committed)
		}
		if err != nil {
			return n, err
		}
	}
	return nil, nil
}

// Stop ends the cluster and removes its data. It may be called twice.
func (c *Cluster) Stop() error {
	for _, n := range c.nodes {
		if n != nil {
			n.Kill() // at once, as nothing has to be kept
		}
	}
	return os.RemoveAll(c.dir)
}

const portsPerNode = 4 // SQL, the group, what a node missed, and a name for that transfer

// clusterPorts returns ports that nobody listens on, below those that the
// kernel gives to clients: a node that is down for a while finds them free
// again.
func clusterPorts(n int) ([]uint16, error) {
	var ports []uint16
	for try := 0; len(ports) < n; try++ {
		if try == 100*n {
			return nil, errors.New("mariadbtest: no free ports")
		}
		port := uint16(10_000 + rand.IntN(20_000))
		l, err := net.Listen("tcp", local(port))
		if err != nil {
			continue
		}
		defer l.Close() // all are held until the last is found
		ports = append(ports, port)
	}
	return ports, nil
}

func local(port uint16) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(int(port))) }
