package larstest

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/store"
)

// Options say what is special about a suite.
type Options struct {
	// Store is a MySQL database; the zero value is a new embedded store.
	Store store.Config
	// MaxConn of lars-dns and lars-reporter; default 1024.
	MaxConn int
	// ReportTimeout of the agent, as in its file; default 200ms.
	ReportTimeout string
	// Policy of the agent, as in its file; default classic.
	Policy string
}

// Suite is one of each daemon, none of them running at first.
type Suite struct {
	DNS, Reporter, Agent *Daemon

	t        testing.TB
	programs Programs
	dir      string
	opts     Options

	DNSAddr, ReporterAddr netip.AddrPort
	AgentAddr             netip.AddrPort // of the first UDP server
	AdminAddr             netip.AddrPort // of the agent's admin server
	DNSAdminAddr          netip.AddrPort // of lars-dns's
	AgentRoutes           string         // the agent's file of routes
}

// NewSuite prepares a suite that ends with the test.
func NewSuite(t testing.TB, programs Programs, opts Options) *Suite {
	t.Helper()
	if opts.MaxConn == 0 {
		opts.MaxConn = 1024
	}
	if opts.ReportTimeout == "" {
		opts.ReportTimeout = "200ms"
	}
	if opts.Policy == "" {
		opts.Policy = "classic"
	}
	s := &Suite{t: t, programs: programs, dir: t.TempDir(), opts: opts}
	if opts.Store.Driver == "" {
		s.opts.Store = store.Config{Driver: "sqlite", Path: filepath.Join(s.dir, "lars.db")}
	}
	s.DNSAddr, s.ReporterAddr, s.AgentAddr = FreeTCP(t), FreeTCP(t), FreeUDP(t)
	s.DNS = s.NewDNS(s.DNSAddr)
	s.DNSAdminAddr = s.DNS.Admin()
	s.Reporter = s.NewReporter(s.ReporterAddr)
	s.AgentRoutes = s.agentRoutes(s.AgentAddr)
	s.Agent = s.NewAgent(s.AgentAddr, s.DNSAddr)
	s.AdminAddr = s.Agent.Admin()
	return s
}

// NewDNS prepares another lars-dns on the suite's database.
func (s *Suite) NewDNS(addr netip.AddrPort) *Daemon {
	return s.daemon("lars-dns", fmt.Sprintf(
		"[reactor]\nip = 127.0.0.1\nport = %d\nmaxConn = %d\nthreadNum = 2\n%s[dns]\npoll_interval = 50ms\nreload_interval = 5s\n",
		addr.Port(), s.opts.MaxConn, s.storeSection()))
}

// NewReporter prepares another lars-reporter on the suite's database.
func (s *Suite) NewReporter(addr netip.AddrPort) *Daemon {
	return s.daemon("lars-reporter", fmt.Sprintf(
		"[reactor]\nip = 127.0.0.1\nport = %d\nmaxConn = %d\nthreadNum = 2\n%s[reporter]\ndb_thread_cnt = 3\n",
		addr.Port(), s.opts.MaxConn, s.storeSection()))
}

// NewAgent prepares another agent, which asks one of the lars-dns at dns.
func (s *Suite) NewAgent(addr netip.AddrPort, dns ...netip.AddrPort) *Daemon {
	server := fmt.Sprintf("ip = 127.0.0.1\nport = %d\n", dns[0].Port())
	if len(dns) > 1 {
		server = "endpoints = "
		for i, d := range dns {
			if i > 0 {
				server += ", "
			}
			server += d.String()
		}
	}
	return s.daemon("lars-lb-agent", fmt.Sprintf(
		"[agent]\nport = %d\nsnapshot = %s\n[dnsserver]\n%s\n[reporter]\nip = 127.0.0.1\nport = %d\n[loadbalance]\npolicy = %s\nreport_timeout = %s\n",
		addr.Port(), s.agentRoutes(addr), server, s.ReporterAddr.Port(), s.opts.Policy, s.opts.ReportTimeout))
}

// agentRoutes is the file of routes of the agent at addr.
func (s *Suite) agentRoutes(addr netip.AddrPort) string {
	return filepath.Join(s.dir, fmt.Sprintf("agent-%d.routes", addr.Port()))
}

