package lbagent

import (
	"log/slog"
	"time"

	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/routepb"
	pb "github.com/lars-lb/lars/proto/larspb"
	"github.com/lars-lb/lars/reactor"
)

const (
	// pullQueue bounds the pulls on their way from the UDP loops. A pull that
	// finds it full is sent with the overdue ones.
	pullQueue = 1 << 16
	// pullHighWater is the output beyond which no more pulls are queued on the
	// connection until it has drained, bytes.
	pullHighWater = 256 << 10
	// overdueEvery is how often pulls without an answer are looked for; it is
	// also the most by which such a pull is late.
	overdueEvery = 100 * time.Millisecond
	// overdueBatch bounds how many of them are taken from a RouteLB at a time.
	overdueBatch = 4096
)

// dnsClient keeps the connection to lars-dns. Its methods are called on its
// loop, but for pull.
type dnsClient struct {
	loop   *reactor.Loop
	client *reactor.TCPClient
	queue  *reactor.Queue[route.Module]
	shards *[route.Shards]*RouteLB
	clock  func() time.Duration
	link   linkLog
	onNew  func(fromFile bool) // there is something to save; nil for nobody

	// toPull[pulled:] are modules to be pulled on this connection: all of them
	// after it came up, since a subscription ends with its connection, or a
	// batch of overdue or new ones. Another batch waits until they are sent.
	toPull    []route.Module
	pulled    int
	highWater int
	overdue   *reactor.Timer
	response  pb.GetRouteResponse
	nodes     []route.Node
}

func newDNSClient(addr string, shards *[route.Shards]*RouteLB, clock func() time.Duration, log *slog.Logger) (*dnsClient, error) {
	loop, err := reactor.NewLoop()
	if err != nil {
		return nil, err
	}
	d := &dnsClient{loop: loop, shards: shards, clock: clock, highWater: pullHighWater,
		link: linkLog{log: log, clock: clock, what: "lars-dns", addr: addr}}
	d.queue = reactor.NewQueue(loop, pullQueue, d.sendPulls)
	router := reactor.NewRouter[*reactor.TCPConn]()
	router.Handle(int32(pb.MessageId_ID_GetRouteResponse), d.onRoute)
	d.client, err = reactor.NewTCPClient(loop, reactor.TCPClientConfig{
		Addr: addr,
		Hooks: reactor.ConnHooks{
			OnOpen:  d.onOpen,
			OnClose: func(_ *reactor.TCPConn, reason error) { d.link.down(reason) },
			OnDrain: func(*reactor.TCPConn) { d.sendMore() },
		},
		OnConnectError: d.link.cannotConnect,
	}, router)
	if err != nil {
		loop.Close()
		return nil, err
	}
	d.overdue = loop.AfterFunc(overdueEvery, d.onOverdue)
	return d, nil
}

// pull has lars-dns asked for a module. Any goroutine may call it. The pull
// may be dropped: it is noted in the RouteLB and will be overdue.
func (d *dnsClient) pull(id route.Module) { d.queue.Push(id) }

func (d *dnsClient) sendPulls(batch []route.Module) {
	// Without a connection, onOpen will pull them; behind others that still
	// wait for room, they will be overdue.
	if d.client.Conn() != nil && d.allPulled() {
		d.toPull = append(d.toPull, batch...)
		d.sendMore()
	}
}

func (d *dnsClient) onOpen(c *reactor.TCPConn) {
	d.link.up(c.RemoteAddr())
	d.toPull, d.pulled = d.toPull[:0], 0
	now := d.clock()
	for _, r := range d.shards {
		d.toPull = r.AskAll(d.toPull, now)
	}
	d.sendMore()
}

// onOverdue pulls again what was not answered in time.
func (d *dnsClient) onOverdue() {
	d.overdue.Reset(overdueEvery)
	// While pulls still wait for room on the connection, they are not late
	// because of lars-dns.
	if d.client.Conn() == nil || !d.allPulled() {
		return
	}
	now := d.clock()
	for _, r := range d.shards {
		d.toPull = r.Overdue(d.toPull, overdueBatch, now)
	}
	d.sendMore()
}

// allPulled reports whether toPull is empty.
func (d *dnsClient) allPulled() bool { return len(d.toPull) == 0 }

// sendMore sends pulls up to the high-water mark; the rest follows when the
// output has drained.
func (d *dnsClient) sendMore() {
	c := d.client.Conn()
	if c == nil {
		return
	}
	for ; d.pulled < len(d.toPull) && c.Buffered() < d.highWater; d.pulled++ {
		id := d.toPull[d.pulled]
		req := pb.GetRouteRequest{Modid: id.ModID, Cmdid: id.CmdID}
		if c.SendMessage(int32(pb.MessageId_ID_GetRouteRequest), &req) != nil {
			return
		}
	}
	if d.pulled == len(d.toPull) {
		d.toPull, d.pulled = d.toPull[:0], 0
	}
}

// onRoute takes the answer to a pull, or a push.
func (d *dnsClient) onRoute(_ *reactor.TCPConn, body []byte) error {
	resp := &d.response
	resp.Reset()
	if err := resp.UnmarshalVT(body); err != nil {
		return err
	}
	d.nodes = d.nodes[:0]
	for _, h := range resp.Host {
		if n, ok := routepb.Node(h); ok {
			d.nodes = append(d.nodes, n)
		}
	}
	id := route.Module{ModID: resp.Modid, CmdID: resp.Cmdid}
	shard, apply := d.shards[id.Shard()], (*RouteLB).Apply
	if resp.Stale {
		apply = (*RouteLB).ApplyStale
	}
	if apply(shard, id, d.nodes, d.clock()) && d.onNew != nil {
		d.onNew(resp.Stale)
	}
	return nil
}
