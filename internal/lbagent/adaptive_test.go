package lbagent_test

import (
	"bytes"
	"log/slog"
	"net"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/lars-lb/lars/internal/balance"
	"github.com/lars-lb/lars/internal/eventually"
	"github.com/lars-lb/lars/internal/lbagent"
	"github.com/lars-lb/lars/internal/route"
)

// logBuffer takes what an agent logs.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

// lines are those with the text.
func (b *logBuffer) lines(text string) (found []string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for line := range strings.Lines(b.buf.String()) {
		if strings.Contains(line, text) {
			found = append(found, line)
		}
	}
	return found
}

// service is a host that can be called over TCP, and that comes and goes. Its
// port stays its own meanwhile.
type service struct {
	t    testing.TB
	host route.Host
	ln   net.Listener
}

func newService(t testing.TB) *service {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(fd) })
	_ = unix.SetsockoptInt(fd, unix.SOL_SOCKET, unix.SO_REUSEADDR, 1)
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	sa, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	s := &service{t: t, host: route.Host{IP: 127<<24 | 1, Port: uint16(sa.(*unix.SockaddrInet4).Port)}}
	s.up()
	t.Cleanup(func() {
		if s.ln != nil {
			s.down()
		}
	})
	return s
}

func (s *service) up() {
	s.t.Helper()
	ln, err := net.Listen("tcp", s.host.String())
	if err != nil {
		s.t.Fatal(err)
	}
	s.ln = ln
}

func (s *service) down() {
	_ = s.ln.Close()
	s.ln = nil
}

// calls asks for hosts and reports how calls to them went: well, unless the
// service is down. It returns the hosts that were called.
func (c *caller) calls(n int, services []*service) (called []route.Host) {
	c.t.Helper()
	for i := range n {
		h := c.getHost(uint32(i), module1).Host
		if h == nil {
			continue
		}
		host := route.Host{IP: uint32(h.Ip), Port: uint16(h.Port)}
		code := int32(0)
		if slices.ContainsFunc(services, func(s *service) bool { return s.host == host && s.ln == nil }) {
			code = 1
		}
		c.report(module1, host, code)
		called = append(called, host)
	}
	return called
}

// TestHostFailsAndComesBack takes a host away from an agent and gives it back.
// All travels over sockets: routes, calls, reports and TCP checks.
func TestHostFailsAndComesBack(t *testing.T) {
	services := []*service{newService(t), newService(t), newService(t)}
	dns := newFakeDNS(t)
	dns.set(module1, services[0].host, services[1].host, services[2].host)
	log := new(logBuffer)
	a := startLoggingAgent(t, dns.addr, log, func(c *lbagent.Config) { c.Settings.Balance.Policy = balance.Adaptive })
	c := callerOf(t, a, module1)
	c.waitFor(module1)
	bad := services[1]
	c.calls(300, services)

	bad.down()
	eventually.True(t, patience, "the host is ejected", func() bool {
		c.calls(10, services)
		return len(log.lines("host ejected")) > 0
	})
	if lines := log.lines("host ejected"); len(lines) != 1 || !strings.Contains(lines[0], "host="+bad.host.String()+" ") {
		t.Errorf("logged %q", lines)
	}
	before := a.Stats().Checks.Bad
	var called []route.Host
	eventually.True(t, patience, "it is checked twice, in vain", func() bool {
		called = append(called, c.calls(10, services)...)
		return a.Stats().Checks.Bad >= before+2
	})
	if len(called) < 100 || slices.Contains(called, bad.host) {
		t.Errorf("among %d calls is one to a host whose port is closed", len(called))
	}

	bad.up()
	eventually.True(t, patience, "the host is back", func() bool {
		c.calls(10, services)
		return len(log.lines("host is back")) > 0
	})
	if called := c.calls(1000, services); !slices.Contains(called, bad.host) {
		t.Error("a host that is back is not called")
	}
	if n := len(log.lines("host ejected")); n != 1 {
		t.Errorf("ejected %d times: %q", n, log.lines("host"))
	}
	s := a.Stats()
	if s.Checks.Good == 0 || s.Checks.Dropped+s.Checks.Unknown != 0 || s.Events.Logged != 2 || s.Events.LeftOut != 0 {
		t.Errorf("stats %+v, %+v", s.Checks, s.Events)
	}
	if out, back := s.Befell.Ejected, s.Befell.Returned; out["failing"]+out["unreachable"] != 1 || back["recovered"] != 1 {
		t.Errorf("befell: %+v", s.Befell)
	}
}

// An agent whose calls fail connects to nobody if it must not.
func TestNoChecksWhereTheyAreOff(t *testing.T) {
	services := []*service{newService(t), newService(t), newService(t)}
	dns := newFakeDNS(t)
	dns.set(module1, services[0].host, services[1].host, services[2].host)
	log := new(logBuffer)
	a := startLoggingAgent(t, dns.addr, log, func(c *lbagent.Config) {
		c.Settings.Balance.Policy = balance.Adaptive
		c.Settings.Checks = map[route.Module]bool{module1: false}
	})
	c := callerOf(t, a, module1)
	c.waitFor(module1)
	services[0].down()
	eventually.True(t, patience, "the host is ejected, then probed by a call", func() bool {
		out := len(log.lines("host ejected")) > 0
		return slices.Contains(c.calls(10, services), services[0].host) && out
	})
	if s := a.Stats().Checks; s != (lbagent.CheckStats{}) {
		t.Errorf("stats %+v", s)
	}
}

// startLoggingAgent is startAgent with a log to look at.
func startLoggingAgent(t testing.TB, dns string, log *logBuffer, change func(*lbagent.Config)) *lbagent.Agent {
	t.Helper()
	a, _ := startAgentWith(t, slog.New(slog.NewTextHandler(log, nil)), dns, nowhere, change)
	return a
}
