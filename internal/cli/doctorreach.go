package cli

import (
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
)

// reachRules are about who answers.
func reachRules() []rule {
	return []rule{
		{"daemon not reachable", unreachable},
		{"no admin address", withoutAdmin},
		{"port closed", portClosed},
		{"agent ports", agentPortsSilent},
		{"ports used twice", portsTwice},
		{"versions differ", versionsDiffer},
	}
}

func unreachable(s *suite, found func(severity, string, string, string, string)) {
	for _, d := range s.daemons {
		if d.admin == "" || d.err == nil {
			continue
		}
		evidence := fmt.Sprintf("admin address %s: %v", d.admin, d.err)
		switch {
		case d.listen != "" && d.listenErr == nil:
			found(failure, d.name(), "it does not answer at its admin address, but somebody listens on its port", evidence+"; TCP "+d.listen+" is open",
				"if it was started with another file, look at the right one; else it hangs, or another program has the port: ss -ltnp shows which; look at its log")
		case d.program == agentProgram && s.portsAnswer(d.conf):
			found(failure, d.name(), "another agent has its UDP ports", evidence+"; the UDP ports answer",
				"look for a second lars-lb-agent (ss -lunp shows which process has the ports): stop it, or name its configuration; an agent of Lars 1.0 has no admin address")
		default:
			found(failure, d.name(), "it does not answer", evidence,
				"start it, and look at its log if it ends; if it runs, its [admin] addr is another")
		}
	}
}

// portsAnswer reports whether the UDP ports that a file names answer.
func (s *suite) portsAnswer(conf string) bool {
	return slices.ContainsFunc(s.ports, func(p *agentPorts) bool { return conf != "" && p.conf == conf && len(p.failed) == 0 })
}

func withoutAdmin(s *suite, found func(severity, string, string, string, string)) {
	for _, d := range s.daemons {
		if d.admin == "" {
			found(note, d.name(), "it has no admin address, so it could not be asked how it does", "[admin] addr is empty or has the port 0",
				"set [admin] addr to a loopback address, such as 127.0.0.1:7780, and restart it")
		}
	}
}

func portClosed(s *suite, found func(severity, string, string, string, string)) {
	for _, d := range s.daemons {
		if d.listenErr != nil && (d.admin == "" || d.err == nil) {
			found(failure, d.name(), "nobody takes connections on its port: agents cannot reach it", fmt.Sprintf("TCP %s: %v", d.listen, d.listenErr),
				"start it, and look at its log if it ends; if it runs, it listens elsewhere ([reactor] ip, port)")
		}
	}
}

func agentPortsSilent(s *suite, found func(severity, string, string, string, string)) {
	for _, p := range s.ports {
		if len(p.failed) == 0 {
			continue
		}
		var ports []string
		for _, i := range p.failed {
			ports = append(ports, strconv.Itoa(i+1))
		}
		where := "agent at " + p.addr
		evidence := fmt.Sprintf("UDP port %s of 3 did not answer a request for a route: %v", strings.Join(ports, ", "), p.errs[0])
		if len(p.failed) < 3 {
			found(failure, where, "some of the agent's UDP ports do not answer: their third of the modules does not work", evidence,
				"see whether another program has the port (ss -lunp), and whether a firewall drops the datagrams; look for loops that are stuck")
			continue
		}
		found(failure, where, "no agent answers programs on this machine", evidence,
			"start lars-lb-agent; if it runs, its [agent] ip and port are others: name them with --agent")
	}
}

// portsTwice looks at what the files say: of two agents on the same ports the
// second does not start.
func portsTwice(s *suite, found func(severity, string, string, string, string)) {
	for i, p := range s.ports {
		for _, q := range s.ports[:i] {
			pHost, pPort, ok1 := splitPort(p.addr)
			qHost, qPort, ok2 := splitPort(q.addr)
			if ok1 && ok2 && pHost == qHost && max(pPort, qPort)-min(pPort, qPort) < 3 {
				found(failure, p.conf, "two agents are to have the same UDP ports: only one of them can start", fmt.Sprintf("%s says %s, %s says %s, and each takes 3", q.conf, q.addr, p.conf, p.addr),
					"give one of them another [agent] port, at least 3 away, or remove its file: one agent a machine is enough")
			}
		}
	}
}

func splitPort(addr string) (host string, port int, ok bool) {
	host, text, err := net.SplitHostPort(addr)
	port, portErr := strconv.Atoi(text)
	return host, port, err == nil && portErr == nil
}

func versionsDiffer(s *suite, found func(severity, string, string, string, string)) {
	var said []string
	versions := make(map[string]bool)
	for _, d := range s.of() {
		if words := strings.Fields(d.version); len(words) > 1 {
			versions[words[1]] = true
			said = append(said, d.name()+" is "+words[1])
		}
	}
	if len(versions) > 1 {
		found(warning, "suite", "the daemons are of different versions", strings.Join(said, "; "),
			"bring all to the newest: they work together, but each can do only what the older one knows")
	}
}
