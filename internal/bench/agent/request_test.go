package agent

import (
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/wire"
	pb "github.com/lars-lb/lars/proto/larspb"
)

// message decodes a frame that must be of the id.
func message(t *testing.T, frame []byte, id pb.MessageId, m proto.Message) {
	t.Helper()
	got, body, err := wire.DecodeDatagram(frame)
	if err == nil && got == int32(id) {
		err = proto.Unmarshal(body, m)
	}
	if err != nil || got != int32(id) {
		t.Fatalf("frame % x: message %d, %v; want %v", frame, got, err, id)
	}
}

func TestRequestIsChangedInPlace(t *testing.T) {
	frame := getHost(route.Module{ModID: 10, CmdID: 20_000})
	for _, seq := range []uint32{firstSeq, firstSeq + 1, firstSeq + 1<<20, 1<<32 - 1} {
		setSeq(frame, seq)
		var req pb.GetHostRequest
		message(t, frame, pb.MessageId_ID_GetHostRequest, &req)
		if want := (&pb.GetHostRequest{Seq: seq, Modid: 10, Cmdid: 20_000}); !proto.Equal(&req, want) {
			t.Errorf("got %v, want %v", &req, want)
		}
	}
}

func TestAnswerAndItsReport(t *testing.T) {
	host := &pb.HostInfo{Ip: -1062731343, Port: 7777}
	answer := func(resp *pb.GetHostResponse) []byte {
		body, err := proto.Marshal(resp)
		if err != nil {
			t.Fatal(err)
		}
		return wire.AppendFrame(nil, int32(pb.MessageId_ID_GetHostResponse), body)
	}
	good := answer(&pb.GetHostResponse{Seq: firstSeq + 5, Modid: 1, Cmdid: 300, Host: host})
	if seq, ok := seqOf(good); seq != firstSeq+5 || !ok {
		t.Errorf("number %d, %v", seq, ok)
	}
	var report pb.ReportRequest
	message(t, appendReport(nil, reportHead(route.Module{ModID: 1, CmdID: 300}), hostOf(good)), pb.MessageId_ID_ReportRequest, &report)
	if want := (&pb.ReportRequest{Modid: 1, Cmdid: 300, CostUs: 1000, Host: host}); !proto.Equal(&report, want) {
		t.Errorf("report %v, want %v", &report, want)
	}
	if got := hostOf(answer(&pb.GetHostResponse{Seq: firstSeq, Modid: 1, Cmdid: 1, Retcode: 3})); got != nil {
		t.Errorf("host % x where there is none", got)
	}
	for _, bad := range [][]byte{nil, good[:10], answer(&pb.GetHostResponse{Modid: 1}), getHost(route.Module{ModID: 1})} {
		if seq, ok := seqOf(bad); ok {
			t.Errorf("number %d in % x", seq, bad)
		}
	}
}
