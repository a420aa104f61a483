package larstest_test

import (
	"encoding/json"
	"net/netip"
	"strings"
	"syscall"
	"testing"

	"github.com/lars-lb/lars/internal/eventually"
	"github.com/lars-lb/lars/internal/larstest"
	"github.com/lars-lb/lars/internal/store"
)

// dnsOf is the address of the lars-dns that an agent connected to last.
func dnsOf(agent *larstest.Daemon) string { return peerOf(agent, "lars-dns") }

// peerOf is the address of the last of some servers that an agent connected to,
// by its log.
func peerOf(agent *larstest.Daemon, to string) (peer string) {
	for text := range strings.SplitSeq(agent.Log(), "\n") {
		var line struct{ Msg, To, Peer string }
		if json.Unmarshal([]byte(text), &line) == nil && line.Msg == "connected" && line.To == to {
			peer = line.Peer
		}
	}
	return peer
}

// An agent knows two lars-dns. Whichever it is connected to may be killed, or
// frozen, and changes go on arriving; with both gone it serves what it has.
func TestAgentWithTwoDNS(t *testing.T) {
	s := larstest.NewSuite(t, programs, larstest.Options{})
	st := s.Store()
	addHosts(t, st, entry(t, module1, "10.0.0.1:1"))
	addr2 := larstest.FreeTCP(t)
	servers := map[string]*larstest.Daemon{s.DNSAddr.String(): s.DNS, addr2.String(): s.NewDNS(addr2)}
	other := map[string]netip.AddrPort{s.DNSAddr.String(): addr2, addr2.String(): s.DNSAddr}
	for _, d := range servers {
		d.Serve()
	}
	agentAddr := larstest.FreeUDP(t)
	agent := s.NewAgent(agentAddr, s.DNSAddr, addr2)
	agent.Serve()
	c := newClient(t, agentAddr)
	waitRoute(t, c, module1, "10.0.0.1:1")

	// Killed: the agent goes to the other one.
	first := dnsOf(agent)
	second := other[first].String()
	servers[first].Kill()
	addHosts(t, st, entry(t, module1, "10.0.0.2:2"))
	waitRoute(t, c, module1, "10.0.0.1:1", "10.0.0.2:2")
	if got := dnsOf(agent); got != second {
		t.Errorf("connected to %s, want %s", got, second)
	}

	// Frozen: its kernel goes on taking what it is sent, so only the silence
	// tells.
	servers[first].Serve()
	servers[second].Signal(syscall.SIGSTOP)
	addHosts(t, st, entry(t, module1, "10.0.0.3:3"))
	waitRoute(t, c, module1, "10.0.0.1:1", "10.0.0.2:2", "10.0.0.3:3")
	if got := dnsOf(agent); got != first {
		t.Errorf("connected to %s, want %s", got, first)
	}
	servers[second].Signal(syscall.SIGCONT)

	// Both gone, and back with another route.
	for _, d := range servers {
		d.Kill()
	}
	if _, err := st.RemoveHosts(t.Context(), []store.Entry{entry(t, module1, "10.0.0.1:1")}); err != nil {
		t.Fatal(err)
	}
	for range 100 {
		if _, err := c.GetHost(t.Context(), module1.ModID, module1.CmdID); err != nil {
			t.Fatal(err)
		}
	}
	for _, d := range servers {
		d.Serve()
	}
	waitRoute(t, c, module1, "10.0.0.2:2", "10.0.0.3:3")
	eventually.True(t, patience, "the log says who is used", func() bool { return dnsOf(agent) != "" })
}
