package lbagent

import (
	"io"
	"log/slog"
	"net"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/wire"
	pb "github.com/lars-lb/lars/proto/larspb"
)

func testShards() *[route.Shards]*RouteLB {
	var shards [route.Shards]*RouteLB
	for i := range shards {
		shards[i] = testLB(nil)
	}
	return &shards
}

// TestPullsBeyondTheHighWaterMark connects an agent that knows more modules
// than the connection takes at once. All of them must be pulled.
func TestPullsBeyondTheHighWaterMark(t *testing.T) {
	const modules = 3000
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer ln.Close()
	shards := testShards()
	for i := range int32(modules) {
		id := route.Module{ModID: i}
		shards[id.Shard()].Pick(id, 0)
	}
	start := time.Now()
	// Nothing is answered, so the window opens as time passes: fast, here.
	d, err := newDNSClient([]string{ln.Addr().String()}, shards, func() time.Duration { return 20 * time.Since(start) }, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	d.highWater = 64
	if err := d.client.Start(); err != nil {
		t.Fatal(err)
	}
	done := make(chan error)
	go func() { done <- d.loop.Run() }()
	defer func() {
		d.loop.Close()
		if err := <-done; err != nil {
			t.Error(err)
		}
	}()
	c, err := ln.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetReadDeadline(start.Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	pulled := make(map[int32]bool)
	head := make([]byte, wire.HeadSize)
	for len(pulled) < modules {
		if _, err := io.ReadFull(c, head); err != nil {
			t.Fatalf("%d of %d modules were pulled: %v", len(pulled), modules, err)
		}
		h, err := wire.DecodeHead(head)
		if err != nil {
			t.Fatal(err)
		}
		body := make([]byte, h.Len)
		if _, err := io.ReadFull(c, body); err != nil {
			t.Fatal(err)
		}
		var req pb.GetRouteRequest
		if err := req.UnmarshalVT(body); err != nil {
			t.Fatal(err)
		}
		pulled[req.Modid] = true
	}
}

// A lars-reporter of Lars 1.0 acknowledges nothing, and one that is frozen, or
// whose database is away, not for long. They must not be taken for one another.
func TestReporterThatIsSilent(t *testing.T) {
	var now time.Duration
	r, err := newReportClient([]string{"127.0.0.1:1"}, testShards(), func() time.Duration { return now }, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer r.loop.Close()
	for _, c := range []struct {
		name              string
		first             bool
		answers, answered bool
		frozen            int
		now               time.Duration
		want              reportPeer
	}{
		{"nothing was sent on this connection", false, false, false, 0, time.Hour, peerUnknown},
		{"it may still answer", true, false, false, 0, helloWithin - 1, peerUnknown},
		{"it does not answer", true, false, false, 0, helloWithin, peerOld},
		{"it answers, and acknowledges nothing yet", true, true, true, 0, time.Hour, peerUnknown},
		{"one that answers was seen, this may be it", true, false, true, 0, helloAgain - 1, peerUnknown},
		{"it does not answer any more", true, false, true, 0, helloAgain, peerFrozen},
		{"nor does the last that is tried", true, false, true, frozenConns - 1, helloAgain, peerFrozen},
		{"none has for long", true, false, true, frozenConns, helloWithin, peerOld},
	} {
		r.first, r.answers, r.answered, r.frozen, now = c.first, c.answers, c.answered, c.frozen, c.now
		if got := r.judge(); got != c.want {
			t.Errorf("%s: %v, want %v", c.name, got, c.want)
		}
	}
}
