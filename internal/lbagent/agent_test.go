package lbagent_test

import (
	"encoding/hex"
	"math"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/eventually"
	"github.com/lars-lb/lars/internal/lbagent"
	"github.com/lars-lb/lars/internal/route"
	pb "github.com/lars-lb/lars/proto/larspb"
)

const (
	succ     = int32(pb.LarsRetCode_RET_SUCC)
	overload = int32(pb.LarsRetCode_RET_OVERLOAD)
	noExist  = int32(pb.LarsRetCode_RET_NOEXIST)
)

var (
	module1 = route.Module{ModID: 1, CmdID: 1}
	hostA   = route.Host{IP: 0xc0a801b1, Port: 7777} // 192.168.1.177
	hostB   = route.Host{IP: 0x0a000002, Port: 81}
)

// nowhere is an address that refuses connections: port 1 is nobody's.
const nowhere = "127.0.0.1:1"

// waitFor asks until the module is answered with a host.
func (c *caller) waitFor(id route.Module) route.Host {
	c.t.Helper()
	var h *pb.HostInfo
	eventually.True(c.t, patience, id.String()+" is answered with a host", func() bool {
		h = c.getHost(1, id).Host
		return h != nil
	})
	return route.Host{IP: uint32(h.Ip), Port: uint16(h.Port)}
}

// connected waits for the connection to lars-dns. A module asked for just as it
// comes up may be pulled twice: for the request, and with all modules.
func connected(t *testing.T, a *lbagent.Agent) {
	t.Helper()
	eventually.True(t, patience, "the agent is connected to lars-dns", func() bool { return a.Stats().DNS.Open == 1 })
}

func TestFirstRequestPullsAndLaterOnesAreServed(t *testing.T) {
	dns := newFakeDNS(t)
	dns.set(module1, hostA)
	a, _ := startAgent(t, dns.addr, nowhere, nil)
	connected(t, a)
	c := callerOf(t, a, module1)
	if resp := c.getHost(7, module1); resp.Retcode != noExist || resp.Host != nil {
		t.Errorf("first answer = %v", resp)
	}
	if h := c.waitFor(module1); h != hostA {
		t.Errorf("host = %v", h)
	}
	if got := c.getRoute(module1); !slices.Equal(got, []route.Host{hostA}) {
		t.Errorf("route = %v", got)
	}
	if n := dns.pulled(module1); n != 1 {
		t.Errorf("pulled %d times", n)
	}
}

// TestAnswersAreLars10sBytes replays an exchange recorded from Lars 1.0.
func TestAnswersAreLars10sBytes(t *testing.T) {
	dns := newFakeDNS(t)
	dns.set(module1, hostA)
	a, _ := startAgent(t, dns.addr, nowhere, nil)
	c := callerOf(t, a, module1)
	c.waitFor(module1)
	for _, x := range []struct{ request, answer string }{
		{"040000000700000008ac0210011801", "050000001700000008ac02100118012a0e08b183a085fcffffffff0110e13c"},
		{"040000000a00000008ffffffff0f10011801", "050000001a00000008ffffffff0f100118012a0e08b183a085fcffffffff0110e13c"},
		{"040000000400000010011801", "0500000014000000100118012a0e08b183a085fcffffffff0110e13c"},
		{"0400000006000000080710641864", "05000000080000000807106418642003"},
		{"040000000f000000080510fdffffffffffffffff011803", "0500000011000000080510fdffffffffffffffff0118032003"},
		{"0400000000000000", "05000000020000002003"},
		{"070000000400000008011001", "0800000014000000080110011a0e08b183a085fcffffffff0110e13c"},
		{"070000000400000008031001", "080000000400000008031001"},
	} {
		request, err := hex.DecodeString(x.request)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Write(request); err != nil {
			t.Fatal(err)
		}
		n, err := c.Read(c.buf[:])
		if err != nil {
			t.Fatal(err)
		}
		if got := hex.EncodeToString(c.buf[:n]); got != x.answer {
			t.Errorf("%s was answered %s, want %s", x.request, got, x.answer)
		}
	}
}

func TestEveryServerServesEveryModule(t *testing.T) {
	dns := newFakeDNS(t)
	a, _ := startAgent(t, dns.addr, nowhere, nil)
	connected(t, a)
	for i := range int32(6) {
		id := route.Module{ModID: i}
		dns.set(id, hostA)
		for _, addr := range a.Addrs() {
			if h := newCaller(t, addr).waitFor(id); h != hostA {
				t.Errorf("%v at %v: %v", id, addr, h)
			}
		}
		if n := dns.pulled(id); n != 1 {
			t.Errorf("%v was pulled %d times", id, n)
		}
	}
}

func TestOddModulesDoNotExist(t *testing.T) {
	dns := newFakeDNS(t)
	a, _ := startAgent(t, dns.addr, nowhere, nil)
	connected(t, a)
	for _, id := range []route.Module{{ModID: -5, CmdID: 1}, {ModID: -1}, {ModID: math.MaxInt32, CmdID: 1}, {ModID: math.MinInt32}, {}} {
		for _, addr := range a.Addrs() {
			c := newCaller(t, addr)
			if resp := c.getHost(1, id); resp.Retcode != noExist {
				t.Errorf("%v: %v", id, resp)
			}
			if hosts := c.getRoute(id); len(hosts) != 0 {
				t.Errorf("%v: route %v", id, hosts)
			}
		}
		eventually.True(t, patience, "lars-dns is asked for "+id.String(), func() bool { return dns.pulled(id) == 1 })
	}
	dns.set(module1, hostA)
	callerOf(t, a, module1).waitFor(module1)
}

