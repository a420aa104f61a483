package agent

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/routepb"
	pb "github.com/lars-lb/lars/proto/larspb"
	"github.com/lars-lb/lars/reactor"
)

// pushEvery is how often an origin pushes what is to be pushed meanwhile.
const pushEvery = 10 * time.Millisecond

// origin stands in for lars-dns where very many modules, or very many changes,
// would have that take the processors from the agent, which is what is measured.
// Each module has as many hosts as its modid says. It serves one agent.
type origin struct {
	server *reactor.TCPServer
	ended  sync.WaitGroup

	// Owned by the loop.
	agent    *reactor.TCPConn
	nodes    []route.Node
	hosts    routepb.Hosts
	request  pb.GetRouteRequest
	requests pb.GetRoutesRequest
	changes  []route.Module // to be pushed in turn
	perTick  int
	pushed   uint64
	next     *reactor.Timer // of the changes
}

func startOrigin() (*origin, error) {
	o := &origin{}
	router := reactor.NewRouter[*reactor.TCPConn]()
	router.Handle(int32(pb.MessageId_ID_GetRouteRequest), o.onPull)
	router.Handle(int32(pb.MessageId_ID_GetRoutesRequest), o.onPullMany)
	var err error
	o.server, err = reactor.ListenTCP(reactor.TCPServerConfig{
		Addr: netip.MustParseAddrPort("127.0.0.1:0"),
		Conn: reactor.ConnConfig{MaxOutput: 64 << 20}, // answers to all pulls that an agent has under way
		Hooks: reactor.ConnHooks{
			OnOpen:  func(c *reactor.TCPConn) { o.agent = c },
			OnClose: func(*reactor.TCPConn, error) { o.agent = nil },
		},
	}, router)
	if err != nil {
		return nil, err
	}
	o.ended.Go(func() { _ = o.server.Serve(context.Background()) })
	return o, nil
}

func (o *origin) stop() {
	o.server.Close()
	o.ended.Wait()
}

// routeOf are the hosts of a module after some changes, each of which makes its
// first host another.
func (o *origin) routeOf(id route.Module, changes uint64) []route.Node {
	o.nodes = o.nodes[:0]
	for i := range uint32(id.ModID) {
		port := uint16(7000)
		if i == 0 {
			port += uint16(changes % 2)
		}
		o.nodes = append(o.nodes, route.NodeOf(route.Host{IP: 10<<24 | i<<8 | 1, Port: port}, 100))
	}
	return o.nodes
}

func (o *origin) send(c *reactor.TCPConn, id route.Module, nodes []route.Node) error {
	resp := pb.GetRouteResponse{Modid: id.ModID, Cmdid: id.CmdID, Host: o.hosts.Of(nodes)}
	return c.SendMessage(int32(pb.MessageId_ID_GetRouteResponse), &resp)
}

func (o *origin) onPull(c *reactor.TCPConn, body []byte) error {
	o.request.Reset()
	if err := o.request.UnmarshalVT(body); err != nil {
		return err
	}
	id := route.Module{ModID: o.request.Modid, CmdID: o.request.Cmdid}
	_ = o.send(c, id, o.routeOf(id, 0)) // what finds no room is pulled again
	return nil
}

// onPullMany says of all modules that the agent has their routes: it has pulled
// each before, and knows the changes.
func (o *origin) onPullMany(c *reactor.TCPConn, body []byte) error {
	req := &o.requests
	req.Modid, req.Cmdid, req.Digest = req.Modid[:0], req.Cmdid[:0], req.Digest[:0]
	if err := req.UnmarshalVT(body); err != nil {
		return err
	}
	resp := pb.GetRoutesResponse{Modid: req.Modid, Cmdid: req.Cmdid}
	_ = c.SendMessage(int32(pb.MessageId_ID_GetRoutesResponse), &resp)
	return nil
}

// change has modules change in turn, so many a second, until the function that
// it returns is called, which tells how many changes there were.
func (o *origin) change(modules []route.Module, perSecond int) (stop func() uint64, err error) {
	loop := o.server.Loops()[0]
	do := func(f func()) error {
		done := make(chan struct{})
		if err := loop.Post(func() { f(); close(done) }); err != nil {
			return err
		}
		<-done
		return nil
	}
	var first uint64
	err = do(func() {
		first = o.pushed
		o.changes, o.perTick = modules, perSecond/int(time.Second/pushEvery)
		o.push(loop)
	})
	return func() (n uint64) {
		_ = do(func() {
			o.next.Stop()
			n = o.pushed - first
		})
		return n
	}, err
}

func (o *origin) push(loop *reactor.Loop) {
	for range o.perTick {
		n := uint64(len(o.changes))
		id := o.changes[o.pushed%n]
		o.pushed++
		if o.agent != nil {
			_ = o.send(o.agent, id, o.routeOf(id, 1+o.pushed/n))
		}
	}
	o.next = loop.AfterFunc(pushEvery, func() { o.push(loop) })
}
