package dns_test

import (
	"bytes"
	"testing"

	"google.golang.org/protobuf/proto"

	"github.com/lars-lb/lars/internal/dns"
	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/wire"
	"github.com/lars-lb/lars/proto/larspb"
)

func TestEncoder(t *testing.T) {
	encode := dns.Encode()
	// Long, short, empty and long again: nothing of an earlier route may stay.
	for _, hosts := range [][]route.Node{
		hostRange(1, 500), {node(3232235953, 7777)}, weighing(0, hostRange(1, 3)...), nil,
		{node(1<<32-1, 65535), {IP: 1, Port: 1, Weight: route.MaxWeight}}, hostRange(7, 600),
	} {
		for i, m := range []route.Module{{}, module(1, 1), module(-5, 1<<31-1)} {
			stale := i == 1
			want := &larspb.GetRouteResponse{Modid: m.ModID, Cmdid: m.CmdID, Stale: stale}
			for _, h := range hosts {
				info := &larspb.HostInfo{Ip: int32(h.IP), Port: int32(h.Port)}
				if h.Weight != route.DefaultWeight {
					info.Weight = proto.Uint32(uint32(h.Weight))
				}
				want.Host = append(want.Host, info)
			}
			wantBody, err := proto.Marshal(want)
			if err != nil {
				t.Fatal(err)
			}
			if body, err := encode(m, hosts, stale); err != nil || !bytes.Equal(body, wantBody) {
				t.Fatalf("%v with %d hosts: %x, %v; want %x", m, len(hosts), body, err, wantBody)
			}
		}
	}
}

func TestLargestRouteFitsIntoAFrame(t *testing.T) {
	hosts := make([]route.Node, route.MaxHosts)
	for i := range hosts {
		hosts[i] = route.Node{IP: 1<<31 + uint32(i), Port: 65535, Weight: route.MaxWeight} // negative numbers are the longest
	}
	body, err := dns.Encode()(module(-1, -1), hosts, true)
	if err != nil || len(body) > wire.MaxBody {
		t.Errorf("%d bytes, %v; a frame carries %d", len(body), err, wire.MaxBody)
	}
}

func TestEncoderDoesNotAllocate(t *testing.T) {
	encode := dns.Encode()
	hosts := weighing(50, hostRange(1, 100)...)
	if n := testing.AllocsPerRun(100, func() {
		if _, err := encode(module(1, 1), hosts, false); err != nil {
			t.Fatal(err)
		}
	}); n != 0 {
		t.Errorf("%v allocations", n)
	}
}
