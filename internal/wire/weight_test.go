package wire_test

import (
	"bytes"
	"encoding/hex"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protodesc"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/types/descriptorpb"
	"google.golang.org/protobuf/types/dynamicpb"

	pb "github.com/lars-lb/lars/proto/larspb"
)

// weighted is a route whose hosts have no weight, the least, and others.
func weighted() *pb.GetRouteResponse {
	const ip, port = -1062731343, 7777
	return &pb.GetRouteResponse{Modid: 1, Cmdid: 1, Host: []*pb.HostInfo{
		{Ip: ip, Port: port},
		{Ip: ip, Port: port, Weight: proto.Uint32(0)},
		{Ip: ip, Port: port, Weight: proto.Uint32(50)},
		{Ip: ip, Port: port, Weight: proto.Uint32(10000)},
	}}
}

// A drained host has a weight of 0, which proto3 must not leave out.
func TestWeightsOnTheWire(t *testing.T) {
	const host = "08b183a085fcffffffff0110e13c"
	want, err := hex.DecodeString("08011001" + "1a0e" + host + "1a10" + host + "1800" + "1a10" + host + "1832" + "1a11" + host + "18904e")
	if err != nil {
		t.Fatal(err)
	}
	msg := weighted()
	reflected, err := proto.MarshalOptions{Deterministic: true}.Marshal(msg)
	if err != nil || !bytes.Equal(reflected, want) {
		t.Errorf("proto.Marshal = %x, %v; want %x", reflected, err, want)
	}
	generated, err := msg.MarshalVT()
	if err != nil || !bytes.Equal(generated, want) {
		t.Errorf("MarshalVT = %x, %v; want %x", generated, err, want)
	}
	var back pb.GetRouteResponse
	if err := back.UnmarshalVT(want); err != nil || !proto.Equal(&back, msg) {
		t.Errorf("UnmarshalVT = %v, %v; want %v", &back, err, msg)
	}
}

// lars1Schema is ours without the weight, as peers know it who have none.
func lars1Schema(t *testing.T) protoreflect.FileDescriptor {
	t.Helper()
	file := protodesc.ToFileDescriptorProto(pb.File_lars_proto)
	for _, m := range file.MessageType {
		if m.GetName() != "HostInfo" {
			continue
		}
		m.Field = slices.DeleteFunc(m.Field, func(f *descriptorpb.FieldDescriptorProto) bool { return f.GetNumber() == 3 })
		m.OneofDecl = nil // what makes the field optional
	}
	desc, err := protodesc.NewFile(file, nil)
	if err != nil {
		t.Fatal(err)
	}
	return desc
}

// A peer that knows no weights reads address and port all the same.
func TestPeersWithoutWeightsReadTheHosts(t *testing.T) {
	schema := lars1Schema(t)
	body, err := weighted().MarshalVT()
	if err != nil {
		t.Fatal(err)
	}
	old := dynamicpb.NewMessage(schema.Messages().ByName("GetRouteResponse"))
	if err := proto.Unmarshal(body, old); err != nil {
		t.Fatal(err)
	}
	fields := old.Descriptor().Fields()
	hosts := old.Get(fields.ByName("host")).List()
	if hosts.Len() != 4 {
		t.Fatalf("%d hosts", hosts.Len())
	}
	for i := range hosts.Len() {
		h := hosts.Get(i).Message()
		ip := h.Get(h.Descriptor().Fields().ByName("ip")).Int()
		port := h.Get(h.Descriptor().Fields().ByName("port")).Int()
		if known := h.Descriptor().Fields().Len(); known != 2 || ip != -1062731343 || port != 7777 {
			t.Errorf("host %d is %d:%d, of %d fields", i, ip, port, known)
		}
	}
}
