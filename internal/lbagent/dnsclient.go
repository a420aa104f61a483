package lbagent

import (
	"errors"
	"log/slog"
	"strings"
	"sync/atomic"
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
// loop, but for pull and Stats.
type dnsClient struct {
	loop   *reactor.Loop
	client *reactor.TCPClient
	queue  *reactor.Queue[route.Module]
	shards *[route.Shards]*RouteLB
	clock  func() time.Duration
	link   linkLog
	onNew  func(fromFile bool) // there is something to save; nil for nobody

	// pulls are all modules after a connection came up, since a subscription
	// ends with its connection; later a batch of overdue ones, and new ones.
	pulls     pulls
	highWater int
	overdue   *reactor.Timer
	many      manyPulls
	live      liveness
	response  pb.GetRouteResponse
	nodes     []route.Node
	silences  atomic.Uint64
	inFlight  atomic.Int64
}

func newDNSClient(addrs []string, shards *[route.Shards]*RouteLB, clock func() time.Duration, log *slog.Logger) (*dnsClient, error) {
	loop, err := reactor.NewLoop()
	if err != nil {
		return nil, err
	}
	d := &dnsClient{loop: loop, shards: shards, clock: clock, highWater: pullHighWater,
		link: linkLog{log: log, clock: clock, what: "lars-dns", addr: strings.Join(addrs, ", ")}}
	d.queue = reactor.NewQueue(loop, pullQueue, d.sendPulls)
	router := reactor.NewRouter[*reactor.TCPConn]()
	router.Handle(int32(pb.MessageId_ID_GetRouteResponse), d.onRoute)
	router.Handle(int32(pb.MessageId_ID_GetRoutesResponse), d.onUnchanged)
	d.client, err = reactor.NewTCPClient(loop, reactor.TCPClientConfig{
		Addrs: addrs,
		Hooks: reactor.ConnHooks{
			OnOpen:  d.onOpen,
			OnClose: func(_ *reactor.TCPConn, reason error) { d.onClose(reason) },
			OnDrain: func(*reactor.TCPConn) { d.sendMore() },
		},
		Probe:          d.probe,
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
	// Without a connection, onOpen will pull them; behind too many others that
	// wait for room on it, they will be overdue.
	if d.client.Conn() != nil && len(d.pulls.urgent.modules) < pullQueue {
		d.pulls.urgent.modules = append(d.pulls.urgent.modules, batch...)
		d.sendMore()
	}
}

func (d *dnsClient) onOpen(c *reactor.TCPConn) {
	d.link.up(c.RemoteAddr())
	now := d.clock()
	d.pulls.restart(now)
	d.many = manyPulls{}
	d.live.restart(now)
	for _, r := range d.shards {
		d.pulls.others.modules = r.AskAll(d.pulls.others.modules, now)
	}
	d.sendMore()
}

func (d *dnsClient) onClose(reason error) {
	d.inFlight.Store(0)
	if errors.Is(reason, errSilent) {
		d.silences.Add(1)
	}
	d.link.down(reason)
}

// onOverdue pulls again what was not answered in time, and looks for
// another lars-dns if this one does not answer at all.
func (d *dnsClient) onOverdue() {
	d.overdue.Reset(overdueEvery)
	if d.client.Conn() == nil {
		return
	}
	now := d.clock()
	d.checkLiveness(now)
	d.pulls.expire(now)
	d.many.expire(now)
	// While pulls still wait for their turn, they are not late because of
	// lars-dns.
	if d.pulls.others.empty() {
		for _, r := range d.shards {
			d.pulls.others.modules = r.Overdue(d.pulls.others.modules, overdueBatch, now)
		}
	}
	d.sendMore()
}

// sendMore sends pulls up to the high-water mark and the window; the rest
// follows when the output has drained, and as answers come.
func (d *dnsClient) sendMore() {
	c := d.client.Conn()
	if c == nil {
		return
	}
	now := d.clock()
	for c.Buffered() < d.highWater {
		if d.pulls.urgent.empty() && !d.many.refused {
			if !d.sendMany(c, now) {
				break
			}
			continue
		}
		id, ok := d.pulls.next()
		if !ok {
			break
		}
		req := pb.GetRouteRequest{Modid: id.ModID, Cmdid: id.CmdID}
		if c.SendMessage(int32(pb.MessageId_ID_GetRouteRequest), &req) != nil {
			break
		}
		d.pulls.sent(now)
	}
	d.inFlight.Store(int64(d.pulls.unanswered))
}

// onRoute takes the answer to a pull, or a push.
func (d *dnsClient) onRoute(_ *reactor.TCPConn, body []byte) error {
	resp := &d.response
	resp.Reset()
	if err := resp.UnmarshalVT(body); err != nil {
		return err
	}
	now := d.clock()
	d.heard(1, now)
	d.nodes = d.nodes[:0]
	for _, h := range resp.Host {
		if n, ok := routepb.Node(h); ok {
			d.nodes = append(d.nodes, n)
		}
	}
	id := route.Module{ModID: resp.Modid, CmdID: resp.Cmdid}
	d.live.answered(id, len(d.nodes) > 0)
	shard, apply := d.shards[id.Shard()], (*RouteLB).Apply
	if resp.Stale {
		apply = (*RouteLB).ApplyStale
	}
	if apply(shard, id, d.nodes, now) && d.onNew != nil {
		d.onNew(resp.Stale)
	}
	// Half a window at a time: an answer for each pull would be a write for each.
	if d.pulls.unanswered <= pullWindow/2 {
		d.sendMore()
	}
	return nil
}
