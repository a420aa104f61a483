package lars_test

import (
	"context"
	"net"
	"sync"
	"testing"
	"time"

	"github.com/lars-lb/lars/api/lars"
	"github.com/lars-lb/lars/internal/wire"
	pb "github.com/lars-lb/lars/proto/larspb"
)

// startResponder answers every GetHost with one host, and allocates nothing
// for it. It returns its one address three times, as an agent's.
func startResponder(t testing.TB) string {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	t.Cleanup(func() { conn.Close(); wg.Wait() })
	wg.Go(func() {
		in, out := make([]byte, wire.MaxDatagram), make([]byte, 512)
		var q pb.GetHostRequest
		answer := pb.GetHostResponse{Host: &pb.HostInfo{Ip: -1062731343, Port: 7777}}
		for {
			n, from, err := conn.ReadFromUDPAddrPort(in)
			if err != nil {
				return
			}
			id, body, err := wire.DecodeDatagram(in[:n])
			if q.Reset(); err != nil || id != int32(pb.MessageId_ID_GetHostRequest) || q.UnmarshalVT(body) != nil {
				continue
			}
			answer.Seq, answer.Modid, answer.Cmdid = q.Seq, q.Modid, q.Cmdid
			size := answer.SizeVT()
			wire.PutHead(out, int32(pb.MessageId_ID_GetHostResponse), size)
			if _, err := answer.MarshalToSizedBufferVT(out[wire.HeadSize : wire.HeadSize+size]); err == nil {
				_, _ = conn.WriteToUDPAddrPort(out[:wire.HeadSize+size], from)
			}
		}
	})
	addr := conn.LocalAddr().String()
	return addr + "," + addr + "," + addr
}

// TestAllocations holds a call and its report to none, with a context that can
// be cancelled and with one that cannot.
func TestAllocations(t *testing.T) {
	c := newClient(t, lars.Config{Agent: startResponder(t), Timeout: patience})
	cancelled, cancel := context.WithCancel(t.Context())
	defer cancel()
	for name, ctx := range map[string]context.Context{"background": context.Background(), "cancellable": cancelled} {
		n := testing.AllocsPerRun(2000, func() {
			h, err := c.GetHost(ctx, 1, 1)
			if err == nil {
				err = c.Report(1, 1, h, lars.Success, time.Millisecond)
			}
			if err != nil {
				t.Error(err)
			}
		})
		if n != 0 {
			t.Errorf("%s context: %v allocations a call, want 0", name, n)
		}
	}
}

func BenchmarkGetHostReport(b *testing.B) {
	c := newClient(b, lars.Config{Agent: startResponder(b)})
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	b.ReportAllocs()
	for b.Loop() {
		h, err := c.GetHost(ctx, 1, 1)
		if err == nil {
			err = c.Report(1, 1, h, lars.Success, time.Millisecond)
		}
		if err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkParallel is one busy module, asked for by every core.
func BenchmarkParallel(b *testing.B) {
	c := newClient(b, lars.Config{Agent: startResponder(b)})
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			if _, err := c.GetHost(context.Background(), 1, 1); err != nil {
				b.Error(err)
			}
		}
	})
}

// BenchmarkAway answers from memory, but for a probe now and then.
func BenchmarkAway(b *testing.B) {
	agent, c := start(b)
	agent.SetRoute(1, 1, "10.0.0.1:80", "10.0.0.2:80")
	learn(b, c, 64)
	agent.Close()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := c.GetHost(context.Background(), 1, 1); err != nil {
			b.Fatal(err)
		}
	}
}
