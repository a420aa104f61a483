package lbagent

import (
	"encoding/binary"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/lars-lb/lars/internal/balance"
	"github.com/lars-lb/lars/internal/route"
	pb "github.com/lars-lb/lars/proto/larspb"
	"github.com/lars-lb/lars/reactor"
)

const (
	// resultsPerFrame keeps a report within one frame: a result takes at most
	// 33 bytes, so this many take less than 50,000 of the 65,527 there are.
	resultsPerFrame = 1500
	// reportHighWater is the output beyond which counts stay in the RouteLBs,
	// where they add up, bytes.
	reportHighWater = 1 << 20
	// reportTick is how often due counts are looked for: the most by which a
	// report is late.
	reportTick = 100 * time.Millisecond
)

// reportClient keeps the connection to lars-reporter. Its methods are called
// on its loop.
type reportClient struct {
	loop   *reactor.Loop
	client *reactor.TCPClient
	shards *[route.Shards]*RouteLB
	clock  func() time.Duration
	link   linkLog

	tick    *reactor.Timer
	counts  []balance.Count
	request pb.ReportStatusRequest
	results []pb.HostCallResult // what request.Results points to

	waiting []waitingFrame // queued since the kernel last had taken everything
	queued  uint64         // where the last of them ends
}

// waitingFrame is a frame on the connection that the kernel may not have taken.
type waitingFrame struct {
	id     route.Module
	counts []balance.Count
	end    uint64 // its end in all that the client ever wrote, bytes
}

func newReportClient(addrs []string, shards *[route.Shards]*RouteLB, clock func() time.Duration, log *slog.Logger) (*reportClient, error) {
	loop, err := reactor.NewLoop()
	if err != nil {
		return nil, err
	}
	r := &reportClient{
		loop: loop, shards: shards, clock: clock,
		link:    linkLog{log: log, clock: clock, what: "lars-reporter", addr: strings.Join(addrs, ", ")},
		results: make([]pb.HostCallResult, resultsPerFrame),
	}
	r.client, err = reactor.NewTCPClient(loop, reactor.TCPClientConfig{
		Addrs: addrs,
		// Room for the largest module on top of the mark: its frames are
		// queued whole or not at all.
		Conn: reactor.ConnConfig{MaxOutput: 2 * reportHighWater},
		Hooks: reactor.ConnHooks{
			OnOpen:  r.onOpen,
			OnClose: func(_ *reactor.TCPConn, reason error) { r.onClose(reason) },
			OnDrain: func(*reactor.TCPConn) { r.onDrain() },
		},
		OnConnectError: r.link.cannotConnect,
	}, reactor.NewRouter[*reactor.TCPConn]())
	if err != nil {
		loop.Close()
		return nil, err
	}
	r.tick = loop.AfterFunc(reportTick, r.onTick)
	return r, nil
}

func (r *reportClient) onOpen(c *reactor.TCPConn) {
	r.link.up(c.RemoteAddr())
	r.queued = r.client.Stats().BytesOut
}

// onClose takes back the counts that the kernel had not taken: nobody will
// send them. What it had taken may have arrived or not; without an answer from
// lars-reporter that cannot be known, and it must not be counted twice.
func (r *reportClient) onClose(reason error) {
	r.link.down(reason)
	taken, now := r.client.Stats().BytesOut, r.clock()
	for _, f := range r.waiting {
		if f.end > taken {
			r.shards[f.id.Shard()].ReturnCounts(f.id, f.counts, now)
		}
	}
	r.waiting = nil
}

// onDrain goes on when the kernel has taken everything.
func (r *reportClient) onDrain() {
	clear(r.waiting)
	r.waiting = r.waiting[:0]
	r.send(false)
}

func (r *reportClient) onTick() {
	r.tick.Reset(reportTick)
	r.send(false)
}

// send reports the counts that are due, or all of them, as far as the
// connection takes them. What it does not take adds up until the next time.
func (r *reportClient) send(all bool) {
	c := r.client.Conn()
	if c == nil {
		return
	}
	caller, now := callerIP(c), r.clock()
	for _, shard := range r.shards {
		for c.Buffered() < reportHighWater {
			id, counts, ok := shard.TakeDueCounts(r.counts[:0], all, now)
			r.counts = counts
			if !ok {
				break
			}
			if rest := r.sendCounts(c, id, caller, counts); len(rest) > 0 {
				shard.ReturnCounts(id, rest, now)
				return
			}
		}
	}
}

// flushed sends all counts and reports whether none is left, here or on the
// connection.
func (r *reportClient) flushed() bool {
	r.send(true)
	for _, shard := range r.shards {
		if shard.Stats().Counting > 0 {
			return false
		}
	}
	c := r.client.Conn()
	return c == nil || c.Buffered() == 0
}

// sendCounts queues a module's counts in as many frames as they need, and
// returns those that the connection did not take.
func (r *reportClient) sendCounts(c *reactor.TCPConn, id route.Module, caller int32, counts []balance.Count) (rest []balance.Count) {
	for len(counts) > 0 {
		n := min(len(counts), resultsPerFrame)
		req := &r.request
		req.Modid, req.Cmdid, req.Caller, req.Ts = id.ModID, id.CmdID, caller, uint32(time.Now().Unix())
		req.Results = req.Results[:0]
		for i, count := range counts[:n] {
			result := &r.results[i]
			result.Ip, result.Port = int32(count.Host.IP), int32(count.Host.Port)
			result.Succ, result.Err, result.Overload = count.Succ, count.Err, count.Overload
			req.Results = append(req.Results, result)
		}
		before := c.Buffered()
		if c.SendMessage(int32(pb.MessageId_ID_ReportStatusRequest), req) != nil {
			return counts
		}
		r.queued += uint64(c.Buffered() - before)
		r.waiting = append(r.waiting, waitingFrame{id, slices.Clone(counts[:n]), r.queued})
		counts = counts[n:]
	}
	return nil
}

// callerIP is this machine's address as lars-reporter sees it, 0 over IPv6.
func callerIP(c *reactor.TCPConn) int32 {
	addr := c.LocalAddr().Addr()
	if !addr.Is4() {
		return 0
	}
	b := addr.As4()
	return int32(binary.BigEndian.Uint32(b[:]))
}
