package lbagent_test

import (
	"bytes"
	"net"
	"slices"
	"sync"
	"testing"

	"github.com/lars-lb/lars/internal/eventually"
	"github.com/lars-lb/lars/internal/route"
	pb "github.com/lars-lb/lars/proto/larspb"
)

func TestPushAndRemoval(t *testing.T) {
	dns := newFakeDNS(t)
	dns.set(module1, hostA)
	a, _ := startAgent(t, dns.addr, nowhere, nil)
	c := callerOf(t, a, module1)
	c.waitFor(module1)
	dns.push(module1, hostB)
	eventually.True(t, patience, "the push arrives", func() bool { return slices.Equal(c.getRoute(module1), []route.Host{hostB}) })
	dns.push(module1)
	eventually.True(t, patience, "the removal arrives", func() bool { return c.getHost(1, module1).Retcode == noExist })
	dns.push(module1, hostA)
	if h := c.waitFor(module1); h != hostA {
		t.Errorf("host = %v", h)
	}
}

// TestRemovedHostIsNeverReturned changes the route under traffic. A caller
// that has seen the new route must not be given a host of the old one.
func TestRemovedHostIsNeverReturned(t *testing.T) {
	dns := newFakeDNS(t)
	dns.set(module1, hostA, hostB)
	a, _ := startAgent(t, dns.addr, nowhere, nil)
	callerOf(t, a, module1).waitFor(module1)

	stop := make(chan struct{})
	var traffic sync.WaitGroup
	for i := range 4 {
		c := newCaller(t, a.Addrs()[i%3])
		traffic.Go(func() {
			for n := uint32(0); ; n++ {
				select {
				case <-stop:
					return
				default:
				}
				if h := c.getHost(n, module1).Host; h != nil {
					c.report(module1, route.Host{IP: uint32(h.Ip), Port: uint16(h.Port)}, int32(n%3))
				}
			}
		})
	}
	c := callerOf(t, a, module1)
	for i := range 30 {
		left := []route.Host{hostA, hostB}[i%2]
		dns.push(module1, left)
		eventually.True(t, patience, "the new route arrives", func() bool { return slices.Equal(c.getRoute(module1), []route.Host{left}) })
		for n := range uint32(200) {
			resp := c.getHost(n, module1)
			if resp.Host != nil && (uint32(resp.Host.Ip) != left.IP || resp.Host.Port != int32(left.Port)) {
				t.Fatalf("got %v, the route is %v", resp.Host, left)
			}
		}
	}
	close(stop)
	traffic.Wait()
}

func TestRouteInSingleBytes(t *testing.T) {
	dns := newFakeDNS(t)
	dns.write = func(c net.Conn, frame []byte) {
		for _, b := range frame {
			_, _ = c.Write([]byte{b})
		}
	}
	dns.set(module1, hostA, hostB)
	a, _ := startAgent(t, dns.addr, nowhere, nil)
	c := callerOf(t, a, module1)
	c.waitFor(module1)
	if got := c.getRoute(module1); len(got) != 2 {
		t.Errorf("route = %v", got)
	}
}

func TestLargestRoute(t *testing.T) {
	dns := newFakeDNS(t)
	hosts := make([]route.Host, route.MaxHosts)
	list := make([]*pb.HostInfo, route.MaxHosts)
	for i := range hosts {
		hosts[i] = route.Host{IP: 0xfffff000 - uint32(i), Port: 65535} // the longest encoding
		list[i] = weightedInfo(hosts[i], route.MaxWeight)
	}
	dns.setInfos(module1, list...)
	a, _ := startAgent(t, dns.addr, nowhere, nil)
	c := callerOf(t, a, module1)
	c.waitFor(module1)
	slices.SortFunc(hosts, route.Host.Compare)
	if got := c.getRoute(module1); !slices.Equal(got, hosts) {
		t.Errorf("got %d hosts, want all %d", len(got), len(hosts))
	}
}

// Weights come from lars-dns and go to those who ask for a route, written as
// if there were none where they are 100; drained hosts stay in the route.
func TestWeightsReachCallers(t *testing.T) {
	dns := newFakeDNS(t)
	hostC, hostD := route.Host{IP: 0x0a000003, Port: 80}, route.Host{IP: 0x0a000004, Port: 80}
	dns.setInfos(module1, info(hostA), weightedInfo(hostB, 100), weightedInfo(hostC, 0), weightedInfo(hostD, 10_001))
	a, _ := startAgent(t, dns.addr, nowhere, nil)
	c := callerOf(t, a, module1)
	c.waitFor(module1)
	expect := func(want ...*pb.HostInfo) {
		t.Helper()
		body, err := (&pb.GetRouteResponse{Modid: 1, Cmdid: 1, Host: want}).MarshalVT()
		if err != nil {
			t.Fatal(err)
		}
		eventually.True(t, patience, "the route is what lars-dns says", func() bool { return bytes.Equal(c.routeAnswer(module1), body) })
	}
	expect(info(hostB), weightedInfo(hostC, 0), weightedInfo(hostD, route.MaxWeight), info(hostA))
	dns.pushInfos(module1, weightedInfo(hostA, 7), info(hostC))
	expect(info(hostC), weightedInfo(hostA, 7))
	// A picked host has no weight.
	resp := c.getHost(1, module1)
	if resp.Host == nil || resp.Host.Weight != nil {
		t.Errorf("GetHost answers %v", resp)
	}
}

func TestBadRouteHostsAreSkipped(t *testing.T) {
	dns := newFakeDNS(t)
	dns.set(module1, route.Host{}, hostA, route.Host{IP: 1}, route.Host{Port: 1}, hostA)
	a, _ := startAgent(t, dns.addr, nowhere, nil)
	c := callerOf(t, a, module1)
	c.waitFor(module1)
	if got := c.getRoute(module1); !slices.Equal(got, []route.Host{hostA}) {
		t.Errorf("route = %v", got)
	}
}
