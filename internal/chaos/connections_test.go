package chaos_test

import (
	"io"
	"net"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lars-lb/lars/internal/chaos"
	"github.com/lars-lb/lars/internal/chaos/fault"
	"github.com/lars-lb/lars/internal/wire"
	pb "github.com/lars-lb/lars/proto/larspb"
)

const (
	manyConnections = 5000
	// mostLatency and mostMemory are judged where nobody else uses the machine.
	mostLatency = 20 * time.Millisecond
	mostMemory  = 256 << 20
)

// TestManyConnections holds thousands of subscribed connections to one lars-dns
// while its agents are asked as always.
func TestManyConnections(t *testing.T) {
	var files unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &files); err != nil {
		t.Fatal(err)
	}
	if need := uint64(manyConnections + 1000); files.Cur < need {
		t.Fatalf("this needs %d descriptors, and may have %d: raise the hard limit (ulimit -Hn)", need, files.Cur)
	}
	w := chaos.NewWorld(t, programs, database, chaos.Options{MaxConn: manyConnections + 100, Rules: rules()})
	before := w.Resident("dns1")
	body, err := (&pb.GetRouteRequest{Modid: 1, Cmdid: 1}).MarshalVT() // never changes
	if err != nil {
		t.Fatal(err)
	}
	request := wire.AppendFrame(nil, int32(pb.MessageId_ID_GetRouteRequest), body)
	held := make([]net.Conn, 0, manyConnections)
	defer func() {
		for _, c := range held {
			_ = c.Close()
		}
	}()
	ask := func(c net.Conn) {
		t.Helper()
		_ = c.SetDeadline(time.Now().Add(patience))
		if _, err := c.Write(request); err != nil {
			t.Fatal(err)
		}
		head := make([]byte, wire.HeadSize)
		if _, err := io.ReadFull(c, head); err != nil {
			t.Fatalf("connection %d of %d is not served: %v", len(held), manyConnections, err)
		}
		h, err := wire.DecodeHead(head)
		if err != nil || h.ID != int32(pb.MessageId_ID_GetRouteResponse) {
			t.Fatal(h, err)
		}
		if _, err := io.ReadFull(c, make([]byte, h.Len)); err != nil {
			t.Fatal(err)
		}
	}
	// Go's own questions whether a peer lives come all together, more than the
	// kernel's queue of packets between two sockets of a machine holds.
	dialer := net.Dialer{KeepAlive: -1}
	for range manyConnections {
		c, err := dialer.Dial("tcp", w.Addr("dns1").String())
		if err != nil {
			t.Fatal(err)
		}
		held = append(held, c)
		ask(c)
	}
	// Nothing is hurt but one connection, in the end.
	r := w.Run(fault.Schedule{{At: outage(), Kind: fault.Reset, Target: "agent1>dns1"}})
	for _, c := range held {
		ask(c)
	}
	grown := w.Resident("dns1") - before
	t.Logf("with %d connections lars-dns holds %d KiB more, %d bytes each; GetHost p99 %v",
		manyConnections, grown>>10, grown/manyConnections, r.Quantile(0.99))
	if r.Failed > 0 {
		t.Errorf("%d requests failed", r.Failed)
	}
	if grown > mostMemory {
		t.Errorf("lars-dns grew by %d MiB", grown>>20)
	}
	if p99 := r.Quantile(0.99); *full && p99 > mostLatency {
		t.Errorf("GetHost p99 is %v, more than %v", p99, mostLatency)
	}
}
