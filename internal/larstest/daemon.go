package larstest

import (
	"bufio"
	"encoding/json"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/eventually"
)

// patience bounds waiting for what takes well under a second on an idle
// machine.
const patience = 30 * time.Second

// Daemon is one program of the suite. Start may be called again once it has
// ended. Its methods are for one goroutine, but for those that read the log.
type Daemon struct {
	t        testing.TB
	name     string
	path     string
	conf     string // path of the configuration file
	admin    netip.AddrPort
	dir      string // working directory
	cmd      *exec.Cmd
	ended    chan struct{}
	exitCode int
	frozen   bool

	mu   sync.Mutex
	log  []string // lines of this run
	seen map[string]int
}

// Start runs the program. It does not wait for it to serve.
func (d *Daemon) Start() {
	d.t.Helper()
	if d.cmd != nil {
		d.t.Fatalf("%s runs already", d.name)
	}
	d.mu.Lock()
	d.log, d.seen = nil, make(map[string]int)
	d.mu.Unlock()
	d.cmd = exec.Command(d.path, "-conf", d.conf)
	d.cmd.Dir = d.dir
	d.cmd.Env = append(os.Environ(), environment()...)
	stderr, err := d.cmd.StderrPipe()
	if err != nil {
		d.t.Fatal(err)
	}
	d.cmd.Stdout = os.Stdout
	if err := d.cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	d.ended = make(chan struct{})
	cmd, ended := d.cmd, d.ended
	go func() {
		defer close(ended)
		lines := bufio.NewScanner(stderr)
		lines.Buffer(nil, 1<<20)
		for lines.Scan() {
			d.addLine(lines.Text())
		}
		_ = cmd.Wait()
		d.exitCode = cmd.ProcessState.ExitCode()
	}()
}

func (d *Daemon) addLine(text string) {
	var line struct{ Msg string }
	_ = json.Unmarshal([]byte(text), &line) // what is not JSON has no message
	d.mu.Lock()
	defer d.mu.Unlock()
	d.log = append(d.log, text)
	d.seen[line.Msg]++
}

// Said reports whether a log line of this run has the message.
func (d *Daemon) Said(msg string) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.seen[msg] > 0
}

// Log is everything that this run has logged.
func (d *Daemon) Log() string {
	d.mu.Lock()
	defer d.mu.Unlock()
	return strings.Join(d.log, "\n")
}

// WaitFor waits for a log line with the message.
func (d *Daemon) WaitFor(msg string) {
	d.t.Helper()
	eventually.True(d.t, patience, d.name+" logs "+msg, func() bool {
		select {
		case <-d.ended:
			if !d.Said(msg) {
				d.t.Fatalf("%s ended with code %d before it logged %q:\n%s", d.name, d.exitCode, msg, d.Log())
			}
		default:
		}
		return d.Said(msg)
	})
}

// Serve starts the program and waits until it serves.
func (d *Daemon) Serve() {
	d.t.Helper()
	d.Start()
	d.WaitFor("serving")
}

// Kill ends the program without a chance to clean up.
func (d *Daemon) Kill() { d.end(syscall.SIGKILL) }

// Stop ends the program as an operator does, and returns its exit code and
// how long it took.
func (d *Daemon) Stop() (exitCode int, took time.Duration) { return d.end(syscall.SIGTERM) }

// StopBy is Stop with another signal.
func (d *Daemon) StopBy(sig syscall.Signal) (exitCode int, took time.Duration) { return d.end(sig) }

// RunToEnd runs a program that is expected to end by itself, and returns what
// it logged and its exit code.
func (d *Daemon) RunToEnd(t testing.TB) (log string, exitCode int) {
	t.Helper()
	d.Start()
	select {
	case <-d.ended:
	case <-time.After(patience):
		t.Fatalf("%s runs on:\n%s", d.name, d.Log())
	}
	d.cmd = nil
	return d.Log(), d.exitCode
}

func (d *Daemon) end(sig syscall.Signal) (exitCode int, took time.Duration) {
	if d.cmd == nil {
		return 0, 0
	}
	start := time.Now()
	d.Signal(sig)
	if d.frozen {
		d.Thaw() // or it would never see the signal
	}
	<-d.ended
	d.cmd = nil
	return d.exitCode, time.Since(start)
}

// Signal sends the program a signal.
func (d *Daemon) Signal(sig syscall.Signal) {
	if err := d.cmd.Process.Signal(sig); err != nil {
		d.t.Errorf("signal %v to %s: %v\n%s", sig, d.name, err, d.Log())
	}
}

// PID is the process id of the running program.
func (d *Daemon) PID() int { return d.cmd.Process.Pid }

// cleanup ends the program and looks for what must never be in its log.
func (d *Daemon) cleanup() {
	if d.cmd != nil {
		select {
		case <-d.ended:
			d.t.Errorf("%s ended by itself with code %d", d.name, d.exitCode)
			d.cmd = nil
		default:
			if code, _ := d.Stop(); code != 0 {
				d.t.Errorf("%s ended with code %d", d.name, code)
			}
		}
	}
	log := d.Log()
	if strings.Contains(log, "DATA RACE") || strings.Contains(log, "panic:") {
		d.t.Errorf("%s:\n%s", d.name, log)
	} else if d.t.Failed() {
		d.t.Logf("log of %s:\n%s", d.name, log)
	}
}
