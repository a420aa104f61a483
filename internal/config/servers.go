package config

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// MaxServers is the most servers that [mysql] db_host may name.
const MaxServers = 16

// Servers names the servers of a database in the order in which they are to be
// tried, each HOST or HOST:PORT, with commas between. It is a text so that
// configurations can be compared.
type Servers string

// Addrs returns HOST:PORT of each server, with port for those that have none
// of their own. The error says which of them is none, one too many, or there
// twice.
func (s Servers) Addrs(port uint16) ([]string, error) {
	if what := s.wrong(); what != "" {
		return nil, fmt.Errorf("%s: want %s", what, servers().want)
	}
	if what := s.twice(port); what != "" {
		return nil, fmt.Errorf("%s", what)
	}
	return s.addrs(port), nil
}

func (s Servers) entries() []string {
	all := strings.Split(string(s), ",")
	for i := range all {
		all[i] = strings.TrimSpace(all[i])
	}
	return all
}

func (s Servers) addrs(port uint16) []string {
	var all []string
	for _, entry := range s.entries() {
		name, own, _ := splitServer(entry)
		if own == 0 {
			own = port
		}
		all = append(all, net.JoinHostPort(name, strconv.Itoa(int(own))))
	}
	return all
}

// wrong says which entry is no server, or one too many; "" if all are good.
func (s Servers) wrong() string {
	for i, entry := range s.entries() {
		if i == MaxServers {
			return fmt.Sprintf("there are more than %d entries", MaxServers)
		}
		if _, _, ok := splitServer(entry); !ok {
			return fmt.Sprintf("entry %d is %s", i+1, quoteValue(entry))
		}
	}
	return ""
}

// twice says which server is there more than once; "" if none is. Those without
// a port have this one.
func (s Servers) twice(port uint16) string {
	all := s.addrs(port)
	for i, addr := range all {
		if slices.ContainsFunc(all[:i], func(other string) bool { return strings.EqualFold(other, addr) }) {
			return addr + " is there twice; want each server once"
		}
	}
	return ""
}

// splitServer splits HOST or HOST:PORT. The port is 0 if there is none. An IPv6
// address with a port stands in brackets.
func splitServer(entry string) (name string, own uint16, ok bool) {
	if _, err := netip.ParseAddr(entry); err == nil {
		return entry, 0, !strings.ContainsAny(entry, "[]") // the zone of an address is any text
	}
	if !strings.Contains(entry, ":") {
		return entry, 0, host().allow(entry)
	}
	name, number, err := net.SplitHostPort(entry)
	if err != nil {
		return "", 0, false
	}
	n, err := strconv.ParseUint(number, 10, 16)
	if _, bad := netip.ParseAddr(name); strings.HasPrefix(entry, "[") && bad != nil {
		return "", 0, false
	}
	return name, uint16(n), err == nil && n > 0 && host().allow(name)
}

// servers is a list of one database server or more.
func servers() kind[Servers] {
	return kind[Servers]{
		want: fmt.Sprintf("an address or host name, or up to %d of them with commas between, each with :PORT or without, such as 127.0.0.1 or db1, db2, db3:3307", MaxServers),
		parse: func(s string) (Servers, bool) {
			if Servers(s).wrong() != "" {
				return "", false
			}
			return Servers(strings.Join(Servers(s).entries(), ", ")), true
		},
		allow: func(s Servers) bool { return s.wrong() == "" },
		blame: func(s string) string {
			if !strings.Contains(s, ",") {
				return "" // the value is the entry
			}
			return Servers(s).wrong()
		},
	}
}
