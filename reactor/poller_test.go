//go:build linux

package reactor_test

import (
	"os"
	"runtime"
	"testing"
	"time"

	"github.com/lars-lb/lars/reactor"
)

// A loop that becomes busy while the whole process sleeps, and never waits
// again, does not keep the only P to itself: Go's scheduler learns of it.
func TestBusyLoopIsPreempted(t *testing.T) {
	busy, other := runLoop(t), runLoop(t)
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	var stop func()
	ran := make(chan struct{})
	onLoop(t, other, func() { other.AfterFunc(200*time.Millisecond, func() { close(ran) }) })
	onLoop(t, busy, func() {
		start, end, err := busy.AlwaysReady()
		if err != nil {
			t.Error(err)
		}
		stop = end
		busy.AfterFunc(100*time.Millisecond, func() { // by then nothing runs
			if err := start(); err != nil {
				t.Error(err)
			}
		})
	})
	select {
	case <-ran:
	case <-time.After(patience):
		t.Error("nobody else ran while the loop was busy")
	}
	onLoop(t, busy, func() { stop() })
}

// A loop that waits is parked, and holds no thread in a system call.
func TestWaitingLoopsNeedNoThreads(t *testing.T) {
	checkDescriptors(t)
	var loops []*reactor.Loop
	for range 200 {
		loops = append(loops, runLoop(t))
	}
	for range 3 {
		for _, l := range loops {
			onLoop(t, l, func() {})
		}
	}
	if n := threads(t); n > 100 {
		t.Errorf("%d threads for %d loops that wait", n, len(loops))
	}
}

// threads is how many this process has.
func threads(t *testing.T) int {
	t.Helper()
	entries, err := os.ReadDir("/proc/self/task")
	if err != nil {
		t.Fatal(err)
	}
	return len(entries)
}
