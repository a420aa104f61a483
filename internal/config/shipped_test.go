package config_test

import (
	"net/netip"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/lars-lb/lars/internal/config"
)

// The files in conf/ show every key and mean nothing but the defaults, so
// that what they say of the defaults is true. But a new installation gets the
// better policy, and the admin servers that "lars dns" and "lars agent" ask.
func TestShippedFiles(t *testing.T) {
	dns, err := config.LoadDNS("../../conf/lars-dns.conf")
	wantDNS := config.DefaultDNS()
	wantDNS.Admin.Addr = netip.MustParseAddrPort("127.0.0.1:7780")
	if err != nil || dns != wantDNS {
		t.Errorf("%v; changed: %v", err, config.DefaultDNS().Changed(dns))
	}
	checkShown(t, "../../conf/lars-dns.conf", dns.Keys())

	reporter, err := config.LoadReporter("../../conf/lars-reporter.conf")
	if err != nil || reporter != config.DefaultReporter() {
		t.Errorf("%v; changed: %v", err, config.DefaultReporter().Changed(reporter))
	}
	checkShown(t, "../../conf/lars-reporter.conf", reporter.Keys())

	agent, err := config.LoadAgent("../../conf/lars-lb-agent.conf")
	want := config.DefaultAgent()
	want.Balance.Policy = config.Adaptive
	want.Admin.Addr = netip.MustParseAddrPort("127.0.0.1:7782")
	if err != nil || agent != want {
		t.Errorf("%v; changed: %v", err, config.DefaultAgent().Changed(agent))
	}
	checkShown(t, "../../conf/lars-lb-agent.conf", agent.Keys())
}

// checkShown finds every key in its section, set or behind a semicolon.
func checkShown(t *testing.T, path string, keys []string) {
	t.Helper()
	section, shown := "", map[string]bool{}
	for line := range strings.SplitSeq(read(t, path), "\n") {
		if m := regexp.MustCompile(`^;?(\[\w+\])$`).FindStringSubmatch(line); m != nil {
			section = m[1]
		}
		if m := regexp.MustCompile(`^;?(\w+) =`).FindStringSubmatch(line); m != nil {
			shown[section+" "+m[1]] = true
		}
	}
	for _, key := range keys {
		if !shown[key] {
			t.Errorf("%s does not show %s", path, key)
		}
	}
	if len(shown) != len(keys) {
		t.Errorf("%s shows %d keys of %d", path, len(shown), len(keys))
	}
}

// What a shipped file says to do for MySQL is enough, and changes the driver alone.
func TestShippedFilesWithMySQL(t *testing.T) {
	for daemon, path := range map[string]string{"dns": "../../conf/lars-dns.conf", "reporter": "../../conf/lars-reporter.conf"} {
		content := strings.Replace(read(t, path), "\ndriver = sqlite\n", "\n", 1)
		content = regexp.MustCompile(`(?m)^;(\[mysql\]|db_)`).ReplaceAllString(content, "$1")
		c, err := loaders[daemon](write(t, content))
		var store, want config.Store
		switch c := c.(type) {
		case config.DNS:
			store, want = c.Store, config.DefaultDNS().Store
		case config.Reporter:
			store, want = c.Store, config.DefaultReporter().Store
		}
		want.Driver = config.MySQL
		if err != nil || store != want {
			t.Errorf("%s: %+v, %v", path, store, err)
		}
	}
}

func read(t *testing.T, path string) string {
	t.Helper()
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(content)
}
