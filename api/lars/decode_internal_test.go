package lars

import (
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/wire"
	pb "github.com/lars-lb/lars/proto/larspb"
)

// FuzzAnswers gives both decoders whatever may arrive. What they take must be
// an answer to the question, and name only hosts that can be called.
func FuzzAnswers(f *testing.F) {
	m := route.Module{ModID: 1, CmdID: -1}
	host := &pb.HostInfo{Ip: -1062731343, Port: 7777}
	answer, err := (&pb.GetHostResponse{Seq: 7, Modid: 1, Cmdid: -1, Host: host}).MarshalVT()
	if err != nil {
		f.Fatal(err)
	}
	list, err := (&pb.GetRouteResponse{Modid: 1, Cmdid: -1, Host: []*pb.HostInfo{host, {}}}).MarshalVT()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(wire.AppendFrame(nil, int32(pb.MessageId_ID_GetHostResponse), answer))
	f.Add(wire.AppendFrame(nil, int32(pb.MessageId_ID_API_GetRouteResponse), list))
	f.Add([]byte{5, 0, 0, 0, 0, 0, 0, 0})
	f.Fuzz(func(t *testing.T, datagram []byte) {
		s := newSocket()
		s.request.Seq, s.request.Modid, s.request.Cmdid = 7, m.ModID, m.CmdID
		for range 2 { // the message is used again
			if !s.isAnswer(datagram) {
				continue
			}
			h, err := s.read(m, &port{})
			if (err == nil) != h.h.Valid() {
				t.Errorf("% x is host %v, %v", datagram, h, err)
			}
		}
		if hosts, ok := decodeRoute(datagram, m); ok {
			for _, h := range hosts {
				if !h.h.Valid() {
					t.Errorf("% x names host %v", datagram, h)
				}
			}
		}
	})
}

// TestMissingIsBounded fills the memory of missing modules past its bound.
func TestMissingIsBounded(t *testing.T) {
	var m missing
	now := time.Now()
	for i := range int32(3 * maxMissing) {
		mod := route.Module{ModID: i}
		m.add(mod, now)
		if !m.has(mod, now) || m.has(mod, now.Add(missingFor)) {
			t.Fatalf("module %v is not missing for %v", mod, missingFor)
		}
		if len(m.until) > maxMissing {
			t.Fatalf("%d modules are remembered", len(m.until))
		}
		now = now.Add(time.Microsecond)
	}
	// A module that is still missing outlives those that are not.
	later := now.Add(missingFor)
	for i := range int32(maxMissing) {
		m.add(route.Module{ModID: i, CmdID: 1}, now)
	}
	last := route.Module{ModID: -1}
	m.add(last, later)
	if len(m.until) != 1 || !m.has(last, later) {
		t.Errorf("%d modules are remembered, want the last alone", len(m.until))
	}
}
