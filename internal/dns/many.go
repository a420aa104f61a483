package dns

import (
	"fmt"

	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/proto/larspb"
)

// answerMany serves one GetRoutesRequest: an agent that comes back has the
// routes of nearly all its modules already, and need not be sent them again.
func (w *worker) answerMany(c *client, body []byte) error {
	var request larspb.GetRoutesRequest
	if err := request.UnmarshalVT(body); err != nil {
		return fmt.Errorf("GetRoutesRequest: %w", err)
	}
	n := len(request.Modid)
	if len(request.Cmdid) != n || len(request.Digest) != n {
		return fmt.Errorf("GetRoutesRequest: %d modid, %d cmdid and %d digest, want as many of each", n, len(request.Cmdid), len(request.Digest))
	}
	var same larspb.GetRoutesResponse
	for i := range n {
		m := route.Module{ModID: request.Modid[i], CmdID: request.Cmdid[i]}
		w.subscribe(c, m) // before the table is read, as in answer
		r := w.routes.Load()
		switch {
		// What is in the file is told as what it is.
		case !r.stale && route.Digest(r.table.Lookup(m)) == request.Digest[i]:
			same.Modid, same.Cmdid = append(same.Modid, m.ModID), append(same.Cmdid, m.CmdID)
		case !c.ready():
			c.putOff(m)
		default:
			if body, ok := w.encode(m); ok {
				c.send(m, body)
			}
		}
	}
	w.counters.answers.Add(uint64(n))
	w.counters.unchanged.Add(uint64(len(same.Modid)))
	if c.conn.SendMessage(int32(larspb.MessageId_ID_GetRoutesResponse), &same) != nil {
		// There is no room for it, or no connection. Said one by one it has all
		// the time that it takes.
		for i := range same.Modid {
			c.putOff(route.Module{ModID: same.Modid[i], CmdID: same.Cmdid[i]})
		}
	}
	return nil
}
