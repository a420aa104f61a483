package lbagent

import (
	"encoding/binary"
	"errors"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync/atomic"
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
	// reportHighWater is the output beyond which frames wait in the window,
	// bytes.
	reportHighWater = 256 << 10
	// reportTick is how often due counts are looked for: the most by which a
	// report is late.
	reportTick = 100 * time.Millisecond
	// A lars-reporter of Lars 1.0 acknowledges nothing. One that has not
	// answered a first frame for helloWithin is taken for such a one, unless one
	// that answers was seen before: this may be it, frozen. Then a connection is
	// given up after helloAgain, and frozenConns of them must follow one another
	// before there is nobody else to wait for. Counts add up meanwhile.
	helloWithin = 5 * time.Second
	helloAgain  = time.Minute
	frozenConns = 10
	// firstFlight is how many frames are sent on a connection before one of them
	// is acknowledged. While the database is away lars-reporter keeps what it is
	// sent: a few frames of each agent must fit, all of all agents need not. The
	// other counts add up in the RouteLBs.
	firstFlight = 4
)

// reportClient keeps the connection to lars-reporter. Its methods are called
// on its loop.
//
// Each frame has a number, and lars-reporter acknowledges those that are in the
// database. Until then a frame is kept, and sent again, as it was, on the next
// connection, perhaps to another replica; the database has the number of the
// last one, so that none is counted twice. To a lars-reporter that does not
// acknowledge, what the kernel has taken counts as delivered, as there is
// nothing better to know. If that was wrong nothing is counted twice there
// either: it replaces what it had by the same values.
type reportClient struct {
	loop   *reactor.Loop
	client *reactor.TCPClient
	shards *[route.Shards]*RouteLB
	clock  func() time.Duration
	link   linkLog

	bootID uint64 // of this run of the agent, never 0
	window reportWindow
	live   reportLiveness
	tick   *reactor.Timer

	queued   uint64        // all that was ever sent ends here, bytes
	firstAt  time.Duration // when the first frame of this connection was sent
	first    bool          // it was
	answers  bool          // lars-reporter acknowledges, on this connection
	flows    bool          // and has acknowledged a frame; or it never will
	stopping bool          // the agent ends: all is sent now
	answered bool          // or did on one before
	frozen   int           // connections given up since, one after another

	counts  []balance.Count
	request pb.ReportStatusRequest
	results []pb.HostCallResult // what request.Results points to
	ack     pb.ReportStatusResponse
	stats   reportCounters
}

// ReportStats counts what became of reports to lars-reporter.
type ReportStats struct {
	Unacked       int64  `json:"unacked"`       // frames made and not acknowledged, now
	UnackedHosts  int64  `json:"unacked_hosts"` // results in them
	Window        int64  `json:"window"`        // of such results, beyond which counts wait
	Sent          uint64 `json:"sent"`          // frames, those sent again included
	Resent        uint64 `json:"resent"`        // frames sent again after a connection was lost
	Acknowledged  uint64 `json:"acknowledged"`  // acknowledgements
	Unanswered    uint64 `json:"unanswered"`    // frames taken for delivered without an acknowledgement
	Acknowledging bool   `json:"acknowledging"` // the lars-reporter connected to does so
}

// reportCounters is ReportStats as the client writes it.
type reportCounters struct {
	unacked, unackedHosts    atomic.Int64
	sent, resent             atomic.Uint64
	acknowledged, unanswered atomic.Uint64
	acknowledging            atomic.Bool
}

func newReportClient(addrs []string, shards *[route.Shards]*RouteLB, clock func() time.Duration, log *slog.Logger) (*reportClient, error) {
	loop, err := reactor.NewLoop()
	if err != nil {
		return nil, err
	}
	r := &reportClient{
		loop: loop, shards: shards, clock: clock,
		link:    linkLog{log: log, clock: clock, what: "lars-reporter", addr: strings.Join(addrs, ", ")},
		bootID:  rand.Uint64N(1<<64-1) + 1,
		results: make([]pb.HostCallResult, resultsPerFrame),
	}
	router := reactor.NewRouter[*reactor.TCPConn]()
	router.Handle(int32(pb.MessageId_ID_ReportStatusResponse), r.onAck)
	r.client, err = reactor.NewTCPClient(loop, reactor.TCPClientConfig{
		Addrs: addrs,
		Hooks: reactor.ConnHooks{
			OnOpen:  r.onOpen,
			OnClose: func(_ *reactor.TCPConn, reason error) { r.onClose(reason) },
			OnDrain: func(*reactor.TCPConn) { r.send(false) },
		},
		Probe:          r.probe,
		OnConnectError: r.link.cannotConnect,
	}, router)
	if err != nil {
		loop.Close()
		return nil, err
	}
	r.tick = loop.AfterFunc(reportTick, r.onTick)
	return r, nil
}

// Stats returns the counters so far. Any goroutine may call it.
func (r *reportClient) Stats() ReportStats {
	s := &r.stats
	return ReportStats{
		Unacked: s.unacked.Load(), UnackedHosts: s.unackedHosts.Load(), Window: windowResults,
		Sent: s.sent.Load(), Resent: s.resent.Load(), Acknowledged: s.acknowledged.Load(),
		Unanswered: s.unanswered.Load(), Acknowledging: s.acknowledging.Load(),
	}
}

func (r *reportClient) onOpen(c *reactor.TCPConn) {
	r.link.up(c.RemoteAddr())
	r.queued = r.client.Stats().BytesOut
	r.first, r.flows = false, false
	r.live.restart(r.clock())
	r.window.restart()
	r.send(false)
}

