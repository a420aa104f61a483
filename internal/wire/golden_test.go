package wire_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"reflect"
	"testing"

	"google.golang.org/protobuf/encoding/protojson"
	"google.golang.org/protobuf/proto"

	"github.com/lars-lb/lars/internal/wire"
	pb "github.com/lars-lb/lars/proto/larspb"
)

// message is what both codecs offer: google.golang.org/protobuf by reflection
// and the generated code without.
type message interface {
	proto.Message
	MarshalVT() ([]byte, error)
	UnmarshalVT([]byte) error
}

// bodies holds every message id with the message that its frames carry.
var bodies = map[pb.MessageId]func() message{
	pb.MessageId_ID_GetRouteRequest:      func() message { return new(pb.GetRouteRequest) },
	pb.MessageId_ID_GetRouteResponse:     func() message { return new(pb.GetRouteResponse) },
	pb.MessageId_ID_ReportStatusRequest:  func() message { return new(pb.ReportStatusRequest) },
	pb.MessageId_ID_GetHostRequest:       func() message { return new(pb.GetHostRequest) },
	pb.MessageId_ID_GetHostResponse:      func() message { return new(pb.GetHostResponse) },
	pb.MessageId_ID_ReportRequest:        func() message { return new(pb.ReportRequest) },
	pb.MessageId_ID_API_GetRouteRequest:  func() message { return new(pb.GetRouteRequest) },
	pb.MessageId_ID_API_GetRouteResponse: func() message { return new(pb.GetRouteResponse) },
	pb.MessageId_ID_ReportStatusResponse: func() message { return new(pb.ReportStatusResponse) },
	pb.MessageId_ID_GetRoutesRequest:     func() message { return new(pb.GetRoutesRequest) },
	pb.MessageId_ID_GetRoutesResponse:    func() message { return new(pb.GetRoutesResponse) },
}

// vector is one frame recorded from Lars 1.0.
type vector struct {
	Name   string
	MsgID  pb.MessageId
	Hex    string
	Fields json.RawMessage
}

func (v vector) frame(t testing.TB) []byte {
	t.Helper()
	b, err := hex.DecodeString(v.Hex)
	if err != nil {
		t.Fatalf("%s: %v", v.Name, err)
	}
	return b
}

func readVectors(t testing.TB) []vector {
	t.Helper()
	data, err := os.ReadFile("testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Vectors []vector }
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	return file.Vectors
}

// TestGoldenFrames holds the wire to Lars 1.0: every recorded frame decodes to
// its fields, and the fields encode to its bytes, by both codecs.
func TestGoldenFrames(t *testing.T) {
	vectors := readVectors(t)
	seen := make(map[pb.MessageId]bool)
	for _, v := range vectors {
		seen[v.MsgID] = true
		t.Run(v.Name, func(t *testing.T) {
			frame := v.frame(t)
			id, body, err := wire.DecodeDatagram(frame)
			if err != nil || pb.MessageId(id) != v.MsgID {
				t.Fatalf("head: id %d, %v; want id %d", id, err, v.MsgID)
			}
			want := bodies[v.MsgID]()
			if err := protojson.Unmarshal(v.Fields, want); err != nil {
				t.Fatal(err)
			}
			reflected, generated := bodies[v.MsgID](), bodies[v.MsgID]()
			if err := proto.Unmarshal(body, reflected); err != nil || !proto.Equal(reflected, want) {
				t.Errorf("proto.Unmarshal = %v, %v; want %v", reflected, err, want)
			}
			if err := generated.UnmarshalVT(body); err != nil || !proto.Equal(generated, want) {
				t.Errorf("UnmarshalVT = %v, %v; want %v", generated, err, want)
			}
			encodings := map[string]func() ([]byte, error){
				"proto.Marshal": func() ([]byte, error) { return proto.MarshalOptions{Deterministic: true}.Marshal(want) },
				"MarshalVT":     want.MarshalVT,
			}
			for name, encode := range encodings {
				b, err := encode()
				if err != nil || !bytes.Equal(wire.AppendFrame(nil, id, b), frame) {
					t.Errorf("%s = % x, %v; want % x", name, b, err, body)
				}
			}
		})
	}
	for id := range bodies {
		if !seen[id] && id < pb.MessageId_ID_ReportStatusResponse { // Lars 1.0 knows none from there on
			t.Errorf("no recorded frame for message id %d (%v)", id, id)
		}
	}
}

// fuzzBody holds the generated decoder of one message against the reflecting
// one: what both accept is the same message. They differ only in what they
// refuse: the generated one does not look into unknown groups, the reflecting
// one takes a known field of another wire type for an unknown one.
func fuzzBody(f *testing.F, ids ...pb.MessageId) {
	for _, v := range readVectors(f) {
		for _, id := range ids {
			if v.MsgID == id {
				f.Add(v.frame(f)[wire.HeadSize:])
			}
		}
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		generated, reflected := bodies[ids[0]](), bodies[ids[0]]()
		if err := generated.UnmarshalVT(body); err != nil {
			return
		}
		out, err := generated.MarshalVT()
		if err != nil {
			t.Fatal(err)
		}
		again := bodies[ids[0]]()
		if err := again.UnmarshalVT(out); err != nil || !proto.Equal(again, generated) {
			t.Fatalf("% x does not survive encoding: %v, %v", body, again, err)
		}
		known := proto.UnmarshalOptions{DiscardUnknown: true}
		if err := known.Unmarshal(body, reflected); err != nil {
			return
		}
		again = bodies[ids[0]]()
		if err := known.Unmarshal(out, again); err != nil || !proto.Equal(again, reflected) {
			t.Fatalf("% x: UnmarshalVT = %v, proto.Unmarshal = %v (%v)", body, again, reflected, err)
		}
	})
}

