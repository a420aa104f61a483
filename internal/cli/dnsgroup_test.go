package cli_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
)

// useDNS starts an admin server that "lars dns" of this test asks.
func useDNS(t *testing.T, handler http.HandlerFunc) (addr string) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	t.Setenv("LARS_DNS_ADMIN", server.Listener.Addr().String())
	return server.Listener.Addr().String()
}

func TestDNSStatus(t *testing.T) {
	var stats atomic.Value
	useDNS(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method+r.URL.Path != "GET/stats" {
			t.Errorf("asked %s %s", r.Method, r.URL.Path)
		}
		fmt.Fprint(w, stats.Load())
	})
	const rest = `"version": 42, "modules": 1, "hosts": 200, "subscriptions": 340, "tcp": {"open": 12, "opened": 13}, "more": 1}`
	for _, c := range []struct{ stats, want string }{
		{`{"ready": true, "snapshot_age_ms": 180000, "snapshot": {"saves": 3}, ` + rest,
			`state      serving what the database says
routes     version 42, 1 module, 200 hosts
held back  nothing
agents     12 connections, 340 subscriptions
file       saved 3m0s ago
`},
		{`{"ready": true, "stale": true, "snapshot_age_ms": 7200000, ` + rest,
			`state      serving the routes of its file, as the database does not answer
routes     version 42, 1 module, 200 hosts
held back  nothing
agents     12 connections, 340 subscriptions
file       saved 2h0m ago
`},
		{`{"ready": true, "shrink_held": true, "held_hosts": 150, "held_of": 200, "held_left_ms": 42000, "snapshot": {"failures": 1}, ` + rest,
			`state      serving more than the database says: most hosts are gone from it
routes     version 42, 1 module, 200 hosts
held back  150 hosts, as of 200 most are gone; removed in 42s unless they come back, or at once by lars dns accept
agents     12 connections, 340 subscriptions
file       none, failed 1 time
`},
		{`{"ready": false}`,
			`state      waiting for the database, answering nobody
routes     version 0, 0 modules, 0 hosts
held back  nothing
agents     0 connections, 0 subscriptions
file       none
`},
	} {
		stats.Store(c.stats)
		check(t, "dns status", c.want)
	}
	checkJSON(t, "dns status", `{"ready": false, "stale": false, "version": 0, "modules": 0, "hosts": 0, "shrink_held": false,
		"held_hosts": 0, "held_of": 0, "held_left_ms": 0, "shrinks_held": 0, "snapshot_age_ms": 0,
		"snapshot": {"saves": 0, "failures": 0, "saved_at_ms": 0}, "subscriptions": 0, "tcp": {"open": 0}}`)
}

func TestDNSAccept(t *testing.T) {
	answer, status := `{"removed": 150, "of": 200, "applied": true}`, http.StatusOK
	useDNS(t, func(w http.ResponseWriter, r *http.Request) {
		if r.Method+r.URL.Path != "POST/accept" {
			t.Errorf("asked %s %s", r.Method, r.URL.Path)
		}
		w.WriteHeader(status)
		fmt.Fprint(w, answer)
	})
	check(t, "dns accept", "accepted: 150 of 200 hosts are gone\n")
	checkJSON(t, "dns accept", answer)
	answer = `{"removed": 150, "of": 200, "applied": false}`
	check(t, "dns accept", "accepted: 150 of 200 hosts go as soon as the database has answered a question that is under way\n")
	answer, status = `{"error": "no routes are held back"}`, http.StatusConflict
	checkFails(t, "dns accept", 1, "lars: no routes are held back\n")
	answer, status = "404 page not found", http.StatusNotFound
	checkFails(t, "dns accept", 1, "is not the admin address of a lars-dns, or of an older one")
}

// Without a flag and a variable the configuration says whom to ask.
func TestDNSAdminAddress(t *testing.T) {
	addr := useDNS(t, func(w http.ResponseWriter, _ *http.Request) {
		fmt.Fprint(w, `{"removed": 1, "of": 2, "applied": true}`)
	})
	t.Setenv("LARS_DNS_ADMIN", "")
	t.Setenv("LARS_CONF", "")
	dir := t.TempDir()
	conf := filepath.Join(dir, "lars-dns.conf")
	const accepted = "accepted: 1 of 2 hosts are gone\n"
	writeFile(t, conf, "[admin]\naddr = "+addr+"\n")
	check(t, "dns accept --conf "+conf, accepted)
	writeFile(t, conf, "[admin]\naddr = 0.0.0.0"+addr[strings.LastIndex(addr, ":"):]+"\n")
	check(t, "dns accept --conf "+conf, accepted)
	writeFile(t, conf, "")
	checkFails(t, "dns accept --conf "+conf, 1, conf+" keeps the admin server of lars-dns off; set [admin] addr = 127.0.0.1:7780")
	check(t, "dns accept --admin "+addr+" --conf "+conf, accepted)
	writeFile(t, conf, "[admin]\naddr = here\n")
	checkBadConf(t, "dns status --conf "+conf, `[admin] addr = "here": want IP:PORT`)
	checkBadConf(t, "dns status --conf "+filepath.Join(dir, "none"), "name lars-dns's admin address with --admin")
	writeFile(t, conf, "[admin]\naddr = 127.0.0.1:1\n")
	checkFails(t, "dns status --conf "+conf, 1, "no lars-dns answers at its admin address 127.0.0.1:1", "set [admin] addr in lars-dns's configuration")
}
