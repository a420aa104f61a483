package lbagent

import (
	"time"

	"github.com/lars-lb/lars/internal/route"
	pb "github.com/lars-lb/lars/proto/larspb"
	"github.com/lars-lb/lars/reactor"
)

// manyPulls is what is known about asking the connected lars-dns for many
// modules at once: one of Lars 1.0 does not answer that.
type manyPulls struct {
	askedAt  time.Duration // for the first time
	asked    bool
	answered bool
	refused  bool // it was not: each module is asked for by itself

	batch    []route.Module
	request  pb.GetRoutesRequest
	response pb.GetRoutesResponse
}

// expire gives up when no answer has come. The pulls will be overdue then.
func (m *manyPulls) expire(now time.Duration) {
	if m.asked && !m.answered && now-m.askedAt >= pullExpiry {
		m.refused = true
	}
}

// sendMany asks for as many modules as the window has room for: those that have
// hosts together, with what they are, as lars-dns then says in a few bytes that
// nothing has changed. It reports false when there was nothing to ask for.
func (d *dnsClient) sendMany(c *reactor.TCPConn, now time.Duration) bool {
	m := &d.many
	if m.batch = d.pulls.batch(m.batch[:0], now); len(m.batch) == 0 {
		return false
	}
	req := &m.request
	req.Modid, req.Cmdid, req.Digest = req.Modid[:0], req.Cmdid[:0], req.Digest[:0]
	for _, id := range m.batch {
		digest, ok := d.shards[id.Shard()].Digest(id)
		if !ok {
			one := pb.GetRouteRequest{Modid: id.ModID, Cmdid: id.CmdID}
			// What the connection does not take will be overdue.
			_ = c.SendMessage(int32(pb.MessageId_ID_GetRouteRequest), &one)
			continue
		}
		req.Modid, req.Cmdid, req.Digest = append(req.Modid, id.ModID), append(req.Cmdid, id.CmdID), append(req.Digest, digest)
	}
	if len(req.Modid) > 0 {
		_ = c.SendMessage(int32(pb.MessageId_ID_GetRoutesRequest), req)
		if !m.asked {
			m.asked, m.askedAt = true, now
		}
	}
	return true
}

// onUnchanged takes the answer that some routes are as the agent has them.
func (d *dnsClient) onUnchanged(_ *reactor.TCPConn, body []byte) error {
	resp := &d.many.response
	resp.Modid, resp.Cmdid = resp.Modid[:0], resp.Cmdid[:0]
	if err := resp.UnmarshalVT(body); err != nil {
		return err
	}
	now := d.clock()
	d.many.answered = true
	n := min(len(resp.Modid), len(resp.Cmdid))
	for i := range n {
		id := route.Module{ModID: resp.Modid[i], CmdID: resp.Cmdid[i]}
		d.shards[id.Shard()].Confirm(id, now)
		d.live.answered(id, true)
	}
	d.heard(n, now)
	d.sendMore()
	return nil
}