func (s *Suite) daemon(name, conf string) *Daemon {
	s.t.Helper()
	file, err := os.CreateTemp(s.dir, name+"-*.conf")
	if err != nil {
		s.t.Fatal(err)
	}
	admin := FreeTCP(s.t)
	if _, err := fmt.Fprintf(file, "%s[admin]\naddr = %v\n[log]\nlevel = debug\nformat = json\n", conf, admin); err != nil {
		s.t.Fatal(err)
	}
	if err := file.Close(); err != nil {
		s.t.Fatal(err)
	}
	// One each, as on a machine of its own.
	dir, err := os.MkdirTemp(s.dir, name+"-*")
	if err != nil {
		s.t.Fatal(err)
	}
	d := &Daemon{t: s.t, name: name, path: s.programs.Path(name), conf: file.Name(), admin: admin, dir: dir}
	s.t.Cleanup(d.cleanup)
	return d
}

func (s *Suite) storeSection() string {
	c := s.opts.Store
	if c.Driver == "sqlite" {
		return fmt.Sprintf("[store]\ndriver = sqlite\npath = %s\n", c.Path)
	}
	return fmt.Sprintf("[mysql]\ndb_host = %s\ndb_port = %d\ndb_user = %s\ndb_passwd = %s\ndb_name = %s\n",
		c.Host, c.Port, c.User, c.Password, c.Name)
}

// Conf is the path of a daemon's configuration file.
func (d *Daemon) Conf() string { return d.conf }

// Admin is the address of a daemon's admin server.
func (d *Daemon) Admin() netip.AddrPort { return d.admin }

// ConfDir is the folder with the configuration files of the suite's daemons.
func (s *Suite) ConfDir() string { return s.dir }

// Dir is a daemon's working directory, in which it keeps its files.
func (d *Daemon) Dir() string { return d.dir }

// Start starts all daemons and waits until they serve.
func (s *Suite) Start() {
	s.t.Helper()
	for _, d := range []*Daemon{s.DNS, s.Reporter, s.Agent} {
		d.Start()
	}
	for _, d := range []*Daemon{s.DNS, s.Reporter, s.Agent} {
		d.WaitFor("serving")
	}
}

// Store opens the suite's database, with its tables in place.
func (s *Suite) Store() *store.Store {
	s.t.Helper()
	st, err := store.Open(s.opts.Store)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = st.Close() })
	if _, _, err := st.Migrate(s.t.Context()); err != nil {
		s.t.Fatal(err)
	}
	return st
}

// Run runs one of the short-lived programs, lars or example, with the suite's
// agent and database, and returns what it printed.
func (s *Suite) Run(name string, args ...string) (stdout, stderr string, exitCode int) {
	s.t.Helper()
	cmd := exec.CommandContext(s.t.Context(), s.programs.Path(name), args...)
	cmd.Env = append(append(os.Environ(), environment()...), "LARS_AGENT="+s.AgentAddr.String(), "LARS_CONF="+s.DNS.conf, "LARS_ADMIN="+s.AdminAddr.String())
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil && cmd.ProcessState == nil {
		s.t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// MustRun is Run for a program that must succeed.
func (s *Suite) MustRun(name string, args ...string) (stdout string) {
	s.t.Helper()
	stdout, stderr, code := s.Run(name, args...)
	if code != 0 {
		s.t.Fatalf("%s %s ended with code %d\n%s%s", name, strings.Join(args, " "), code, stdout, stderr)
	}
	return stdout
}

// FreeTCP finds an address that nobody listens on. The port is below those
// that the kernel gives to clients, so that a daemon that is down for a while
// finds it free again.
func FreeTCP(t testing.TB) netip.AddrPort {
	t.Helper()
	return freeAddr(t, func(a netip.AddrPort) error {
		ln, err := net.Listen("tcp", a.String())
		if err == nil {
			err = ln.Close()
		}
		return err
	})
}

// FreeUDP finds the first of three consecutive free ports.
func FreeUDP(t testing.TB) netip.AddrPort {
	t.Helper()
	return freeAddr(t, func(a netip.AddrPort) error {
		for i := range uint16(route.Shards) {
			c, err := net.ListenUDP("udp", net.UDPAddrFromAddrPort(netip.AddrPortFrom(a.Addr(), a.Port()+i)))
			if err != nil {
				return err
			}
			defer c.Close()
		}
		return nil
	})
}

func freeAddr(t testing.TB, try func(netip.AddrPort) error) netip.AddrPort {
	t.Helper()
	loopback := netip.MustParseAddr("127.0.0.1")
	var err error
	for range 200 {
		a := netip.AddrPortFrom(loopback, uint16(10_000+rand.IntN(20_000)))
		if err = try(a); err == nil {
			return a
		}
	}
	t.Fatalf("no free port: %v", err)
	return netip.AddrPort{}
}
