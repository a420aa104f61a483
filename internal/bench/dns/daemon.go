package dns

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/lars-lb/lars/internal/wire"
	"github.com/lars-lb/lars/proto/larspb"
)

// daemon is a lars-dns. Unlike program.Daemon it may be spoken to before it
// serves.
type daemon struct {
	cmd   *exec.Cmd
	port  int
	admin int
	ended chan struct{}
	began time.Time
}

// startDaemon starts lars-dns in dir, on a database whose routes it takes to be
// old: it would read those of the last minute once more. With a snapshot it keeps
// its routes there.
func startDaemon(ctx context.Context, bin, dir string, d *database, port int, snapshot string, poll time.Duration) (*daemon, error) {
	conf := fmt.Sprintf(`[reactor]
ip = 0.0.0.0
port = %d
maxConn = 20000
%s[dns]
snapshot = %s
poll_interval = %v
reload_interval = 1h
[admin]
addr = 127.0.0.1:%d
`, port, d.conf(), snapshot, poll, port+1)
	if err := d.age(ctx); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, "lars-dns.conf")
	if err := os.WriteFile(path, []byte(conf), 0o600); err != nil {
		return nil, err
	}
	log, err := os.Create(filepath.Join(dir, "lars-dns.log"))
	if err != nil {
		return nil, err
	}
	defer log.Close()
	cmd := exec.Command(filepath.Join(bin, "lars-dns"), "-conf", path)
	cmd.Stderr = log
	p := &daemon{cmd: cmd, port: port, admin: port + 1, ended: make(chan struct{}), began: time.Now()}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() {
		defer close(p.ended)
		_ = cmd.Wait()
	}()
	return p, nil
}

// stop ends the process without a chance to write anything, and waits for it.
func (p *daemon) stop() {
	_ = p.cmd.Process.Kill() // fails when it has ended
	<-p.ended
}

func (p *daemon) addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(p.port)) }

// firstAnswer asks for a module until there is an answer, and returns how long
// that took since the start of the process.
func (p *daemon) firstAnswer(ctx context.Context) (time.Duration, error) {
	m := module(0)
	body, err := (&larspb.GetRouteRequest{Modid: m.ModID, Cmdid: m.CmdID}).MarshalVT()
	if err != nil {
		return 0, err
	}
	frame := wire.AppendFrame(nil, int32(larspb.MessageId_ID_GetRouteRequest), body)
	for {
		conn, err := (&net.Dialer{}).DialContext(ctx, "tcp", p.addr())
		if err == nil {
			defer context.AfterFunc(ctx, func() { _ = conn.Close() })()
			_ = conn.SetDeadline(time.Now().Add(patience))
			if _, err = conn.Write(frame); err == nil {
				_, err = io.ReadFull(conn, make([]byte, wire.HeadSize))
			}
			_ = conn.Close()
			if err == nil {
				return time.Since(p.began), nil
			}
		}
		select {
		case <-p.ended:
			return 0, errors.New("lars-dns has ended; its log is " + p.cmd.Path)
		default:
		}
		if time.Since(p.began) > patience {
			return 0, fmt.Errorf("lars-dns does not answer: %w", err)
		}
		if err := pause(ctx, 5*time.Millisecond); err != nil {
			return 0, err
		}
	}
}

// stats are those that bench looks at.
type stats struct {
	FullReloads uint64 `json:"full_reloads"`
	Stale       bool   `json:"stale"`
	Hosts       int    `json:"hosts"`
	Snapshot    struct {
		Saves uint64 `json:"saves"`
	} `json:"snapshot"`
}

func (p *daemon) stats() (s stats, err error) {
	resp, err := http.Get(fmt.Sprintf("http://127.0.0.1:%d/stats", p.admin))
	if err != nil {
		return s, err
	}
	defer resp.Body.Close()
	return s, json.NewDecoder(resp.Body).Decode(&s)
}

// until waits for a state of lars-dns.
func (p *daemon) until(ctx context.Context, is func(stats) bool) error {
	for start := time.Now(); ; {
		s, err := p.stats()
		if err == nil && is(s) {
			return nil
		}
		if time.Since(start) > patience {
			return fmt.Errorf("lars-dns is not as it should be after %v: %+v, %v", patience, s, err)
		}
		if err := pause(ctx, 20*time.Millisecond); err != nil {
			return err
		}
	}
}

// memory is what /proc says of the memory that the process has, in MB: now, and
// at most since forgetPeak.
func (p *daemon) memory() (now, peak float64) {
	status, _ := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.cmd.Process.Pid))
	for line := range strings.Lines(string(status)) {
		fields := strings.Fields(line)
		if len(fields) < 2 {
			continue
		}
		kB, _ := strconv.ParseFloat(fields[1], 64)
		switch fields[0] {
		case "VmRSS:":
			now = kB / 1000
		case "VmHWM:":
			peak = kB / 1000
		}
	}
	return now, peak
}

func (p *daemon) forgetPeak() {
	_ = os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", p.cmd.Process.Pid), []byte("5"), 0)
}

// cpu is the processor time that the threads of a process have used, by the
// kernel's finest clock.
func cpu(pid int) (sum time.Duration) {
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	for _, path := range tasks {
		text, _ := os.ReadFile(path)
		if fields := strings.Fields(string(text)); len(fields) > 0 {
			ns, _ := strconv.ParseInt(fields[0], 10, 64)
			sum += time.Duration(ns)
		}
	}
	return sum
}

func pause(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// freePorts are two that lars-dns, started again, finds free again: below those
// that the kernel gives to clients.
func freePorts() (int, error) {
	for port := 21_000; port < 30_000; port += 2 {
		a, errA := net.Listen("tcp", net.JoinHostPort("", strconv.Itoa(port)))
		b, errB := net.Listen("tcp", net.JoinHostPort("127.0.0.1", strconv.Itoa(port+1)))
		if errA == nil {
			_ = a.Close()
		}
		if errB == nil {
			_ = b.Close()
		}
		if errA == nil && errB == nil {
			return port, nil
		}
	}
	return 0, errors.New("no two ports from 21000 to 29999 are free")
}
