package larstest_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/lars-lb/lars/api/lars"
	"github.com/lars-lb/lars/internal/eventually"
	"github.com/lars-lb/lars/internal/larstest"
	"github.com/lars-lb/lars/internal/mariadbtest"
	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/snapshot"
	"github.com/lars-lb/lars/internal/store"
)

// savedRoutes is where lars-dns keeps them if its file does not say.
func savedRoutes(d *larstest.Daemon) string {
	return filepath.Join(d.Dir(), "var", "lars-dns.routes")
}

// waitDNSSaved waits until lars-dns has saved so many hosts.
func waitDNSSaved(t *testing.T, d *larstest.Daemon, hosts int) {
	t.Helper()
	eventually.True(t, patience, fmt.Sprintf("%d hosts are saved", hosts), func() bool {
		info, err := snapshot.Read(savedRoutes(d), "lars-dns", func(route.Module, []route.Node) {})
		return err == nil && info.Hosts == hosts
	})
}

// lars-dns and the database fail together, and lars-dns alone comes back: old
// and new agents get the routes of before.
func TestDNSComesBackWithoutTheDatabase(t *testing.T) {
	db := mariadbtest.Start(t)
	s := larstest.NewSuite(t, programs, larstest.Options{Store: db.NewDatabase(t)})
	st := s.Store()
	never, other := route.Module{ModID: 3, CmdID: 3}, route.Module{ModID: 2, CmdID: 1}
	addHosts(t, st, entry(t, module1, "10.0.0.1:1"), entry(t, other, "10.0.0.2:2"))
	s.Start()
	c := newClient(t, s.AgentAddr)
	waitHost(t, c, module1, "10.0.0.1:1")
	waitDNSSaved(t, s.DNS, 2)

	db.Kill()
	s.DNS.Kill()
	s.DNS.Serve()
	if !s.DNS.Said("the database does not answer: serving the saved routes") {
		t.Errorf("it does not say what it serves:\n%s", s.DNS.Log())
	}
	mustServe(t, c, module1)
	waitHost(t, c, other, "10.0.0.2:2") // never asked for before
	if out := s.MustRun("lars", "dns", "status"); !strings.Contains(out, "serving the routes of its file") {
		t.Errorf("lars dns status:\n%s", out)
	}
	lateAddr := larstest.FreeUDP(t)
	s.NewAgent(lateAddr, s.DNSAddr).Serve()
	lateClient := newClient(t, lateAddr)
	waitHost(t, lateClient, module1, "10.0.0.1:1")
	waitHost(t, lateClient, other, "10.0.0.2:2")
	if _, err := lateClient.GetHost(t.Context(), 3, 3); !errors.Is(err, lars.ErrNotExist) {
		t.Errorf("a module nobody knows: %v", err)
	}

	if err := db.Restart(); err != nil {
		t.Fatal(err)
	}
	addHosts(t, st, entry(t, module1, "10.0.0.4:4"), entry(t, never, "10.0.0.3:3"))
	for _, c := range []*lars.Client{c, lateClient} {
		waitRoute(t, c, module1, "10.0.0.1:1", "10.0.0.4:4")
		waitHost(t, c, never, "10.0.0.3:3")
		mustServe(t, c, other)
	}
	if out := s.MustRun("lars", "dns", "status"); !strings.Contains(out, "serving what the database says") {
		t.Errorf("lars dns status:\n%s", out)
	}
}

// A file that is damaged is said and set aside, and harms nobody.
func TestDamagedSavedRoutes(t *testing.T) {
	s := larstest.NewSuite(t, programs, larstest.Options{})
	addHosts(t, s.Store(), entry(t, module1, "10.0.0.1:1"))
	path := savedRoutes(s.DNS)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("LARSROUT and then something else, long enough to be a file of routes"), 0o600); err != nil {
		t.Fatal(err)
	}
	s.Start()
	waitHost(t, newClient(t, s.AgentAddr), module1, "10.0.0.1:1")
	if !s.DNS.Said("the saved routes cannot be used and were set aside") {
		t.Errorf("it does not say so:\n%s", s.DNS.Log())
	}
	if _, err := os.Stat(path + ".bad"); err != nil {
		t.Error(err)
	}
	waitDNSSaved(t, s.DNS, 1)
}

// Most routes go: agents hear of it when an operator accepts it.
func TestOperatorAcceptsARemoval(t *testing.T) {
	s := larstest.NewSuite(t, programs, larstest.Options{})
	st := s.Store()
	var all []store.Entry
	for i := range 20 {
		all = append(all, entry(t, module1, fmt.Sprintf("10.0.0.1:%d", 1+i)))
	}
	addHosts(t, st, all...)
	s.Start()
	c := newClient(t, s.AgentAddr)
	eventually.True(t, patience, "the module is served", func() bool {
		_, err := c.GetHost(t.Context(), 1, 1)
		return err == nil
	})
	if _, stderr, code := s.Run("lars", "route", "rm", "1", "1", "--all"); code != 1 || !strings.Contains(stderr, "add --yes") {
		t.Errorf("removed without a yes: exit %d, %s", code, stderr)
	}
	if _, stderr, code := s.Run("lars", "dns", "accept"); code != 1 || !strings.Contains(stderr, "no routes are held back") {
		t.Errorf("accepted nothing: exit %d, %s", code, stderr)
	}
	s.MustRun("lars", "route", "rm", "1", "1", "--all", "--yes")
	s.DNS.WaitFor("most hosts are gone from the database: they are served on")
	var status struct {
		Held  bool `json:"shrink_held"`
		Hosts int  `json:"held_hosts"`
	}
	if out := s.MustRun("lars", "dns", "status", "--json"); json.Unmarshal([]byte(out), &status) != nil || !status.Held || status.Hosts != 20 {
		t.Errorf("lars dns status:\n%s", out)
	}
	waitDNSSaved(t, s.DNS, 20)
	s.DNS.Kill() // nor does a restart let it through
	s.DNS.Serve()
	s.DNS.WaitFor("most hosts are gone from the database: they are served on")
	for range 50 {
		mustServe(t, c, module1)
	}
	if out := s.MustRun("lars", "dns", "accept"); out != "accepted: 20 of 20 hosts are gone\n" {
		t.Errorf("lars dns accept: %s", out)
	}
	waitRoute(t, c, module1)
}
