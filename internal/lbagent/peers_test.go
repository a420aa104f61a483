package lbagent_test

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/lars-lb/lars/internal/lbagent"
	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/routepb"
	"github.com/lars-lb/lars/internal/wire"
	pb "github.com/lars-lb/lars/proto/larspb"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// patience bounds waiting for what takes milliseconds on an idle machine.
const patience = 20 * time.Second

// peer is a TCP server that plays lars-dns or lars-reporter, by the standard
// library. It may be stopped and started again on its address.
type peer struct {
	t      testing.TB
	addr   string
	handle func(c net.Conn, msgid int32, body []byte)

	mu    sync.Mutex
	ln    net.Listener
	conns map[net.Conn]bool
	group sync.WaitGroup
}

func newPeer(t testing.TB, handle func(net.Conn, int32, []byte)) *peer {
	p := &peer{t: t, addr: "127.0.0.1:0", handle: handle, conns: make(map[net.Conn]bool)}
	p.start()
	t.Cleanup(p.stop)
	return p
}

func (p *peer) start() {
	p.t.Helper()
	ln, err := net.Listen("tcp", p.addr)
	if err != nil {
		p.t.Fatal(err)
	}
	p.addr, p.ln = ln.Addr().String(), ln
	p.group.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			p.mu.Lock()
			p.conns[c] = true
			p.mu.Unlock()
			p.group.Go(func() { p.serve(c) })
		}
	})
}

func (p *peer) serve(c net.Conn) {
	defer func() {
		p.mu.Lock()
		delete(p.conns, c)
		p.mu.Unlock()
		_ = c.Close()
	}()
	head := make([]byte, wire.HeadSize)
	for {
		if _, err := io.ReadFull(c, head); err != nil {
			return
		}
		h, err := wire.DecodeHead(head)
		if err != nil {
			p.t.Errorf("the agent sent a bad head: %v", err)
			return
		}
		body := make([]byte, h.Len)
		if _, err := io.ReadFull(c, body); err != nil {
			return
		}
		p.handle(c, h.ID, body)
	}
}

// stop takes the peer away as a crash would: listener and connections at once.
func (p *peer) stop() {
	_ = p.ln.Close()
	p.dropAll()
	p.group.Wait()
}

func (p *peer) dropAll() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		_ = c.Close()
	}
}

// each calls f with every connection.
func (p *peer) each(f func(net.Conn)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for c := range p.conns {
		f(c)
	}
}

// fakeDNS answers pulls from a map.
type fakeDNS struct {
	*peer
	mu     sync.Mutex
	routes map[route.Module][]*pb.HostInfo
	pulls  map[route.Module]int
	mute   bool // do not answer
	stale  bool // answer as from a file
	lars1  bool // know no question for many modules
	many   int  // such questions
	write  func(c net.Conn, frame []byte)
}

func newFakeDNS(t testing.TB) *fakeDNS {
	d := &fakeDNS{routes: make(map[route.Module][]*pb.HostInfo), pulls: make(map[route.Module]int)}
	d.write = func(c net.Conn, frame []byte) { _, _ = c.Write(frame) }
	d.peer = newPeer(t, d.onFrame)
	return d
}

func (d *fakeDNS) onFrame(c net.Conn, msgid int32, body []byte) {
	if msgid == int32(pb.MessageId_ID_GetRoutesRequest) {
		d.onMany(c, body)
		return
	}
	var req pb.GetRouteRequest
	if err := req.UnmarshalVT(body); err != nil || msgid != int32(pb.MessageId_ID_GetRouteRequest) {
		d.t.Errorf("the agent sent lars-dns message %d: %v", msgid, err)
		return
	}
	id := route.Module{ModID: req.Modid, CmdID: req.Cmdid}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.pulls[id]++
	if !d.mute {
		d.write(c, routeFrame(id, d.routes[id], d.stale))
	}
}

