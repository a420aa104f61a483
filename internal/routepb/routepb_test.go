package routepb_test

import (
	"math"
	"slices"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/routepb"
	"github.com/lars-lb/lars/internal/wire"
	pb "github.com/lars-lb/lars/proto/larspb"
)

func TestNode(t *testing.T) {
	for _, c := range []struct {
		info   *pb.HostInfo
		weight uint16
	}{
		{&pb.HostInfo{Ip: -1062731343, Port: 7777}, route.DefaultWeight},
		{&pb.HostInfo{Ip: -1062731343, Port: 7777, Weight: proto.Uint32(0)}, 0},
		{&pb.HostInfo{Ip: -1062731343, Port: 7777, Weight: proto.Uint32(route.MaxWeight)}, route.MaxWeight},
		{&pb.HostInfo{Ip: -1062731343, Port: 7777, Weight: proto.Uint32(route.MaxWeight + 1)}, route.MaxWeight},
		{&pb.HostInfo{Ip: -1062731343, Port: 7777, Weight: proto.Uint32(math.MaxUint32)}, route.MaxWeight},
	} {
		want := route.Node{IP: 3232235953, Port: 7777, Weight: c.weight}
		if n, ok := routepb.Node(c.info); !ok || n != want {
			t.Errorf("Node(%v) = %v, %v; want %v", c.info, n, ok, want)
		}
	}
	for _, info := range []*pb.HostInfo{{}, {Ip: 1}, {Port: 1}, {Ip: 1, Port: -1}, {Ip: 1, Port: 65536, Weight: proto.Uint32(1)}} {
		if n, ok := routepb.Node(info); ok {
			t.Errorf("Node(%v) = %v, want none", info, n)
		}
	}
}

// Long, short, empty and long again: no weight of an earlier list may stay.
func TestHosts(t *testing.T) {
	var hosts routepb.Hosts
	for _, n := range []int{500, 1, 0, 2, 700} {
		for _, weight := range []uint16{50, route.DefaultWeight, 0, route.MaxWeight} {
			nodes := make([]route.Node, n)
			for i := range nodes {
				nodes[i] = route.Node{IP: 1<<32 - 1 - uint32(i), Port: 65535, Weight: weight}
			}
			var back []route.Node
			for _, info := range hosts.Of(nodes) {
				if (info.Weight == nil) != (weight == route.DefaultWeight) {
					t.Fatalf("weight %d travels as %v", weight, info.Weight)
				}
				node, _ := routepb.Node(info)
				back = append(back, node)
			}
			if !slices.Equal(back, nodes) {
				t.Fatalf("%d nodes with weight %d came back as %v", n, weight, back)
			}
		}
	}
}

func TestHostsDoNotAllocate(t *testing.T) {
	var hosts routepb.Hosts
	nodes := make([]route.Node, 100)
	hosts.Of(nodes)
	if n := testing.AllocsPerRun(100, func() { hosts.Of(nodes) }); n != 0 {
		t.Errorf("%v allocations", n)
	}
}

// The most and longest hosts, with the longest weights, over TCP and in a
// datagram.
func TestLargestRouteFitsIntoAFrame(t *testing.T) {
	const maxDatagram = 65507
	nodes := make([]route.Node, route.MaxHosts)
	for i := range nodes {
		nodes[i] = route.Node{IP: 1<<32 - 1 - uint32(i), Port: 65535, Weight: route.MaxWeight}
	}
	var hosts routepb.Hosts
	msg := pb.GetRouteResponse{Modid: -1, Cmdid: -1, Host: hosts.Of(nodes)}
	if n := msg.SizeVT(); n > wire.MaxBody || wire.HeadSize+n > maxDatagram {
		t.Errorf("%d bytes; a frame carries %d, a datagram %d with the head", n, wire.MaxBody, maxDatagram)
	}
}
