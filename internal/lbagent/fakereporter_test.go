package lbagent_test

import (
	"net"
	"sync"
	"testing"

	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/wire"
	pb "github.com/lars-lb/lars/proto/larspb"
)

// fakeReporter adds up what it is sent, each numbered frame once.
type fakeReporter struct {
	*peer
	mu        sync.Mutex
	mute      bool                  // acknowledge nothing, as Lars 1.0 does
	lossy     func(seq uint64) bool // count the frame, and lose the connection before it is acknowledged
	beforeAck func()                // called, if not nil
	seqs      map[uint64]uint64     // by boot id, the last that was counted
	comes     []uint64              // the numbers of all that came
	succ      map[route.Host]int
	err       map[route.Host]int
	frames    int
	last      *pb.ReportStatusRequest
}

func newFakeReporter(t testing.TB) *fakeReporter {
	r := &fakeReporter{succ: make(map[route.Host]int), err: make(map[route.Host]int), seqs: make(map[uint64]uint64)}
	r.peer = newPeer(t, r.onFrame)
	return r
}

func (r *fakeReporter) onFrame(c net.Conn, msgid int32, body []byte) {
	var req pb.ReportStatusRequest
	if err := req.UnmarshalVT(body); err != nil || msgid != int32(pb.MessageId_ID_ReportStatusRequest) {
		r.t.Errorf("the agent sent lars-reporter message %d: %v", msgid, err)
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.frames++
	r.last = &req
	r.comes = append(r.comes, req.Seq)
	if req.BootId == 0 || req.Seq > r.seqs[req.BootId]+1 {
		r.t.Errorf("frame %d of %d came after %d", req.Seq, req.BootId, r.seqs[req.BootId])
	}
	counted := req.Seq <= r.seqs[req.BootId]
	r.seqs[req.BootId] = max(r.seqs[req.BootId], req.Seq)
	if r.lossy != nil && r.lossy(req.Seq) {
		_ = c.Close()
	} else if !r.mute {
		if r.beforeAck != nil {
			r.beforeAck()
		}
		ack := pb.ReportStatusResponse{Caller: req.Caller, BootId: req.BootId, Seq: req.Seq}
		body, _ := ack.MarshalVT()
		_, _ = c.Write(wire.AppendFrame(nil, int32(pb.MessageId_ID_ReportStatusResponse), body))
	}
	if counted {
		return
	}
	for _, result := range req.Results {
		h := route.Host{IP: uint32(result.Ip), Port: uint16(result.Port)}
		r.succ[h] += int(result.Succ)
		r.err[h] += int(result.Err)
	}
}

func (r *fakeReporter) total() (sum int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, n := range r.succ {
		sum += n
	}
	for _, n := range r.err {
		sum += n
	}
	return sum
}
