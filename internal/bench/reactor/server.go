package reactor

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// server is one of the servers, running.
type server struct {
	kind  string
	addr  netip.AddrPort
	pid   int
	cmd   *exec.Cmd
	stdin io.Closer
}

// startServer starts this binary as a server of a kind, on its core. Both kinds
// are given one P by GOMAXPROCS: it is what Go itself chooses on one core, and a
// second one would only be time lost in switching between threads.
func startServer(ctx context.Context, kind string, place cores) (*server, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	s := &server{kind: kind, cmd: exec.CommandContext(ctx, self, "-echo", kind)}
	s.cmd.Env = append(os.Environ(), "GOMAXPROCS=1")
	s.cmd.Stderr = os.Stderr
	if s.stdin, err = s.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	stdout, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := place.onServers(s.cmd.Start); err != nil {
		return nil, err
	}
	s.pid = s.cmd.Process.Pid
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err == nil {
		s.addr, err = netip.ParseAddrPort("127.0.0.1:" + strings.TrimSpace(line))
	}
	if err != nil {
		s.stop()
		return nil, fmt.Errorf("the echo server %s said %q: %w", kind, line, err)
	}
	return s, nil
}

// stop ends the process.
func (s *server) stop() {
	_ = s.stdin.Close()
	_ = s.cmd.Process.Kill()
	_ = s.cmd.Wait()
}

// cpu is the processor time that the process has used. /proc would tell it in
// ticks of 10 ms, so it is asked of the process's own clock, whose number is
// made as clock_getcpuclockid(3) does.
func (s *server) cpu() (time.Duration, error) {
	const cpuclockSched = 2
	var t unix.Timespec
	if err := unix.ClockGettime(int32(^s.pid<<3|cpuclockSched), &t); err != nil {
		return 0, fmt.Errorf("CPU time of the echo server %s: %w", s.kind, err)
	}
	return time.Duration(t.Nano()), nil
}
