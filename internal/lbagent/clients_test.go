package lbagent

import (
	"errors"
	"io"
	"log/slog"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/balance"
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
	d, err := newDNSClient([]string{ln.Addr().String()}, shards, func() time.Duration { return time.Since(start) }, slog.New(slog.DiscardHandler))
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

// TestCountsThatTheKernelDidNotTakeComeBack loses a connection between frames
// that were written and frames that were not.
func TestCountsThatTheKernelDidNotTakeComeBack(t *testing.T) {
	shards := testShards()
	r, err := newReportClient([]string{"127.0.0.1:1"}, shards, func() time.Duration { return 0 }, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	defer r.loop.Close()
	shard := shards[module1.Shard()]
	shard.Pick(module1, 0)
	shard.Apply(module1, nodes(hostA, hostB), 0)
	r.waiting = []waitingFrame{ // nothing was written yet by this client
		{module1, []balance.Count{{Host: hostA, Succ: 100}}, 0},
		{module1, []balance.Count{{Host: hostA, Succ: 5, Err: 2}}, 40},
		{module1, []balance.Count{{Host: hostB, Err: 1}}, 80},
	}
	r.onClose(errors.New("reset"))
	id, counts, ok := shard.TakeDueCounts(nil, false, 0)
	want := []balance.Count{{Host: hostA, Succ: 5, Err: 2}, {Host: hostB, Err: 1}}
	if !ok || id != module1 || !slices.Equal(counts, want) || len(r.waiting) != 0 {
		t.Errorf("came back: %v %v %v, want %v", id, counts, ok, want)
	}
}