// onMany answers a question for many modules, for each with a route or, if the
// agent has it already, all together.
func (d *fakeDNS) onMany(c net.Conn, body []byte) {
	var req pb.GetRoutesRequest
	if err := req.UnmarshalVT(body); err != nil || len(req.Modid) != len(req.Cmdid) || len(req.Modid) != len(req.Digest) {
		d.t.Errorf("the agent asked lars-dns for %v: %v", &req, err)
		return
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	d.many++
	if d.mute || d.lars1 {
		return
	}
	var same pb.GetRoutesResponse
	for i := range req.Modid {
		id := route.Module{ModID: req.Modid[i], CmdID: req.Cmdid[i]}
		d.pulls[id]++
		var nodes []route.Node
		for _, h := range d.routes[id] {
			n, _ := routepb.Node(h)
			nodes = append(nodes, n)
		}
		slices.SortFunc(nodes, route.Node.Compare)
		if !d.stale && route.Digest(nodes) == req.Digest[i] {
			same.Modid, same.Cmdid = append(same.Modid, id.ModID), append(same.Cmdid, id.CmdID)
		} else {
			d.write(c, routeFrame(id, d.routes[id], d.stale))
		}
	}
	answer, _ := same.MarshalVT()
	d.write(c, wire.AppendFrame(nil, int32(pb.MessageId_ID_GetRoutesResponse), answer))
}

func routeFrame(id route.Module, infos []*pb.HostInfo, stale bool) []byte {
	resp := pb.GetRouteResponse{Modid: id.ModID, Cmdid: id.CmdID, Host: infos, Stale: stale}
	body, _ := resp.MarshalVT()
	return wire.AppendFrame(nil, int32(pb.MessageId_ID_GetRouteResponse), body)
}

// infos are hosts as Lars 1.0 sends them, without weights.
func infos(hosts []route.Host) []*pb.HostInfo {
	var list []*pb.HostInfo
	for _, h := range hosts {
		list = append(list, info(h))
	}
	return list
}

func info(h route.Host) *pb.HostInfo { return &pb.HostInfo{Ip: int32(h.IP), Port: int32(h.Port)} }

func weightedInfo(h route.Host, weight uint32) *pb.HostInfo {
	i := info(h)
	i.Weight = &weight
	return i
}

// set changes a route without telling anybody.
func (d *fakeDNS) set(id route.Module, hosts ...route.Host) { d.setInfos(id, infos(hosts)...) }

func (d *fakeDNS) setInfos(id route.Module, list ...*pb.HostInfo) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.routes[id] = list
}

// push changes a route and tells every connection.
func (d *fakeDNS) push(id route.Module, hosts ...route.Host) { d.pushInfos(id, infos(hosts)...) }

func (d *fakeDNS) pushInfos(id route.Module, list ...*pb.HostInfo) {
	d.setInfos(id, list...)
	d.mu.Lock() // answers and pushes must not mix on a connection
	defer d.mu.Unlock()
	d.each(func(c net.Conn) { d.write(c, routeFrame(id, list, d.stale)) })
}

func (d *fakeDNS) setMute(mute bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.mute = mute
}

func (d *fakeDNS) setStale(stale bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.stale = stale
}

func (d *fakeDNS) pulled(id route.Module) int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.pulls[id]
}

// startAgent serves an agent on free ports until the test ends; stop ends it
// sooner.
func startAgent(t testing.TB, dns, reporter string, change func(*lbagent.Config)) (a *lbagent.Agent, stop func()) {
	t.Helper()
	return startAgentWith(t, slog.New(slog.DiscardHandler), dns, reporter, change)
}

