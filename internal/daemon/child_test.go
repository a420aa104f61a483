package daemon_test

import (
	"bufio"
	"errors"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// patience bounds every wait; it is never measured.
const patience = 30 * time.Second

// child is a daemon with the fake service in a process of its own.
type child struct {
	*testing.T
	cmd   *exec.Cmd
	log   io.ReadCloser
	lines chan string // of its log; closed at its end
}

func startChild(t *testing.T, mode, conf string) *child {
	t.Helper()
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	c := &child{T: t, cmd: exec.Command(os.Args[0], "-conf", conf), log: read, lines: make(chan string)}
	c.cmd.Env = append(os.Environ(), childMode+"="+mode)
	c.cmd.Stderr = write
	if err := c.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	write.Close()
	done := make(chan struct{})
	quit := make(chan struct{})
	go func() {
		defer close(done)
		defer close(c.lines)
		for s := bufio.NewScanner(read); s.Scan(); {
			select {
			case c.lines <- s.Text():
			case <-quit:
				return
			}
		}
	}()
	stuck := time.AfterFunc(2*patience, func() { c.cmd.Process.Kill() }) // so that waiting for its end ends
	t.Cleanup(func() {
		stuck.Stop()
		c.cmd.Process.Kill() // an error: it has ended already
		c.cmd.Wait()
		close(quit)
		read.Close()
		<-done
	})
	return c
}

// await reads the log up to a line that contains text, and returns the line.
func (c *child) await(text string) string {
	c.Helper()
	deadline := time.After(patience)
	var seen []string
	for {
		select {
		case line, ok := <-c.lines:
			if !ok {
				c.Fatalf("the log ended without %q:\n%s", text, strings.Join(seen, "\n"))
			}
			if strings.Contains(line, text) {
				return line
			}
			seen = append(seen, line)
		case <-deadline:
			c.Fatalf("no %q in the log:\n%s", text, strings.Join(seen, "\n"))
		}
	}
}

// rest reads the log to its end.
func (c *child) rest() string {
	var all strings.Builder
	for line := range c.lines {
		all.WriteString(line + "\n")
	}
	return all.String()
}

func (c *child) signal(s syscall.Signal) {
	c.Helper()
	if err := c.cmd.Process.Signal(s); err != nil {
		c.Fatal(err)
	}
}

// exit waits for the end of the process; code -1 is an end by a signal.
func (c *child) exit(want int) {
	c.Helper()
	err := c.cmd.Wait()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		c.Fatal(err)
	}
	if got := c.cmd.ProcessState.ExitCode(); got != want {
		c.Errorf("exit code %d (%v), want %d", got, c.cmd.ProcessState, want)
	}
}
