package config_test

import (
	"net"
	"slices"
	"strings"
	"testing"

	"github.com/lars-lb/lars/internal/config"
)

func TestServers(t *testing.T) {
	for text, want := range map[string][]string{
		"db1":                           {"db1:3306"},
		" db1 ":                         {"db1:3306"},
		"10.0.0.1:3307":                 {"10.0.0.1:3307"},
		"c,a:1,b":                       {"c:3306", "a:1", "b:3306"}, // the order is kept
		"db1, db1:3307":                 {"db1:3306", "db1:3307"},
		"::1, [fe80::1]:3307":           {"[::1]:3306", "[fe80::1]:3307"},
		strings.Repeat("x", 253) + ":1": {strings.Repeat("x", 253) + ":1"},
	} {
		c, err := config.LoadDNS(write(t, "[mysql]\ndb_host = "+text+" ; behind\n"))
		if err != nil {
			t.Errorf("%q: %v", text, err)
			continue
		}
		if got, err := c.Store.Host.Addrs(c.Store.Port); err != nil || !slices.Equal(got, want) {
			t.Errorf("%q: %q, %v; want %q", text, got, err, want)
		}
	}
	sixteen := strings.TrimSuffix(strings.Repeat("h:1,", config.MaxServers), ",")
	for text, want := range map[string]string{
		"":             `entry 1 is ""`,
		"a,":           `entry 2 is ""`,
		",a":           `entry 1 is ""`,
		"a:0":          `entry 1 is "a:0"`,
		"a:":           `entry 1 is "a:"`,
		":3306":        `entry 1 is ":3306"`,
		"a;b":          `entry 1 is "a;b"`,
		"[::1]":        `entry 1 is "[::1]"`,
		"[a]:1":        `entry 1 is "[a]:1"`,
		"a, b/c":       `entry 2 is "b/c"`,
		"a,b,a:3306":   "a:3306 is there twice",
		sixteen + ",b": "more than 16 entries",
		sixteen:        "h:1 is there twice",
	} {
		if got, err := config.Servers(text).Addrs(3306); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %q, %v; want an error with %s", text, got, err, want)
		}
	}
}

// What is taken can be dialled, and means the same when it is written again.
func FuzzServers(f *testing.F) {
	for _, seed := range []string{"a", "a,b:1", "::1,[::1]:2", "a, a", ",", "a:b:c", "[x]:1", "[::1%lo]:1"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		addrs, err := config.Servers(text).Addrs(3306)
		if err != nil {
			return
		}
		for _, addr := range addrs {
			if host, port, err := net.SplitHostPort(addr); err != nil || host == "" || port == "0" || port == "" {
				t.Errorf("%q: %q: %v", text, addr, err)
			}
		}
		again, err := config.Servers(strings.Join(addrs, ", ")).Addrs(1)
		if err != nil || !slices.Equal(again, addrs) {
			t.Errorf("%q: %q, then %q, %v", text, addrs, again, err)
		}
	})
}
