package config

import (
	"log/slog"
	"net"
	"net/netip"
	"strconv"
)

// Reactor is the section [reactor]: the TCP server of a daemon.
type Reactor struct {
	IP      netip.Addr // address to listen on; default 127.0.0.1
	Port    uint16     // default 7778 for lars-dns, 7779 for lars-reporter; 0 takes a free one
	MaxConn int        // connections served at once; default 1024, 1 to 1000000
	Threads int        // worker event loops; default 5, 1 to 256
}

// AddrPort returns the address and port to listen on.
func (r Reactor) AddrPort() netip.AddrPort { return netip.AddrPortFrom(r.IP, r.Port) }

func defaultReactor(port uint16) Reactor {
	return Reactor{IP: loopback(), Port: port, MaxConn: 1024, Threads: 5}
}

func (r *Reactor) keys() []key {
	return []key{
		bind("reactor", "ip", &r.IP, address()),
		bind("reactor", "port", &r.Port, port(0, 65535)),
		bind("reactor", "maxConn", &r.MaxConn, number(1, 1_000_000)),
		bind("reactor", "threadNum", &r.Threads, number(1, 256)),
	}
}

// Peer is a section that names a daemon to connect to, or several that do the
// same.
type Peer struct {
	Host      string    // address or host name; default 127.0.0.1
	Port      uint16    // 1 to 65535
	Endpoints Endpoints // the servers, in place of Host and Port if there are any; default none
}

// Addrs are the servers, each HOST:PORT.
func (p Peer) Addrs() []string {
	if all := p.Endpoints.All(); len(all) > 0 {
		return all
	}
	return []string{net.JoinHostPort(p.Host, strconv.Itoa(int(p.Port)))}
}

func (p *Peer) keys(section string) []key {
	return []key{
		bind(section, "ip", &p.Host, host()),
		bind(section, "port", &p.Port, port(1, 65535)),
		bind(section, "endpoints", &p.Endpoints, endpoints()),
	}
}

// Log is the section [log].
type Log struct {
	Level  slog.Level // least severe message that is logged; default info
	Format string     // "text" or "json"; default text
}

func defaultLog() Log { return Log{Level: slog.LevelInfo, Format: "text"} }

func (l *Log) keys() []key {
	return []key{
		bind("log", "level", &l.Level, level()),
		bind("log", "format", &l.Format, oneOf("text", "json")),
	}
}

// Admin is the section [admin]: the HTTP server for health and profiles.
type Admin struct {
	Addr netip.AddrPort // where it listens; the zero value, the default, keeps it off
}

func (a *Admin) keys() []key {
	return []key{bind("admin", "addr", &a.Addr, endpoint())}
}

func loopback() netip.Addr { return netip.AddrFrom4([4]byte{127, 0, 0, 1}) }
