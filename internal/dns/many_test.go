package dns_test

import (
	"io"
	"testing"

	"github.com/lars-lb/lars/internal/dns"
	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/wire"
	"github.com/lars-lb/lars/proto/larspb"
)

// requestMany is a GetRoutesRequest by an agent that has these routes.
func requestMany(t *testing.T, mods []route.Module, have ...[]route.Node) []byte {
	t.Helper()
	var req larspb.GetRoutesRequest
	for i, m := range mods {
		req.Modid, req.Cmdid = append(req.Modid, m.ModID), append(req.Cmdid, m.CmdID)
		req.Digest = append(req.Digest, route.Digest(have[i]))
	}
	return manyFrame(t, &req)
}

func manyFrame(t *testing.T, req *larspb.GetRoutesRequest) []byte {
	t.Helper()
	body, err := req.MarshalVT()
	if err != nil {
		t.Fatal(err)
	}
	return wire.AppendFrame(nil, int32(larspb.MessageId_ID_GetRoutesRequest), body)
}

// expectUnchanged reads the answer that ends those to a GetRoutesRequest.
func (a *agent) expectUnchanged(want ...route.Module) {
	a.t.Helper()
	head := make([]byte, wire.HeadSize)
	if _, err := io.ReadFull(a.r, head); err != nil {
		a.t.Fatal(err)
	}
	h, err := wire.DecodeHead(head)
	if err != nil || h.ID != int32(larspb.MessageId_ID_GetRoutesResponse) {
		a.t.Fatalf("got message %d, %v", h.ID, err)
	}
	body := make([]byte, h.Len)
	if _, err := io.ReadFull(a.r, body); err != nil {
		a.t.Fatal(err)
	}
	var got larspb.GetRoutesResponse
	if err := got.UnmarshalVT(body); err != nil || len(got.Modid) != len(want) || len(got.Cmdid) != len(want) {
		a.t.Fatalf("unchanged are %v, %v; want %v", &got, err, want)
	}
	for i, m := range want {
		if got.Modid[i] != m.ModID || got.Cmdid[i] != m.CmdID {
			a.t.Fatalf("unchanged are %v, want %v", &got, want)
		}
	}
}

// An agent that says what it has is sent what differs, and all changes from
// then on.
func TestAnswersMany(t *testing.T) {
	db := openStore(t, sqlite(t))
	add(t, db, m11, hostRange(1, 3)...)
	add(t, db, m12, hostN(4))
	s := start(t, quick(), db, quiet())
	a := s.dial()
	gone := module(7, 7)
	a.write(requestMany(t, []route.Module{m11, m12, gone}, hostRange(1, 3), hostRange(4, 5), hostRange(1, 1)))
	a.expect(m12, hostN(4))
	a.expect(gone)
	a.expectUnchanged(m11)
	if st := s.Stats(); st.Answers != 3 || st.Unchanged != 1 || st.Subscriptions != 3 {
		t.Errorf("stats: %+v", st)
	}
	add(t, db, m11, hostN(9))
	a.expect(m11, hostN(1), hostN(2), hostN(3), hostN(9))
	add(t, db, gone, hostN(1))
	a.expect(gone, hostN(1))

	a.write(requestMany(t, nil))
	a.expectUnchanged()
}

// Fields of different lengths, which mean nothing, end the connection.
func TestAnswersManyRefusesNonsense(t *testing.T) {
	s := start(t, quick(), openStore(t, sqlite(t)), quiet())
	for _, req := range []*larspb.GetRoutesRequest{
		{Modid: []int32{1, 2}, Cmdid: []int32{1, 2}, Digest: []uint64{1}},
		{Modid: []int32{1}},
		{Cmdid: []int32{1}, Digest: []uint64{1}},
	} {
		a := s.dial()
		a.write(manyFrame(t, req))
		if _, err := a.r.Read(make([]byte, 1)); err == nil {
			t.Errorf("%v was answered", req)
		}
	}
	s.eventually("all are closed", func(st dns.Stats) bool { return st.TCP.ClosedBadBody == 3 && st.Subscriptions == 0 })
}
