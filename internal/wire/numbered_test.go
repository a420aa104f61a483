package wire_test

import (
	"bytes"
	"encoding/hex"
	"math"
	"testing"

	"google.golang.org/protobuf/proto"

	pb "github.com/lars-lb/lars/proto/larspb"
)

// numberedReport is a report with a number and what acknowledges it, with their
// bodies as google.golang.org/protobuf made them.
type numberedReport struct {
	name                  string
	request               *pb.ReportStatusRequest
	response              *pb.ReportStatusResponse
	requestHex, answerHex string
}

func numbered() []numberedReport {
	const caller, boot = -1062731519, 0x0102030405060708 // 192.168.1.1
	results := []*pb.HostCallResult{{Ip: -1062731343, Port: 7777, Succ: 10, Err: 2}}
	return []numberedReport{
		{
			"first",
			&pb.ReportStatusRequest{Modid: 1, Cmdid: 1, Caller: caller, Results: results, Ts: 1769999929, BootId: boot, Seq: 1},
			&pb.ReportStatusResponse{Caller: caller, BootId: boot, Seq: 1},
			"08011001188182a085fcffffffff01221208b183a085fcffffffff0110e13c180a200228b99c80cc0631" + "0807060504030201" + "3801",
			"088182a085fcffffffff0111" + "0807060504030201" + "1801",
		},
		{
			"highest",
			&pb.ReportStatusRequest{Caller: -1, BootId: math.MaxUint64, Seq: math.MaxUint64},
			&pb.ReportStatusResponse{Caller: -1, BootId: math.MaxUint64, Seq: math.MaxUint64},
			"18ffffffffffffffffff0131ffffffffffffffff38ffffffffffffffffff01",
			"08ffffffffffffffffff0111ffffffffffffffff18ffffffffffffffffff01",
		},
		{
			"over IPv6, and nothing is acknowledged yet",
			&pb.ReportStatusRequest{BootId: 1, Seq: 300},
			&pb.ReportStatusResponse{BootId: 1},
			"31010000000000000038ac02",
			"110100000000000000",
		},
	}
}

func encode(tb testing.TB, m message) []byte {
	tb.Helper()
	body, err := m.MarshalVT()
	if err != nil {
		tb.Fatal(err)
	}
	return body
}

func TestNumberedReportsOnTheWire(t *testing.T) {
	for _, n := range numbered() {
		t.Run(n.name, func(t *testing.T) {
			checkBody(t, n.request, new(pb.ReportStatusRequest), n.requestHex)
			checkBody(t, n.response, new(pb.ReportStatusResponse), n.answerHex)
		})
	}
}

// checkBody holds both codecs to one encoding of msg, which decodes to it.
func checkBody(t *testing.T, msg, empty message, wantHex string) {
	t.Helper()
	want, err := hex.DecodeString(wantHex)
	if err != nil {
		t.Fatal(err)
	}
	reflected, err := proto.MarshalOptions{Deterministic: true}.Marshal(msg)
	if err != nil || !bytes.Equal(reflected, want) {
		t.Errorf("proto.Marshal = %x, %v; want %x", reflected, err, want)
	}
	if generated := encode(t, msg); !bytes.Equal(generated, want) {
		t.Errorf("MarshalVT = %x; want %x", generated, want)
	}
	if err := empty.UnmarshalVT(want); err != nil || !proto.Equal(empty, msg) {
		t.Errorf("UnmarshalVT = %v, %v; want %v", empty, err, msg)
	}
}

// A lars-reporter of Lars 1.0 finds what it always got, and behind it fields
// that it skips.
func TestTheNumberComesLast(t *testing.T) {
	for _, n := range numbered() {
		plain := proto.CloneOf(n.request)
		plain.BootId, plain.Seq = 0, 0
		if all, front := encode(t, n.request), encode(t, plain); !bytes.HasPrefix(all, front) {
			t.Errorf("%s: %x does not begin with %x", n.name, all, front)
		}
	}
}
