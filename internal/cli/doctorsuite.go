package cli

import (
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/lars-lb/lars/internal/config"
	"github.com/lars-lb/lars/internal/inspect"
)

// The daemons, as they call themselves.
const (
	dnsProgram      = "lars-dns"
	reporterProgram = "lars-reporter"
	agentProgram    = "lars-lb-agent"
)

// suite is what is known of all daemons and of what they need: what rules go by.
type suite struct {
	daemons  []*daemon
	ports    []*agentPorts
	database *database // nil if nobody says where it is
	remarks  []finding // of what could not be looked at
	interval time.Duration
	version  string // of this program
}

// daemon is one daemon, and what it said.
type daemon struct {
	program string
	conf    string // its file; empty for one named by its address
	admin   string // IP:PORT; empty if it has none
	listen  string // of lars-dns and lars-reporter, if known

	err       error // it was asked at admin, and did not answer
	listenErr error // nobody listens there
	version   string
	health    *condition // whether it lives; nil if it does not say
	ready     *condition
	before    stats // counters, and those an interval later
	now       stats
	openFDs   float64 // 0 is unknown
	maxFDs    float64
	modules   []inspect.Module // of an agent
}

// condition is what a daemon answers to /healthz and /readyz.
type condition struct {
	OK      bool     `json:"ok"`
	Reasons []string `json:"reasons"`
}

// agentPorts are the UDP ports of an agent.
type agentPorts struct {
	addr   string // as lars.Config.Agent
	conf   string // of the agent; empty if it was named by its address
	errs   []error
	failed []int // which of the ports did not answer
}

// database is what the database says.
type database struct {
	name       string
	err        error
	have, want int64 // version of the schema
	skew       time.Duration
	remote     bool // it may have another clock than this machine
}

// asked is one line on what was asked.
type asked struct {
	What    string `json:"what"`
	OK      bool   `json:"ok"`
	Version string `json:"version,omitempty"`
}

// name is what a daemon is called in findings.
func (d *daemon) name() string {
	switch {
	case d.conf != "":
		return d.program + " (" + d.conf + ")"
	default:
		return d.program + " at " + d.admin
	}
}

func (s *suite) asked() []asked {
	all := []asked{}
	for _, d := range s.daemons {
		if d.admin != "" {
			all = append(all, asked{d.name(), d.err == nil, d.version})
		}
	}
	for _, p := range s.ports {
		all = append(all, asked{"UDP ports of the agent at " + p.addr, len(p.failed) == 0, ""})
	}
	if s.database != nil {
		all = append(all, asked{"database " + s.database.name, s.database.err == nil, ""})
	}
	return all
}

// findSuite finds out whom to ask.
func (a *app) findSuite(f *doctorFlags) (*suite, error) {
	s := &suite{interval: f.interval, version: a.version}
	named := map[string][]string{agentProgram: f.admin, dnsProgram: f.dns, reporterProgram: f.reports}
	for _, program := range []string{dnsProgram, reporterProgram, agentProgram} {
		for _, addr := range named[program] {
			if ap, err := netip.ParseAddrPort(addr); err != nil || ap.Port() == 0 {
				return nil, wrongUsage("%q is not the admin address of a %s: want IP:PORT, such as 127.0.0.1:7780", addr, program)
			}
			s.daemons = append(s.daemons, &daemon{program: program, admin: addr})
		}
	}
	files, err := filepath.Glob(filepath.Join(escapeGlob(f.confDir), "*.conf"))
	if err != nil {
		return nil, wrongUsage("--conf-dir %q: %v", f.confDir, err)
	}
	if len(files) == 0 {
		_, err := os.ReadDir(f.confDir)
		s.remark(f.confDir, "no configuration file is there, so daemons are looked for only where flags say", fmt.Sprint("*.conf: none; the folder: ", orFine(err)), "name the folder with --conf-dir, or the daemons with --dns, --reporter and --admin")
	}
	for _, file := range files {
		program := programOf(file)
		if program == "" || len(named[program]) > 0 {
			continue
		}
		d, ports, err := readConf(program, file)
		if err != nil {
			s.remarks = append(s.remarks, finding{"configuration", failure, file, "the configuration is bad: the daemon would not start with it", err.Error(), "mend what it names; " + program + " -check -conf " + file + " says whether it is good then"})
			continue
		}
		s.daemons = append(s.daemons, d)
		if ports != nil && !f.agentNamed {
			s.ports = append(s.ports, ports)
		}
	}
	if len(s.ports) == 0 {
		s.ports = append(s.ports, &agentPorts{addr: a.agent})
	}
	return s, nil
}

func orFine(err error) string {
	if err == nil {
		return "is there"
	}
	return err.Error()
}

// escapeGlob makes a folder's name mean itself.
func escapeGlob(name string) string {
	return strings.NewReplacer(`\`, `\\`, "*", `\*`, "?", `\?`, "[", `\[`).Replace(name)
}

func (s *suite) remark(where, what, evidence, do string) {
	s.remarks = append(s.remarks, finding{"not asked", note, where, what, evidence, do})
}

// programOf tells from a file's name which daemon's it is; empty if it does not
// say. Lars 1.0 has underscores.
func programOf(file string) string {
	name := strings.ReplaceAll(filepath.Base(file), "_", "-")
	for _, program := range []string{dnsProgram, reporterProgram, agentProgram} {
		if strings.HasPrefix(name, program) {
			return program
		}
	}
	return ""
}

// readConf reads where a daemon listens.
func readConf(program, file string) (*daemon, *agentPorts, error) {
	d := &daemon{program: program, conf: file}
	switch program {
	case dnsProgram:
		c, err := config.LoadDNS(file)
		if err != nil {
			return nil, nil, err
		}
		d.admin, d.listen = askAt(c.Admin.Addr), askAt(c.Reactor.AddrPort())
		return d, nil, nil
	case reporterProgram:
		c, err := config.LoadReporter(file)
		if err != nil {
			return nil, nil, err
		}
		d.admin, d.listen = askAt(c.Admin.Addr), askAt(c.Reactor.AddrPort())
		return d, nil, nil
	default:
		c, err := config.LoadAgent(file)
		if err != nil {
			return nil, nil, err
		}
		d.admin = askAt(c.Admin.Addr)
		if c.Port == 0 {
			return d, nil, nil // the ports are free ones that nobody knows
		}
		return d, &agentPorts{addr: net.JoinHostPort(c.IP.String(), strconv.Itoa(int(c.Port))), conf: file}, nil
	}
}

// askAt is where to ask somebody who listens at addr: on all addresses is on
// this machine's, too. It is empty for nowhere, and for a port that the kernel
// chose.
func askAt(addr netip.AddrPort) string {
	switch {
	case !addr.IsValid() || addr.Port() == 0:
		return ""
	case addr.Addr().IsUnspecified() && addr.Addr().Is4():
		return netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), addr.Port()).String()
	case addr.Addr().IsUnspecified():
		return netip.AddrPortFrom(netip.IPv6Loopback(), addr.Port()).String()
	}
	return addr.String()
}

// of lists the daemons of a program that answered.
func (s *suite) of(programs ...string) []*daemon {
	var all []*daemon
	for _, d := range s.daemons {
		if d.err == nil && d.admin != "" && (len(programs) == 0 || slices.Contains(programs, d.program)) {
			all = append(all, d)
		}
	}
	return all
}