func FuzzGetRouteRequest(f *testing.F) {
	fuzzBody(f, pb.MessageId_ID_GetRouteRequest, pb.MessageId_ID_API_GetRouteRequest)
}

func FuzzGetRouteResponse(f *testing.F) {
	body, err := weighted().MarshalVT()
	if err != nil {
		f.Fatal(err)
	}
	f.Add(body)
	fuzzBody(f, pb.MessageId_ID_GetRouteResponse, pb.MessageId_ID_API_GetRouteResponse)
}

func FuzzReportStatusRequest(f *testing.F) {
	for _, n := range numbered() {
		f.Add(encode(f, n.request))
	}
	fuzzBody(f, pb.MessageId_ID_ReportStatusRequest)
}

func FuzzReportStatusResponse(f *testing.F) {
	for _, n := range numbered() {
		f.Add(encode(f, n.response))
	}
	fuzzBody(f, pb.MessageId_ID_ReportStatusResponse)
}

func FuzzGetRoutesRequest(f *testing.F) {
	f.Add(encode(f, manyRequest()))
	fuzzBody(f, pb.MessageId_ID_GetRoutesRequest)
}

func FuzzGetRoutesResponse(f *testing.F) {
	f.Add(encode(f, manyResponse()))
	fuzzBody(f, pb.MessageId_ID_GetRoutesResponse)
}

func FuzzGetHostRequest(f *testing.F)  { fuzzBody(f, pb.MessageId_ID_GetHostRequest) }
func FuzzGetHostResponse(f *testing.F) { fuzzBody(f, pb.MessageId_ID_GetHostResponse) }
func FuzzReportRequest(f *testing.F)   { fuzzBody(f, pb.MessageId_ID_ReportRequest) }

// TestSchemaIsAppendOnly pins what peers in the field already speak.
func TestSchemaIsAppendOnly(t *testing.T) {
	want := map[string]int32{
		"ID_UNKNOW": 0, "ID_GetRouteRequest": 1, "ID_GetRouteResponse": 2, "ID_ReportStatusRequest": 3,
		"ID_GetHostRequest": 4, "ID_GetHostResponse": 5, "ID_ReportRequest": 6,
		"ID_API_GetRouteRequest": 7, "ID_API_GetRouteResponse": 8,
		"ID_ReportStatusResponse": 9,
		"ID_GetRoutesRequest":     10, "ID_GetRoutesResponse": 11,
	}
	for name, id := range want {
		if got, ok := pb.MessageId_value[name]; !ok || got != id {
			t.Errorf("%s = %d, %v; want %d", name, got, ok, id)
		}
	}
	codes := map[string]int32{"RET_SUCC": 0, "RET_OVERLOAD": 1, "RET_SYSTEM_ERROR": 2, "RET_NOEXIST": 3}
	if !reflect.DeepEqual(pb.LarsRetCode_value, codes) {
		t.Errorf("return codes = %v, want %v", pb.LarsRetCode_value, codes)
	}
}
