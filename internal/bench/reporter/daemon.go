package reporter

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"github.com/lars-lb/lars/internal/program"
)

// workers is db_thread_cnt: what is shipped, and what Lars 1.0 has.
const workers = 3

// daemon is a running lars-reporter.
type daemon struct {
	*program.Daemon
	addr, admin string
	dir         string
	history     bool
}

// startDaemon starts one that writes to e.
func startDaemon(ctx context.Context, bin string, e *engine, history time.Duration) (*daemon, error) {
	dir, err := os.MkdirTemp("", "lars-bench")
	if err != nil {
		return nil, err
	}
	d := &daemon{dir: dir, history: history > 0}
	if d.admin, err = freeAddr(); err == nil {
		d.Daemon, err = program.Start(ctx, filepath.Join(bin, "lars-reporter"), dir, fmt.Sprintf(
			"[reactor]\nport = 0\nmaxConn = 4096\n%s[reporter]\ndb_thread_cnt = %d\nhistory_retention = %v\n[log]\nformat = json\n[admin]\naddr = %s\n",
			e.conf, workers, history, d.admin))
	}
	if err != nil {
		_ = os.RemoveAll(dir)
		return nil, err
	}
	d.addr = d.Serving("addr")
	return d, nil
}

func (d *daemon) stop() {
	d.Stop()
	_ = os.RemoveAll(d.dir)
}

// freeAddr is an address that nobody listens on at the moment.
func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// stats are some of lars-reporter's own numbers.
type stats struct {
	Results  uint64 `json:"results"`
	Replaced uint64 `json:"replaced"`
	Dropped  uint64 `json:"dropped_full"`
	Refused  uint64 `json:"refused_full"`
	Stale    uint64 `json:"dropped_stale"`
	Pending  uint64 `json:"pending"`
	Queued   uint64 `json:"queued"`
	DBErrors uint64 `json:"db_errors"`
	Saves    uint64 `json:"saves"`
}

// saved is how many results need not be waited for any more.
func (s stats) saved() uint64 { return s.Results - s.Pending - s.Queued }

func (d *daemon) stats(ctx context.Context) (s stats, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+d.admin+"/stats", nil)
	if err != nil {
		return s, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return s, err
	}
	defer resp.Body.Close()
	return s, json.NewDecoder(resp.Body).Decode(&s)
}
