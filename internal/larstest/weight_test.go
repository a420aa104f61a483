package larstest_test

import (
	"fmt"
	"maps"
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/eventually"
	"github.com/lars-lb/lars/internal/larstest"
	"github.com/lars-lb/lars/internal/mariadbtest"
	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/routepb"
	"github.com/lars-lb/lars/internal/wire"
	pb "github.com/lars-lb/lars/proto/larspb"
)

// agentNodes is the route of a module as the agent answers it, with weights,
// which the client library does not tell.
func agentNodes(t *testing.T, agent netip.AddrPort, id route.Module) []route.Node {
	t.Helper()
	addr := netip.AddrPortFrom(agent.Addr(), agent.Port()+uint16(id.Shard()))
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(addr))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	request, err := (&pb.GetRouteRequest{Modid: id.ModID, Cmdid: id.CmdID}).MarshalVT()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Write(wire.AppendFrame(nil, int32(pb.MessageId_ID_API_GetRouteRequest), request)); err != nil {
		t.Fatal(err)
	}
	datagram := make([]byte, 1<<16)
	n, err := c.Read(datagram)
	if err != nil {
		t.Fatal(err)
	}
	_, body, err := wire.DecodeDatagram(datagram[:n])
	if err != nil {
		t.Fatal(err)
	}
	var answer pb.GetRouteResponse
	if err := answer.UnmarshalVT(body); err != nil {
		t.Fatal(err)
	}
	var nodes []route.Node
	for _, info := range answer.Host {
		n, _ := routepb.Node(info)
		nodes = append(nodes, n)
	}
	return nodes
}

// waitNodes asks until the module has exactly these hosts and weights.
func waitNodes(t *testing.T, agent netip.AddrPort, id route.Module, want ...route.Node) {
	t.Helper()
	eventually.True(t, patience, fmt.Sprintf("route of %v becomes %v", id, want), func() bool {
		return slices.Equal(agentNodes(t, agent, id), want)
	})
}

// wantPicks gets hosts of module1, and expects each as often as want says.
func wantPicks(t *testing.T, agent netip.AddrPort, want map[string]int) {
	t.Helper()
	c := newClient(t, agent)
	got, sum := map[string]int{}, 0
	for _, n := range want {
		sum += n
	}
	for range sum {
		h, err := c.GetHost(t.Context(), module1.ModID, module1.CmdID)
		if err != nil {
			t.Fatal(err)
		}
		got[h.String()]++
	}
	if !maps.Equal(got, want) {
		t.Errorf("picks are %v, want %v", got, want)
	}
}

// A weight travels from the operator's tool over either database and lars-dns
// to the agent and decides about picks; a drained host stays in the route.
func TestWeightsReachTheAgent(t *testing.T) {
	for name, opts := range map[string]larstest.Options{
		"sqlite":  {},
		"mariadb": {Store: mariadbtest.Start(t).NewDatabase(t)},
	} {
		t.Run(name, func(t *testing.T) {
			s := larstest.NewSuite(t, programs, opts)
			s.MustRun("lars", "db", "init")
			const first, second = "10.0.0.1:80", "10.0.0.2:80"
			s.MustRun("lars", "route", "add", "1", "1", first, second)
			s.Start()
			nodes := func(one, two uint16) []route.Node {
				return []route.Node{route.NodeOf(host(t, first), one), route.NodeOf(host(t, second), two)}
			}
			waitNodes(t, s.AgentAddr, module1, nodes(100, 100)...)
			s.MustRun("lars", "route", "weight", "1", "1", "50", first)
			waitNodes(t, s.AgentAddr, module1, nodes(50, 100)...)
			wantPicks(t, s.AgentAddr, map[string]int{first: 10, second: 20})
			s.MustRun("lars", "route", "drain", "1", "1", second)
			waitNodes(t, s.AgentAddr, module1, nodes(50, 0)...)
			wantPicks(t, s.AgentAddr, map[string]int{first: 30})
			waitRoute(t, newClient(t, s.AgentAddr), module1, first, second)
			s.MustRun("lars", "route", "undrain", "1", "1", second)
			waitNodes(t, s.AgentAddr, module1, nodes(50, 100)...)
		})
	}
}
