package mariadbtest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// Node is a server of a Cluster. Shutdown and Kill of Server end it, Freeze and
// Thaw are for it as for any.
type Node struct {
	*Server
	place int
	ports []uint16
}

func (n *Node) flags(library, peers string) []string {
	return []string{
		"--binlog-format=ROW", "--default-storage-engine=InnoDB", "--innodb-autoinc-lock-mode=2",
		// Now and then a server that applies a change of another does not break
		// off the transaction of its own that is in the way (MDEV-29684), and
		// the whole cluster waits until its wait for that lock runs out.
		"--innodb-lock-wait-timeout=2",
		"--wsrep-on=ON", "--wsrep-provider=" + library,
		"--wsrep-cluster-name=lars", "--wsrep-cluster-address=" + peers,
		fmt.Sprintf("--wsrep-node-name=n%d", n.place), "--wsrep-node-address=" + local(n.ports[1]),
		"--wsrep-sst-method=lars", "--wsrep-sst-receive-address=" + local(n.ports[3]),
		"--wsrep-provider-options=gmcast.listen_addr=tcp://" + local(n.ports[1]) +
			";ist.recv_addr=" + local(n.ports[2]) + ";gcache.size=32M;gcache.page_size=8M" +
			// A machine that is busy with other tests must not expel a node,
			// and one that is gone is not to be waited for.
			";evs.keepalive_period=PT0.2S;evs.inactive_check_period=PT0.1S;evs.suspect_timeout=PT1.5S" +
			";evs.inactive_timeout=PT3S;evs.install_timeout=PT3S;gmcast.peer_timeout=PT1S;pc.recovery=no",
	}
}

// Restart starts a node that was shut down or killed, or stops it first. It
// returns when the node answers, which may be before it is in step with the
// others.
func (n *Node) Restart() error {
	if err := n.Shutdown(); err != nil {
		return err
	}
	position, err := n.recoveredPosition()
	if err != nil {
		return err
	}
	// What the node itself has noted of that is zero while it joins, and was
	// not put right yet if it was killed soon after; and then nothing else counts.
	uuid, seqno, _ := strings.Cut(position, ":")
	note := fmt.Sprintf("# GALERA saved state\nversion: 2.1\nuuid:    %s\nseqno:   %s\nsafe_to_bootstrap: 0\n", uuid, seqno)
	if err := os.WriteFile(filepath.Join(n.dir, "data", "grastate.dat"), []byte(note), 0o600); err != nil {
		return fmt.Errorf("mariadbtest: %w", err)
	}
	return n.run("--wsrep-start-position=" + position)
}

var recoveredLine = regexp.MustCompile(`WSREP: Recovered position: (\S+:-?\d+)`)

// recoveredPosition asks the data of a node how far it got, as the start script
// of an installation does: a node that was killed could not write it down.
func (n *Node) recoveredPosition() (string, error) {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	args := n.Server.flags("--wsrep-recover", "--socket="+filepath.Join(n.dir, "socket"), "--pid-file="+filepath.Join(n.dir, "pid"), "--skip-networking")
	out, err := exec.CommandContext(ctx, n.binary, append(args, n.more...)...).CombinedOutput()
	found := recoveredLine.FindSubmatch(out)
	if found == nil {
		return "", fmt.Errorf("mariadbtest: find out how far node %d got: %w\n%s", n.place, err, out)
	}
	return string(found[1]), nil
}

// CutOff parts the node from the others, as a network does; clients reach it.
// It needs no privileges: the node's own library drops what goes either way.
func (n *Node) CutOff(tb testing.TB) {
	tb.Helper()
	n.Exec(tb, "SET GLOBAL wsrep_provider_options = 'gmcast.isolate=1'")
}

// Heal ends CutOff.
func (n *Node) Heal(tb testing.TB) {
	tb.Helper()
	n.Exec(tb, "SET GLOBAL wsrep_provider_options = 'gmcast.isolate=0'")
}

// committed returns the number of the last transaction that the node has, or
// an error when it is not in step with all others.
func (n *Node) committed() (int64, error) {
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	db := n.open()
	defer db.Close()
	rows, err := db.QueryContext(ctx, "SHOW GLOBAL STATUS WHERE Variable_name IN ('wsrep_last_committed', 'wsrep_local_state_comment', 'wsrep_cluster_size', 'wsrep_ready')")
	if err != nil {
		return 0, err
	}
	defer rows.Close()
	status := make(map[string]string)
	for rows.Next() {
		var name, value string
		if err := rows.Scan(&name, &value); err != nil {
			return 0, err
		}
		status[name] = value
	}
	if err := rows.Err(); err != nil {
		return 0, err
	}
	if status["wsrep_ready"] != "ON" || status["wsrep_local_state_comment"] != "Synced" || status["wsrep_cluster_size"] != fmt.Sprint(Nodes) {
		return 0, fmt.Errorf("%v", status)
	}
	var at int64
	_, err = fmt.Sscan(status["wsrep_last_committed"], &at)
	return at, err
}

// logTail is the end of the node's log.
func (n *Node) logTail() string {
	const most = 4000
	out, err := os.ReadFile(filepath.Join(n.dir, "log"))
	if errors.Is(err, os.ErrNotExist) {
		return "it never ran"
	}
	return string(bytes.ToValidUTF8(out[max(0, len(out)-most):], nil))
}
