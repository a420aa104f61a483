package lbagent

import (
	"time"

	"github.com/lars-lb/lars/internal/balance"
	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/routepb"
	pb "github.com/lars-lb/lars/proto/larspb"
	"github.com/lars-lb/lars/reactor"
)

// callers answers what the programs of the machine ask of one UDP server. It
// belongs to that server's loop, so the messages that it decodes into and
// answers with are used again and again: the path of GetHost and of Report
// does not allocate.
type callers struct {
	shards *[route.Shards]*RouteLB
	pull   func(route.Module)
	clock  func() time.Duration

	getHost     pb.GetHostRequest
	picked      pb.GetHostResponse
	pickedHost  pb.HostInfo
	report      pb.ReportRequest
	reportHost  pb.HostInfo
	getRoute    pb.GetRouteRequest
	route       pb.GetRouteResponse
	routeHosts  routepb.Hosts
	routeBuffer []route.Node
}

func (c *callers) router() *reactor.Router[*reactor.Datagram] {
	r := reactor.NewRouter[*reactor.Datagram]()
	r.Handle(int32(pb.MessageId_ID_GetHostRequest), c.onGetHost)
	r.Handle(int32(pb.MessageId_ID_ReportRequest), c.onReport)
	r.Handle(int32(pb.MessageId_ID_API_GetRouteRequest), c.onGetRoute)
	return r
}

func (c *callers) onGetHost(d *reactor.Datagram, body []byte) error {
	req := &c.getHost
	req.Reset()
	if err := req.UnmarshalVT(body); err != nil {
		return err
	}
	id := route.Module{ModID: req.Modid, CmdID: req.Cmdid}
	h, verdict, pull := c.shards[id.Shard()].Pick(id, c.clock())
	if pull {
		c.pull(id)
	}
	resp := &c.picked
	resp.Seq, resp.Modid, resp.Cmdid = req.Seq, req.Modid, req.Cmdid
	resp.Retcode, resp.Host = int32(retcode(verdict)), nil
	if verdict == balance.Picked {
		c.pickedHost.Ip, c.pickedHost.Port = int32(h.IP), int32(h.Port)
		resp.Host = &c.pickedHost
	}
	return d.ReplyMessage(int32(pb.MessageId_ID_GetHostResponse), resp)
}

func retcode(v balance.Verdict) pb.LarsRetCode {
	switch v {
	case balance.Picked:
		return pb.LarsRetCode_RET_SUCC
	case balance.Overloaded:
		return pb.LarsRetCode_RET_OVERLOAD
	default:
		return pb.LarsRetCode_RET_NOEXIST
	}
}

func (c *callers) onReport(_ *reactor.Datagram, body []byte) error {
	req := &c.report
	req.Reset()
	c.reportHost.Reset()
	req.Host = &c.reportHost // decoded into; without a host it stays 0:0, which is in no route
	if err := req.UnmarshalVT(body); err != nil {
		return err
	}
	id := route.Module{ModID: req.Modid, CmdID: req.Cmdid}
	h, _ := route.HostFromNumbers(int64(uint32(req.Host.Ip)), int64(req.Host.Port))
	cost := time.Duration(req.CostUs) * time.Microsecond
	c.shards[id.Shard()].Report(id, h, req.Retcode == int32(pb.LarsRetCode_RET_SUCC), cost, c.clock())
	return nil
}

func (c *callers) onGetRoute(d *reactor.Datagram, body []byte) error {
	req := &c.getRoute
	req.Reset()
	if err := req.UnmarshalVT(body); err != nil {
		return err
	}
	id := route.Module{ModID: req.Modid, CmdID: req.Cmdid}
	nodes, stale, pull := c.shards[id.Shard()].Route(id, c.routeBuffer[:0], c.clock())
	if pull {
		c.pull(id)
	}
	c.routeBuffer = nodes
	resp := &c.route
	resp.Modid, resp.Cmdid, resp.Host = req.Modid, req.Cmdid, c.routeHosts.Of(nodes)
	resp.Stale = stale
	return d.ReplyMessage(int32(pb.MessageId_ID_API_GetRouteResponse), resp)
}
