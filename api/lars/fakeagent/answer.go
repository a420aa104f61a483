package fakeagent

import (
	"net/netip"
	"time"

	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/wire"
	pb "github.com/lars-lb/lars/proto/larspb"
)

// answer sends m to whoever asked q, through the tap.
func (a *Agent) answer(to netip.AddrPort, q Request, id pb.MessageId, m interface{ MarshalVT() ([]byte, error) }) {
	body, err := m.MarshalVT()
	if err != nil {
		return
	}
	a.mu.Lock()
	a.requests = append(a.requests, q)
	tap := a.tap
	a.mu.Unlock()
	datagrams := [][]byte{wire.AppendFrame(nil, int32(id), body)}
	if tap != nil {
		datagrams = tap(q, datagrams[0])
	}
	for _, d := range datagrams {
		// Whoever asked may be gone, and the agent closed.
		_, _ = a.conns[q.Port].WriteToUDPAddrPort(d, to)
	}
}

// pick answers with the module's next host.
func (a *Agent) pick(q *pb.GetHostRequest) *pb.GetHostResponse {
	a.mu.Lock()
	defer a.mu.Unlock()
	m := route.Module{ModID: q.Modid, CmdID: q.Cmdid}
	r := &pb.GetHostResponse{Seq: q.Seq, Modid: q.Modid, Cmdid: q.Cmdid, Retcode: int32(a.retcodes[m])}
	hosts := a.routes[m]
	switch {
	case r.Retcode != 0:
	case len(hosts) == 0:
		r.Retcode = int32(pb.LarsRetCode_RET_NOEXIST)
	default:
		r.Host = hostInfo(hosts[a.picks[m]%len(hosts)])
		a.picks[m]++
	}
	return r
}

func (a *Agent) list(q *pb.GetRouteRequest) *pb.GetRouteResponse {
	a.mu.Lock()
	defer a.mu.Unlock()
	r := &pb.GetRouteResponse{Modid: q.Modid, Cmdid: q.Cmdid}
	for _, h := range a.routes[route.Module{ModID: q.Modid, CmdID: q.Cmdid}] {
		r.Host = append(r.Host, hostInfo(h))
	}
	return r
}

func (a *Agent) keep(r *pb.ReportRequest) {
	h, _ := route.HostFromNumbers(int64(uint32(r.GetHost().GetIp())), int64(r.GetHost().GetPort()))
	a.mu.Lock()
	defer a.mu.Unlock()
	a.reports = append(a.reports, Report{
		ModID: r.Modid, CmdID: r.Cmdid, Host: h.String(), Retcode: r.Retcode,
		Cost: time.Duration(r.CostUs) * time.Microsecond,
	})
	close(a.arrived)
	a.arrived = make(chan struct{})
}

func hostInfo(h route.Host) *pb.HostInfo {
	return &pb.HostInfo{Ip: int32(h.IP), Port: int32(h.Port)}
}
