// Package program runs the suite's daemons as processes, for those parts of the
// suite that measure or show the whole of it.
package program

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Daemon is a running daemon. Its methods are for one goroutine.
type Daemon struct {
	cmd     *exec.Cmd
	serving map[string]string
	ended   chan struct{}
}

const (
	// startPatience bounds the wait for a daemon to serve, and stopPatience
	// that for it to end by itself.
	startPatience = 30 * time.Second
	stopPatience  = 5 * time.Second
	// keptLines is how much of its log a daemon that does not start is quoted
	// with.
	keptLines = 20
)

// Start runs the daemon at path with a configuration, whose log must be in JSON,
// and waits until it serves. The configuration goes to a file in dir, which must
// stay until the daemon has ended, and so does its working directory, a new one.
// When ctx ends first, the daemon is stopped.
func Start(ctx context.Context, path, dir, conf string) (*Daemon, error) {
	name := filepath.Base(path)
	file, err := os.CreateTemp(dir, name+"-*.conf")
	if err != nil {
		return nil, fmt.Errorf("configure %s: %w", name, err)
	}
	_, err = file.WriteString(conf)
	if err := errors.Join(err, file.Close()); err != nil {
		return nil, fmt.Errorf("configure %s: %w", name, err)
	}
	// Neither may be relative: the daemon is started in another directory.
	path, pathErr := filepath.Abs(path)
	conf, confErr := filepath.Abs(file.Name())
	work, err := os.MkdirTemp(dir, name+"-*")
	if err := errors.Join(pathErr, confErr, err); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	d := &Daemon{cmd: exec.Command(path, "-conf", conf), ended: make(chan struct{})}
	d.cmd.Dir = work
	log, err := d.cmd.StderrPipe()
	if err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	if err := d.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	r := &reader{serving: make(chan map[string]string, 1)}
	go func() {
		defer close(d.ended)
		r.read(log)
		_ = d.cmd.Wait()
	}()
	timer := time.NewTimer(startPatience)
	defer timer.Stop()
	select {
	case d.serving = <-r.serving:
		return d, nil
	case <-d.ended:
		return nil, fmt.Errorf("%s ended at once:\n%s", name, r.said())
	case <-timer.C:
		err = fmt.Errorf("%s does not serve:\n%s", name, r.said())
	case <-ctx.Done():
		err = ctx.Err()
	}
	d.Stop()
	return nil, err
}

// Serving is an attribute of the line that the daemon logged when it began to
// serve, such as addr.
func (d *Daemon) Serving(key string) string { return d.serving[key] }

// PID is the id of the process.
func (d *Daemon) PID() int { return d.cmd.Process.Pid }

// Ended is closed when the process has ended, for whatever reason.
func (d *Daemon) Ended() <-chan struct{} { return d.ended }

// Stop asks the daemon to end, kills it if it does not, and waits for it. It
// may be called again.
func (d *Daemon) Stop() {
	_ = d.cmd.Process.Signal(syscall.SIGTERM) // fails when it has ended
	timer := time.NewTimer(stopPatience)
	defer timer.Stop()
	select {
	case <-d.ended:
	case <-timer.C:
		_ = d.cmd.Process.Kill()
		<-d.ended
	}
}

// Kill ends the daemon without a chance to clean up, and waits for it.
func (d *Daemon) Kill() {
	_ = d.cmd.Process.Kill() // fails when it has ended
	<-d.ended
}

// reader reads a daemon's log to its end.
type reader struct {
	serving chan map[string]string // gets one line
	mu      sync.Mutex
	lines   []string // the last ones
}

func (r *reader) read(log io.Reader) {
	lines := bufio.NewScanner(log)
	lines.Buffer(nil, 1<<20)
	found := false
	for lines.Scan() {
		r.mu.Lock()
		if r.lines = append(r.lines, lines.Text()); len(r.lines) > keptLines {
			r.lines = r.lines[1:]
		}
		r.mu.Unlock()
		if found {
			continue
		}
		if line := attributes(lines.Bytes()); line["msg"] == "serving" {
			found = true
			r.serving <- line
		}
	}
	_, _ = io.Copy(io.Discard, log) // after a line that is too long
}

// attributes are those of a line of the log that are text.
func attributes(text []byte) map[string]string {
	var line map[string]any
	if json.Unmarshal(text, &line) != nil {
		return nil
	}
	texts := make(map[string]string, len(line))
	for key, value := range line {
		if s, ok := value.(string); ok {
			texts[key] = s
		}
	}
	return texts
}

func (r *reader) said() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return strings.Join(r.lines, "\n")
}