// TestUnknownModulesArePulledOnceASecond asks for very many modules that do not
// exist, again and again.
func TestUnknownModulesArePulledOnceASecond(t *testing.T) {
	const modules = 10_000
	dns := newFakeDNS(t)
	a, _ := startAgent(t, dns.addr, nowhere, nil)
	var clients [3]*caller
	for i, addr := range a.Addrs() {
		clients[i] = newCaller(t, addr)
	}
	start := time.Now()
	rounds := 0
	for ; rounds < 2 || time.Since(start) < 2500*time.Millisecond; rounds++ {
		for i := range int32(modules) {
			id := route.Module{ModID: -i, CmdID: 5}
			if resp := clients[id.Shard()].getHost(1, id); resp.Retcode != noExist {
				t.Fatalf("%v: %v", id, resp)
			}
		}
	}
	most := 2 + int(time.Since(start)/time.Second)
	for i := range int32(modules) {
		id := route.Module{ModID: -i, CmdID: 5}
		if n := dns.pulled(id); n < 1 || n > most {
			t.Fatalf("%v was pulled %d times while it was asked for %d times in %v", id, n, rounds, time.Since(start))
		}
	}
	unknown := 0
	for _, s := range a.Stats().Routes {
		unknown += s.Unknown
	}
	if unknown != modules {
		t.Errorf("the agent remembers %d modules, want %d", unknown, modules)
	}
}

func TestDNSStartsLater(t *testing.T) {
	dns := newFakeDNS(t)
	dns.stop()
	dns.set(module1, hostA)
	a, _ := startAgent(t, dns.addr, nowhere, nil)
	c := callerOf(t, a, module1)
	for range 10 {
		if resp := c.getHost(1, module1); resp.Retcode != noExist {
			t.Errorf("answer = %v", resp)
		}
	}
	eventually.True(t, patience, "some tries to connect", func() bool { return a.Stats().DNS.ConnectFailures > 2 })
	dns.start()
	c.waitFor(module1)
}

func TestDNSGoesAwayDuringAPull(t *testing.T) {
	dns := newFakeDNS(t)
	known := route.Module{ModID: 3, CmdID: 3}
	dns.set(known, hostB)
	a, _ := startAgent(t, dns.addr, nowhere, nil)
	c := callerOf(t, a, module1)
	k := callerOf(t, a, known)
	k.waitFor(known)

	dns.setMute(true)
	c.getHost(1, module1)
	eventually.True(t, patience, "the pull has arrived", func() bool { return dns.pulled(module1) == 1 })
	dns.stop()
	for range 50 { // what is known is served meanwhile
		if resp := k.getHost(1, known); resp.Retcode != succ {
			t.Errorf("answer = %v", resp)
		}
	}
	dns.setMute(false)
	dns.set(module1, hostA)
	dns.set(known, hostA) // changed while nobody could be told
	dns.start()
	c.waitFor(module1)
	eventually.True(t, patience, "the change made meanwhile arrives", func() bool {
		return slices.Equal(k.getRoute(known), []route.Host{hostA})
	})
}

func TestUnansweredPullIsSentAgain(t *testing.T) {
	dns := newFakeDNS(t)
	dns.setMute(true)
	dns.set(module1, hostA)
	a, _ := startAgent(t, dns.addr, nowhere, func(c *lbagent.Config) { c.PullInterval = 20 * time.Millisecond })
	c := callerOf(t, a, module1)
	c.getHost(1, module1) // once; nobody asks again
	eventually.True(t, patience, "it is pulled again and again", func() bool { return dns.pulled(module1) > 3 })
	dns.setMute(false)
	eventually.True(t, patience, "the route is there", func() bool { return a.Stats().Routes[module1.Shard()].Modules == 1 })
	if resp := c.getHost(1, module1); resp.Retcode != succ {
		t.Errorf("answer = %v", resp)
	}
}

func TestOverload(t *testing.T) {
	dns := newFakeDNS(t)
	dns.set(module1, hostA)
	a, _ := startAgent(t, dns.addr, nowhere, nil)
	c := callerOf(t, a, module1)
	c.waitFor(module1)
	for range 15 { // the run limit
		c.report(module1, hostA, 1)
	}
	var answers []int32
	for n := range uint32(11) {
		answers = append(answers, c.getHost(n, module1).Retcode)
	}
	want := append(slices.Repeat([]int32{overload}, 10), succ) // the probe
	if !slices.Equal(answers, want) {
		t.Errorf("answers = %v, want %v", answers, want)
	}
	if got := c.getRoute(module1); !slices.Equal(got, []route.Host{hostA}) {
		t.Errorf("GetRoute leaves overloaded hosts out: %v", got)
	}
	a.Reload(func() lbagent.Settings {
		s := lbagent.DefaultConfig().Settings
		s.Balance.ProbeNum = 2
		return s
	}())
	answers = nil
	for n := range uint32(3) {
		answers = append(answers, c.getHost(n, module1).Retcode)
	}
	if !slices.Equal(answers, []int32{overload, overload, succ}) {
		t.Errorf("after a reload answers = %v", answers)
	}
}

func TestListenError(t *testing.T) {
	a, _ := startAgent(t, nowhere, nowhere, nil)
	cfg := lbagent.DefaultConfig()
	cfg.Listen = a.Addrs()[2]
	if _, err := lbagent.New(cfg, nil); err == nil || !strings.Contains(err.Error(), "UDP server 1 of 3") {
		t.Errorf("New on a used port: %v", err)
	}
	unserved, err := lbagent.New(func() lbagent.Config { c := cfg; c.Listen = netip.MustParseAddrPort("127.0.0.1:0"); return c }(), nil)
	if err != nil {
		t.Fatal(err)
	}
	unserved.Close()
	unserved.Close()
}
