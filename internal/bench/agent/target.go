package agent

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/lars-lb/lars/internal/lbagent"
	"github.com/lars-lb/lars/internal/program"
	"github.com/lars-lb/lars/internal/route"
)

// target is a process that answers GetHost on three ports.
type target struct {
	name  string
	addrs [route.Shards]netip.AddrPort
	pid   int
	end   func()
	admin string // address of the admin server; empty for one that has none
}

// stop ends the process, and what else was started for it.
func (t *target) stop() { t.end() }

// stats are those of an agent, at the moment.
func (t *target) stats(ctx context.Context) (s lbagent.Stats, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+t.admin+"/stats", nil)
	if err != nil {
		return s, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return s, err
	}
	err = json.NewDecoder(resp.Body).Decode(&s)
	return s, errors.Join(err, resp.Body.Close())
}

// dropped is how many datagrams the kernel has dropped before an agent, as that
// counts them; 0 for what is none.
func (t *target) dropped(ctx context.Context) (n uint64, err error) {
	if t.admin == "" {
		return 0, nil
	}
	s, err := t.stats(ctx)
	for _, u := range s.UDP {
		n += u.KernelDropped
	}
	return n, err
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
		t, err := startPrinter(exec.Command(binary))
		return t, languageC, err
	}
	self, err := os.Executable()
	if err != nil {
		return nil, "", err
	}
	t, err := startPrinter(exec.Command(self, "-canned"))
	return t, "Go (no C compiler)", err
}

// startPrinter starts a responder, which prints its three ports.
func startPrinter(cmd *exec.Cmd) (*target, error) {
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

// The policies; the first is what the shipped configuration names.
const (
	adaptive = "adaptive"
	classic  = "classic"
)

// startAgent starts lars-lb-agent, set as the shipped configuration sets it but
// for ports and perhaps the policy, and waits until it knows the modules.
func startAgent(ctx context.Context, bin string, dns netip.AddrPort, policy string, modules []route.Module) (*target, error) {
	dir, err := os.MkdirTemp("", "lars-bench")
	if err != nil {
		return nil, err
	}
	admin, err := freeAddr()
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	agent, err := program.Start(ctx, filepath.Join(bin, "lars-lb-agent"), dir, fmt.Sprintf(
		"[agent]\nport = 0\n[dnsserver]\nport = %d\n[reporter]\nport = 1\n[loadbalance]\npolicy = %s\n[log]\nformat = json\n[admin]\naddr = %s\n",
		dns.Port(), policy, admin))
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	t := &target{name: "lars-lb-agent", pid: agent.PID(), admin: admin, end: func() {
		agent.Stop()
		_ = os.RemoveAll(dir)
	}}
	for i := range t.addrs {
		if t.addrs[i], err = netip.ParseAddrPort(agent.Serving(fmt.Sprintf("addr%d", i))); err != nil {
			t.stop()
			return nil, err
		}
	}
	if err := makeKnown(ctx, t.addrs[0], modules); err != nil {
		t.stop()
		return nil, err
	}
	return t, nil
}

// freeAddr is a TCP address of this machine that nobody listens on now.
func freeAddr() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	return l.Addr().String(), l.Close()
}

// startSuite is startAgent with a lars-dns of its own, which has one module.
func startSuite(ctx context.Context, bin, policy string) (*target, error) {
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
	stop := func() { dns.Stop(); clean() }
	addr, err := netip.ParseAddrPort(dns.Serving("addr"))
	if err != nil {
		stop()
		return nil, err
	}
	t, err := startAgent(ctx, bin, addr, policy, []route.Module{{ModID: 1, CmdID: 1}})
	if err != nil {
		stop()
		return nil, err
	}
	end := t.end
	t.end = func() { end(); stop() }
	return t, nil
}

// startFed is startAgent with an origin of its own.
func startFed(ctx context.Context, bin, policy string, modules []route.Module) (*target, *origin, error) {
	o, err := startOrigin()
	if err != nil {
		return nil, nil, err
	}
	t, err := startAgent(ctx, bin, o.server.Addr(), policy, modules)
	if err != nil {
		o.stop()
		return nil, nil, err
	}
	end := t.end
	t.end = func() { end(); o.stop() }
	return t, o, nil
}
