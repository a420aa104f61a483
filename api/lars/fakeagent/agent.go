package fakeagent

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"strings"
	"sync"
	"time"

	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/wire"
	pb "github.com/lars-lb/lars/proto/larspb"
)

// Report is a report that the agent was sent.
type Report struct {
	ModID, CmdID int32
	Host         string // IP:PORT
	Retcode      int32
	Cost         time.Duration
}

// Request is a question that the agent was asked.
type Request struct {
	Port         int  // which of the three ports it came to, 0 to 2
	Route        bool // for a route; for a host otherwise
	ModID, CmdID int32
}

// Agent serves until it is closed.
type Agent struct {
	conns [route.Shards]*net.UDPConn
	wg    sync.WaitGroup

	mu       sync.Mutex
	routes   map[route.Module][]route.Host
	picks    map[route.Module]int
	retcodes map[route.Module]pb.LarsRetCode
	reports  []Report
	requests []Request
	arrived  chan struct{} // closed and replaced with every report
	tap      func(Request, []byte) [][]byte
	thawed   chan struct{} // nil unless frozen
	closed   chan struct{}
	closing  sync.Once
}

// Start starts an agent that knows no module.
func Start() (*Agent, error) { return StartAt("127.0.0.1:0,127.0.0.1:0,127.0.0.1:0") }

// StartAt starts an agent that knows no module at three addresses, as Addr of an
// earlier one returned them: that one was restarted. The system may have given a
// port away meanwhile, unless it is none of those that it gives to clients.
func StartAt(addr string) (*Agent, error) {
	addrs := strings.Split(addr, ",")
	if len(addrs) != route.Shards {
		return nil, fmt.Errorf("fakeagent: address %q: give three IP:PORT with commas", addr)
	}
	a := &Agent{
		routes:   make(map[route.Module][]route.Host),
		picks:    make(map[route.Module]int),
		retcodes: make(map[route.Module]pb.LarsRetCode),
		arrived:  make(chan struct{}),
		closed:   make(chan struct{}),
	}
	for i := range a.conns {
		conn, err := listen(addrs[i])
		if err != nil {
			for _, opened := range a.conns[:i] {
				opened.Close()
			}
			return nil, fmt.Errorf("fakeagent: listen on port %d of %d: %w", i+1, len(a.conns), err)
		}
		a.conns[i] = conn
	}
	for i := range a.conns {
		a.wg.Go(func() { a.serve(i) })
	}
	return a, nil
}

func listen(addr string) (*net.UDPConn, error) {
	ap, err := netip.ParseAddrPort(addr)
	if err != nil {
		return nil, err
	}
	return net.ListenUDP("udp4", net.UDPAddrFromAddrPort(ap))
}

// Close stops the agent and waits until it has. It may be called twice.
func (a *Agent) Close() {
	a.closing.Do(func() { close(a.closed) })
	for _, conn := range a.conns {
		conn.Close()
	}
	a.wg.Wait()
}

// Addr returns the three addresses as lars.Config.Agent takes them.
func (a *Agent) Addr() string {
	addrs := make([]string, len(a.conns))
	for i, conn := range a.conns {
		addrs[i] = conn.LocalAddr().String()
	}
	return strings.Join(addrs, ",")
}

// SetRoute gives a module these hosts, each IP:PORT, and no others. With none
// the module does not exist. It panics when a host is not IPv4:PORT.
func (a *Agent) SetRoute(modid, cmdid int32, hosts ...string) {
	parsed := make([]route.Host, len(hosts))
	for i, s := range hosts {
		h, err := route.ParseHost(s)
		if err != nil {
			panic("fakeagent: " + err.Error())
		}
		parsed[i] = h
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.routes[route.Module{ModID: modid, CmdID: cmdid}] = parsed
}

// SetRetcode makes GetHost of a module be answered with a return code of
// lars.proto: 1 is overloaded, 2 a system error; 0 is back to normal.
func (a *Agent) SetRetcode(modid, cmdid, code int32) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.retcodes[route.Module{ModID: modid, CmdID: cmdid}] = pb.LarsRetCode(code)
}

// Tap puts f between the agent and the network: it is given each question and
// the datagram that answers it, and returns the datagrams to send. It is called
// by one goroutine for each port. Nil takes the tap away.
func (a *Agent) Tap(f func(q Request, answer []byte) [][]byte) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.tap = f
}

// Freeze stops the agent as SIGSTOP stops a process: what it is sent waits in
// the system until Thaw. It may be called twice.
func (a *Agent) Freeze() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.thawed == nil {
		a.thawed = make(chan struct{})
	}
}

// Thaw ends what Freeze began.
func (a *Agent) Thaw() {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.thawed != nil {
		close(a.thawed)
		a.thawed = nil
	}
}

// awake waits while the agent is frozen, and reports false when it was closed.
func (a *Agent) awake() bool {
	a.mu.Lock()
	thawed := a.thawed
	a.mu.Unlock()
	if thawed == nil {
		return true
	}
	select {
	case <-thawed:
		return true
	case <-a.closed:
		return false
	}
}

// Requests returns the questions asked so far, in order.
func (a *Agent) Requests() []Request {
	a.mu.Lock()
	defer a.mu.Unlock()
	return append([]Request(nil), a.requests...)
}

// Reports waits until at least n reports have come, and returns all of them in
// order. The error is that of ctx.
func (a *Agent) Reports(ctx context.Context, n int) ([]Report, error) {
	for {
		a.mu.Lock()
		reports, arrived := append([]Report(nil), a.reports...), a.arrived
		a.mu.Unlock()
		if len(reports) >= n {
			return reports, nil
		}
		select {
		case <-arrived:
		case <-ctx.Done():
			return reports, fmt.Errorf("fakeagent: %d of %d reports have come: %w", len(reports), n, ctx.Err())
		}
	}
}

func (a *Agent) serve(port int) {
	conn := a.conns[port]
	buf := make([]byte, wire.MaxDatagram)
	for {
		n, from, err := conn.ReadFromUDPAddrPort(buf)
		if errors.Is(err, net.ErrClosed) {
			return
		}
		if err != nil {
			continue // on Windows, an earlier answer that nobody took
		}
		if !a.awake() {
			return
		}
		a.handle(port, from, buf[:n])
	}
}

func (a *Agent) handle(port int, from netip.AddrPort, datagram []byte) {
	id, body, err := wire.DecodeDatagram(datagram)
	if err != nil {
		return
	}
	switch pb.MessageId(id) {
	case pb.MessageId_ID_GetHostRequest:
		var q pb.GetHostRequest
		if q.UnmarshalVT(body) == nil {
			a.answer(from, Request{port, false, q.Modid, q.Cmdid}, pb.MessageId_ID_GetHostResponse, a.pick(&q))
		}
	case pb.MessageId_ID_API_GetRouteRequest:
		var q pb.GetRouteRequest
		if q.UnmarshalVT(body) == nil {
			a.answer(from, Request{port, true, q.Modid, q.Cmdid}, pb.MessageId_ID_API_GetRouteResponse, a.list(&q))
		}
	case pb.MessageId_ID_ReportRequest:
		var r pb.ReportRequest
		if r.UnmarshalVT(body) == nil {
			a.keep(&r)
		}
	}
}
