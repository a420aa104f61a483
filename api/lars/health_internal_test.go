package lars

import (
	"context"
	"syscall"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/route"
)

// TestKeptAge drops reports that waited too long.
func TestKeptAge(t *testing.T) {
	var k kept
	always := func(route.Module) bool { return true }
	k.add(report{at: 0})
	k.add(report{at: 1, code: 7})
	if r, ok := k.next(maxKeptAge+1, always); !ok || r.code != 7 || k.dropped != 1 || k.n.Load() != 0 {
		t.Errorf("next = %+v, %v; %d dropped", r, ok, k.dropped)
	}
	if _, ok := k.next(0, always); ok {
		t.Error("there is another")
	}
}

// TestHealth goes through what a port is told.
func TestHealth(t *testing.T) {
	var h health
	const ms = time.Millisecond
	h.failed(context.Canceled, 0, time.Hour)
	h.failed(context.DeadlineExceeded, 10*ms, 20*ms)
	if h.down.Load() {
		t.Error("down after 10 ms")
	}
	h.answered(30 * ms)
	h.failed(context.DeadlineExceeded, 40*ms, 50*ms)
	h.failed(context.DeadlineExceeded, 100*ms, 139*ms)
	if h.down.Load() || h.settles(139*ms) {
		t.Error("down after 99 ms, or said to have come back")
	}
	h.failed(context.DeadlineExceeded, 100*ms, 140*ms)
	if !h.down.Load() || h.downs.Load() != 1 {
		t.Error("not down after 100 ms")
	}
	if h.mayProbe(189*ms) || !h.mayProbe(190*ms) || h.mayProbe(190*ms) || h.mayProbe(239*ms) || !h.mayProbe(240*ms) {
		t.Error("probes come at another time than every 50 ms")
	}
	h.answered(time.Second)
	if h.down.Load() || !h.settles(11*time.Second-1) || h.settles(11*time.Second) {
		t.Error("it is not up, or settles for another time than 10 s")
	}
	h.failed(&dialError{syscall.EMFILE}, 0, time.Minute)
	if h.down.Load() {
		t.Error("the agent is taken to be down since this process has no socket")
	}
	h.failed(syscall.ECONNREFUSED, 0, time.Minute)
	if !h.down.Load() {
		t.Error("an agent that is refused is not down")
	}
}
