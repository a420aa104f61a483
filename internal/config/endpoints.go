package config

import (
	"fmt"
	"slices"
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
		case slices.ContainsFunc(all[:i], func(other string) bool { return strings.EqualFold(other, entry) }):
			return fmt.Sprintf("%s is there twice", entry)
		}
	}
	return ""
}

// goodEndpoint wants a port, and no IPv6 zone, which is of one machine.
func goodEndpoint(s string) bool {
	_, port, ok := splitServer(s)
	return ok && port > 0 && !strings.Contains(s, "%")
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