func startAgentWith(t testing.TB, log *slog.Logger, dns, reporter string, change func(*lbagent.Config)) (a *lbagent.Agent, stop func()) {
	t.Helper()
	cfg := lbagent.DefaultConfig()
	cfg.Listen = netip.MustParseAddrPort("127.0.0.1:0")
	cfg.DNS, cfg.Reporter = []string{dns}, []string{reporter}
	if change != nil {
		change(&cfg)
	}
	a, err := lbagent.New(cfg, log)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		defer close(done)
		if err := a.Serve(ctx); err != nil {
			t.Errorf("Serve = %v", err)
		}
	}()
	stop = func() { cancel(); <-done }
	t.Cleanup(stop)
	return a, stop
}

// caller is a program of the machine: one UDP socket to one of the servers.
type caller struct {
	t testing.TB
	*net.UDPConn
	buf [1 << 16]byte
}

func newCaller(t testing.TB, addr netip.AddrPort) *caller {
	t.Helper()
	c, err := net.DialUDP("udp", nil, net.UDPAddrFromAddrPort(addr))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if err := c.SetDeadline(time.Now().Add(2 * patience)); err != nil {
		t.Fatal(err)
	}
	return &caller{t: t, UDPConn: c}
}

// callerOf asks the server that owns the module.
func callerOf(t testing.TB, a *lbagent.Agent, id route.Module) *caller {
	t.Helper()
	return newCaller(t, a.Addrs()[id.Shard()])
}

type vtMessage interface{ MarshalVT() ([]byte, error) }

func (c *caller) send(id pb.MessageId, m vtMessage) {
	c.t.Helper()
	body, err := m.MarshalVT()
	if err != nil {
		c.t.Fatal(err)
	}
	if _, err := c.Write(wire.AppendFrame(nil, int32(id), body)); err != nil {
		c.t.Fatal(err)
	}
}

// answer reads one datagram.
func (c *caller) answer(id pb.MessageId) (body []byte) {
	c.t.Helper()
	n, err := c.Read(c.buf[:])
	if err != nil {
		c.t.Fatal(err)
	}
	got, body, err := wire.DecodeDatagram(c.buf[:n])
	if err != nil || got != int32(id) {
		c.t.Fatalf("got message %d, %v; want %v", got, err, id)
	}
	return body
}

func (c *caller) getHost(seq uint32, id route.Module) *pb.GetHostResponse {
	c.t.Helper()
	c.send(pb.MessageId_ID_GetHostRequest, &pb.GetHostRequest{Seq: seq, Modid: id.ModID, Cmdid: id.CmdID})
	var resp pb.GetHostResponse
	if err := resp.UnmarshalVT(c.answer(pb.MessageId_ID_GetHostResponse)); err != nil {
		c.t.Fatal(err)
	}
	if resp.Seq != seq || resp.Modid != id.ModID || resp.Cmdid != id.CmdID {
		c.t.Fatalf("asked %v with seq %d, got %v", id, seq, &resp)
	}
	return &resp
}

// routeAnswer asks for a route and returns the body of the answer.
func (c *caller) routeAnswer(id route.Module) (body []byte) {
	c.t.Helper()
	c.send(pb.MessageId_ID_API_GetRouteRequest, &pb.GetRouteRequest{Modid: id.ModID, Cmdid: id.CmdID})
	return c.answer(pb.MessageId_ID_API_GetRouteResponse)
}

func (c *caller) getRoute(id route.Module) []route.Host {
	c.t.Helper()
	var resp pb.GetRouteResponse
	if err := resp.UnmarshalVT(c.routeAnswer(id)); err != nil {
		c.t.Fatal(err)
	}
	var hosts []route.Host
	for _, h := range resp.Host {
		hosts = append(hosts, route.Host{IP: uint32(h.Ip), Port: uint16(h.Port)})
	}
	return hosts
}

func (c *caller) report(id route.Module, h route.Host, retcode int32) {
	c.t.Helper()
	c.send(pb.MessageId_ID_ReportRequest, &pb.ReportRequest{
		Modid: id.ModID, Cmdid: id.CmdID, Retcode: retcode,
		Host: info(h),
	})
}
