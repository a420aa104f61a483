package wire_test

import (
	"encoding/hex"
	"testing"

	"google.golang.org/protobuf/proto"

	pb "github.com/lars-lb/lars/proto/larspb"
)

func manyRequest() *pb.GetRoutesRequest {
	return &pb.GetRoutesRequest{Modid: []int32{1, -5}, Cmdid: []int32{1, 300}, Digest: []uint64{0x8ced3807cc361e7c, 1}}
}

func manyResponse() *pb.GetRoutesResponse {
	return &pb.GetRoutesResponse{Modid: []int32{-5}, Cmdid: []int32{300}}
}

// The bodies are as google.golang.org/protobuf makes them: fields of several
// numbers are packed.
func TestManyModulesOnTheWire(t *testing.T) {
	for _, c := range []struct {
		m    message
		want string
	}{
		{manyRequest(), "0a0b01fbffffffffffffffff01" + "120301ac02" + "1a107c1e36cc0738ed8c0100000000000000"},
		{manyResponse(), "0a0afbffffffffffffffff01" + "1202ac02"},
	} {
		reflected, err := proto.MarshalOptions{Deterministic: true}.Marshal(c.m)
		if got := hex.EncodeToString(encode(t, c.m)); err != nil || got != c.want || hex.EncodeToString(reflected) != c.want {
			t.Errorf("%T is %s, and %x; want %s", c.m, got, reflected, c.want)
		}
	}
}
