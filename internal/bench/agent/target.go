package agent

import (
	"bufio"
	"context"
	"fmt"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/lars-lb/lars/internal/program"
)

// target is a process that answers GetHost on three ports.
type target struct {
	name  string
	addrs [3]netip.AddrPort
	pid   int
	end   func()
}

// stop ends the process, and what else was started for it.
func (t *target) stop() { t.end() }

// cpu is the processor time that the process has used, in the kernel's ticks
// of 10 ms.
func (t *target) cpu() time.Duration {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", t.pid))
	if err != nil {
		return 0
	}
	// The command's name, in parentheses, may have spaces; utime and stime are
	// the 12th and 13th field after it.
	fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if len(fields) < 13 {
		return 0
	}
	user, _ := strconv.ParseInt(fields[11], 10, 64)
	system, _ := strconv.ParseInt(fields[12], 10, 64)
	return time.Duration(user+system) * 10 * time.Millisecond
}

// languageC is what the responder is written in where there is a C compiler.
const languageC = "C"

// startResponder builds and starts the canned responder, and names the
// language that it is written in.
func startResponder(ctx context.Context) (*target, string, error) {
	if cc, err := exec.LookPath("cc"); err == nil {
		dir, err := os.MkdirTemp("", "lars-bench")
		if err != nil {
			return nil, "", err
		}
		defer os.RemoveAll(dir)
		binary := filepath.Join(dir, "responder")
		source := filepath.Join("internal", "bench", "agent", "canned", "responder.c")
		build := exec.CommandContext(ctx, cc, "-O2", "-pthread", "-o", binary, source)
		if out, err := build.CombinedOutput(); err != nil {
			return nil, "", fmt.Errorf("build %s: %w\n%s", source, err, out)
		}
		t, err := startPrinter(ctx, exec.CommandContext(ctx, binary))
		return t, languageC, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, "", err
	}
	t, err := startPrinter(ctx, exec.CommandContext(ctx, self, "-canned"))
	return t, "Go (no C compiler)", err
}

// startPrinter starts a responder, which prints its three ports.
func startPrinter(_ context.Context, cmd *exec.Cmd) (*target, error) {
	cmd.Stderr = os.Stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		return nil, err
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	t := &target{name: "the canned responder", pid: cmd.Process.Pid, end: func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		_ = stdin.Close()
	}}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	ports := strings.Fields(line)
	if err != nil || len(ports) != len(t.addrs) {
		t.stop()
		return nil, fmt.Errorf("the canned responder said %q: %w", line, err)
	}
	for i, port := range ports {
		if t.addrs[i], err = netip.ParseAddrPort("127.0.0.1:" + port); err != nil {
			t.stop()
			return nil, err
		}
	}
	return t, nil
}

// startAgent starts lars-lb-agent, and lars-dns with one route, and waits
// until the agent has it.
func startAgent(ctx context.Context, bin string) (*target, error) {
	dir, err := os.MkdirTemp("", "lars-bench")
	if err != nil {
		return nil, err
	}
	clean := func() { _ = os.RemoveAll(dir) }
	dnsConf := filepath.Join(dir, "dns.conf")
	conf := fmt.Sprintf("[reactor]\nport = 0\n[store]\npath = %s\n[log]\nformat = json\n", filepath.Join(dir, "lars.db"))
	if err := os.WriteFile(dnsConf, []byte(conf), 0o600); err != nil {
		clean()
		return nil, err
	}
	for _, args := range [][]string{{"db", "init"}, {"route", "add", "1", "1", "192.168.1.177:7777"}} {
		lars := exec.CommandContext(ctx, filepath.Join(bin, "lars"), append([]string{"--conf", dnsConf}, args...)...)
		if out, err := lars.CombinedOutput(); err != nil {
			clean()
			return nil, fmt.Errorf("lars %s: %w\n%s", strings.Join(args, " "), err, out)
		}
	}
	dns, err := program.Start(ctx, filepath.Join(bin, "lars-dns"), dir, conf)
	if err != nil {
		clean()
		return nil, err
	}
	stopDNS := func() { dns.Stop(); clean() }
	dnsAddr, err := netip.ParseAddrPort(dns.Serving("addr"))
	if err != nil {
		stopDNS()
		return nil, err
	}
	agent, err := program.Start(ctx, filepath.Join(bin, "lars-lb-agent"), dir, fmt.Sprintf(
		"[agent]\nport = 0\nsnapshot =\n[dnsserver]\nport = %d\n[reporter]\nport = 1\n[log]\nformat = json\n", dnsAddr.Port()))
	if err != nil {
		stopDNS()
		return nil, err
	}
	t := &target{name: "lars-lb-agent", pid: agent.PID(), end: func() { agent.Stop(); stopDNS() }}
	for i := range t.addrs {
		if t.addrs[i], err = netip.ParseAddrPort(agent.Serving(fmt.Sprintf("addr%d", i))); err != nil {
			t.stop()
			return nil, err
		}
	}
	if err := knownTo(ctx, t.addrs[2]); err != nil { // (1+1) mod 3
		t.stop()
		return nil, err
	}
	return t, nil
}