func (r *reportClient) onClose(reason error) {
	r.link.down(reason)
	r.answers = false
	r.note()
}

// onAck forgets what is in the database. The first answer may acknowledge
// nothing yet: it tells that there will be others.
func (r *reportClient) onAck(_ *reactor.TCPConn, body []byte) error {
	ack := &r.ack
	ack.Reset()
	if err := ack.UnmarshalVT(body); err != nil {
		return err
	}
	if ack.BootId != r.bootID {
		return nil // it is about another run of the agent
	}
	r.stats.acknowledged.Add(1)
	r.answers, r.answered, r.frozen = true, true, 0
	r.heard(r.clock())
	if r.window.acknowledged(ack.Caller, ack.Seq) {
		r.flows = true
	}
	r.send(false)
	return nil
}

func (r *reportClient) onTick() {
	r.tick.Reset(reportTick)
	r.checkLiveness(r.clock())
	r.send(false)
}

// send sends what is to be sent again, and reports the counts that are due, or
// all of them, as far as window and connection take them. What they do not take
// adds up until the next time.
func (r *reportClient) send(all bool) {
	defer r.note()
	c := r.client.Conn()
	if c == nil {
		return
	}
	switch r.judge() {
	case peerFrozen:
		r.frozen++
		c.Close(errFrozen)
		return
	case peerOld:
		r.flows = true
		before := len(r.window.frames)
		r.window.taken(r.client.Stats().BytesOut)
		r.stats.unanswered.Add(uint64(before - len(r.window.frames)))
	}
	for r.flush(c) && r.window.room() && r.take(c, all) {
	}
}

// reportPeer is what a connection leads to.
type reportPeer int

const (
	peerUnknown reportPeer = iota // it answers, or still may
	peerFrozen                    // it should have answered by now
	peerOld                       // it never will, being of Lars 1.0
)

// errFrozen is the reason for giving up a connection.
var errFrozen = errors.New("lars-reporter does not answer, although it did before")

func (r *reportClient) judge() reportPeer {
	if r.answers || !r.first {
		return peerUnknown
	}
	silent := r.clock() - r.firstAt
	switch mayBeFrozen := r.answered && r.frozen < frozenConns; {
	case mayBeFrozen && silent >= helloAgain:
		return peerFrozen
	case !mayBeFrozen && silent >= helloWithin:
		return peerOld
	}
	return peerUnknown
}

// flush sends the frames that were not sent on this connection. It reports
// whether all are, and another one may be.
func (r *reportClient) flush(c *reactor.TCPConn) bool {
	for {
		if c.Buffered() >= reportHighWater || r.window.next >= firstFlight && !r.flows && !r.stopping {
			return false
		}
		f := r.window.unsent()
		if f == nil {
			return true
		}
		before := c.Buffered()
		if c.Send(int32(pb.MessageId_ID_ReportStatusRequest), f.body) != nil {
			return false
		}
		if !r.first {
			r.first, r.firstAt = true, r.clock()
		}
		r.queued += uint64(c.Buffered() - before)
		r.window.sent(r.queued)
		r.stats.sent.Add(1)
	}
}

// take makes frames of the counts of one module. It reports false when there
// are none.
func (r *reportClient) take(c *reactor.TCPConn, all bool) bool {
	caller, now := callerIP(c), r.clock()
	for _, shard := range r.shards {
		id, counts, ok := shard.TakeDueCounts(r.counts[:0], all, now)
		r.counts = counts
		if !ok {
			continue
		}
		for len(counts) > 0 {
			n := min(len(counts), resultsPerFrame)
			r.window.add(r.frame(id, caller, counts[:n]))
			counts = counts[n:]
		}
		return true
	}
	return false
}

// frame makes a report of counts, at most resultsPerFrame.
func (r *reportClient) frame(id route.Module, caller int32, counts []balance.Count) reportFrame {
	f := reportFrame{seq: r.window.number(), caller: caller, results: len(counts)}
	req := &r.request
	req.Modid, req.Cmdid, req.Caller, req.Ts = id.ModID, id.CmdID, caller, uint32(time.Now().Unix())
	req.BootId, req.Seq = r.bootID, f.seq
	req.Results = req.Results[:0]
	for i, count := range counts {
		result := &r.results[i]
		result.Ip, result.Port = int32(count.Host.IP), int32(count.Host.Port)
		result.Succ, result.Err, result.Overload = count.Succ, count.Err, count.Overload
		req.Results = append(req.Results, result)
		f.calls += uint64(count.Succ) + uint64(count.Err)
	}
	body, err := req.MarshalVT()
	if err != nil {
		panic(err) // a message without required fields always encodes
	}
	f.body = body
	return f
}

// note makes known what the window holds.
func (r *reportClient) note() {
	r.stats.unacked.Store(int64(len(r.window.frames)))
	r.stats.unackedHosts.Store(int64(r.window.results))
	r.stats.resent.Store(r.window.resent)
	r.stats.acknowledging.Store(r.answers)
}

// flushed sends all counts, whatever is due, and reports whether all are in the
// database; or, if it is known by now that nobody acknowledges, with the kernel.
func (r *reportClient) flushed() bool {
	r.stopping = true
	r.send(true)
	for _, shard := range r.shards {
		if shard.Stats().Counting > 0 {
			return false
		}
	}
	return len(r.window.frames) == 0
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
