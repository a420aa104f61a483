package config_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/lars-lb/lars/internal/config"
)

func TestEndpoints(t *testing.T) {
	for content, want := range map[string][]string{
		"":                                       {"127.0.0.1:7778"},
		"[dnsserver]\nip = 10.0.0.9\nport = 5\n": {"10.0.0.9:5"},
		"[dnsserver]\nip = ::1\n":                {"[::1]:7778"},
		"[dnsserver]\nip = 10.0.0.9\nendpoints =\n":                              {"10.0.0.9:7778"},
		"[dnsserver]\nip = 10.0.0.9\nendpoints = a:1,b:2\n":                      {"a:1", "b:2"},
		"[dnsserver]\nendpoints = [::1]:7778 , dns.example.org:65535, 1.2.3.4:1": {"[::1]:7778", "dns.example.org:65535", "1.2.3.4:1"},
	} {
		got, err := config.LoadAgent(write(t, content))
		if err != nil || !slices.Equal(got.DNSServer.Addrs(), want) {
			t.Errorf("%q: %q, %v; want %q", content, got.DNSServer.Addrs(), err, want)
		}
	}
}

func TestWrongEndpoints(t *testing.T) {
	const want = "want up to 64 different servers as HOST:PORT with commas between, such as 10.0.0.1:7778, dns2:7778, or nothing"
	many := "a:1"
	for i := range 64 {
		many += fmt.Sprintf(",a%d:1", i)
	}
	for value, blame := range map[string]string{
		"a":             `entry 1 is "a"`,
		"a:1,":          `entry 2 is ""`,
		"a:1, b:0":      `entry 2 is "b:0"`,
		"a:65536":       `entry 1 is "a:65536"`,
		":7778":         `entry 1 is ":7778"`,
		"::1:7778":      `entry 1 is "::1:7778"`,
		"[fe80::1%a]:1": `entry 1 is "[fe80::1%a]:1"`,
		"a b:1":         `entry 1 is "a b:1"`,
		"a:1,b:1,a:1":   "a:1 is there twice",
		many:            "there are more than 64 entries",
	} {
		for _, section := range []string{"dnsserver", "reporter", "repoter"} {
			_, err := config.LoadAgent(write(t, "["+section+"]\nendpoints = "+value+"\n"))
			if err == nil || !strings.Contains(err.Error(), blame) || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), ":2: ") {
				t.Errorf("%s %q: %v", section, value, err)
			}
		}
	}
}
