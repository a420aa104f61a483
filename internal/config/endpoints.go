package config

import (
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// MaxEndpoints is the most servers that a list may have.
const MaxEndpoints = 64

// Endpoints is a list of servers, each HOST:PORT, with ", " between. It is a
// text so that configurations can be compared.
type Endpoints string

// All returns each server as HOST:PORT.
func (e Endpoints) All() []string {
	if e == "" {
		return nil
	}
	all := strings.Split(string(e), ",")
	for i := range all {
		all[i] = strings.TrimSpace(all[i])
	}
	return all
}

// wrong says which entry is none, one too many, or there twice; "" if all are
// good.
func (e Endpoints) wrong() string {
	all := e.All()
	for i, entry := range all {
		switch {
		case i == MaxEndpoints:
			return fmt.Sprintf("there are more than %d entries", MaxEndpoints)
		case !goodEndpoint(entry):
			return fmt.Sprintf("entry %d is %s", i+1, quoteValue(entry))
		case slices.Contains(all[:i], entry):
			return fmt.Sprintf("%s is there twice", entry)
		}
	}
	return ""
}

func goodEndpoint(s string) bool {
	name, number, err := net.SplitHostPort(s)
	if err != nil || strings.Contains(name, ":") && !isIPv6(name) {
		return false
	}
	n, err := strconv.ParseUint(number, 10, 16)
	return err == nil && n > 0 && (isIPv6(name) || host().allow(name))
}

func isIPv6(s string) bool {
	a, err := netip.ParseAddr(s)
	return err == nil && a.Is6() && a.Zone() == "" // a zone is of one machine
}

// endpoints is a list of servers, or nothing.
func endpoints() kind[Endpoints] {
	return kind[Endpoints]{
		want: fmt.Sprintf("up to %d different servers as HOST:PORT with commas between, such as 10.0.0.1:7778, dns2:7778, or nothing", MaxEndpoints),
		parse: func(s string) (Endpoints, bool) {
			if Endpoints(s).wrong() != "" {
				return "", false
			}
			return Endpoints(strings.Join(Endpoints(s).All(), ", ")), true
		},
		allow: func(e Endpoints) bool { return e.wrong() == "" },
		blame: func(s string) string { return Endpoints(s).wrong() },
	}
}
