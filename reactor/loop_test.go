//go:build linux

package reactor_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/eventually"
	"github.com/lars-lb/lars/reactor"
)

func TestPostRunsInOrder(t *testing.T) {
	l := runLoop(t)
	var got []int
	for i := range 1000 {
		if err := l.Post(func() { got = append(got, i) }); err != nil {
			t.Fatal(err)
		}
	}
	onLoop(t, l, func() {
		if len(got) != 1000 || !slices.IsSorted(got) {
			t.Errorf("%d tasks ran, in order: %v", len(got), slices.IsSorted(got))
		}
	})
}

func TestPostFromTaskRunsInALaterTurn(t *testing.T) {
	l := runLoop(t)
	done := make(chan bool)
	onLoop(t, l, func() {
		nested := false
		_ = l.Post(func() { nested = true; done <- true })
		if nested {
			t.Error("the nested task ran inside Post")
		}
	})
	<-done
}

func TestPostIsBounded(t *testing.T) {
	l := runLoop(t)
	release, blocked := make(chan struct{}), make(chan struct{})
	_ = l.Post(func() { close(blocked); <-release })
	<-blocked
	n := 0
	var err error
	for ; err == nil && n <= 1<<16; n++ {
		err = l.Post(func() {})
	}
	if !errors.Is(err, reactor.ErrFull) || n != 1<<16+1 {
		t.Errorf("post number %d: %v; want ErrFull after 65,536", n, err)
	}
	close(release)
	onLoopEventually(t, l)
}

// onLoopEventually waits until the loop takes tasks again and runs them.
func onLoopEventually(t *testing.T, l *reactor.Loop) {
	t.Helper()
	done := make(chan struct{})
	eventually.True(t, patience, "the loop takes tasks", func() bool { return l.Post(func() { close(done) }) == nil })
	<-done
}

func TestCloseRunsWhatWasPosted(t *testing.T) {
	l, err := reactor.NewLoop()
	if err != nil {
		t.Fatal(err)
	}
	ran := 0
	for range 10 {
		if err := l.Post(func() { ran++ }); err != nil {
			t.Fatal(err)
		}
	}
	_ = l.Post(l.Close)
	if err := l.Run(); err != nil {
		t.Errorf("Run = %v", err)
	}
	if ran != 10 {
		t.Errorf("%d of 10 tasks ran", ran)
	}
	if err := l.Post(func() { t.Error("a task ran after Close") }); !errors.Is(err, reactor.ErrClosed) {
		t.Errorf("Post after Close = %v", err)
	}
	if err := l.Run(); !errors.Is(err, reactor.ErrClosed) {
		t.Errorf("second Run = %v", err)
	}
	l.Close()
}

func TestLoopReleasesDescriptors(t *testing.T) {
	checkDescriptors(t)
	for range 20 {
		l, err := reactor.NewLoop()
		if err != nil {
			t.Fatal(err)
		}
		l.Close() // without ever running
		l.Close()
	}
	runLoop(t)
}

func TestPostWhileClosing(t *testing.T) {
	checkDescriptors(t)
	for range 50 {
		l, err := reactor.NewLoop()
		if err != nil {
			t.Fatal(err)
		}
		var posters sync.WaitGroup
		posted, ran := 0, 0
		posters.Go(func() {
			for l.Post(func() { ran++ }) == nil {
				posted++
				if posted == 100 {
					l.Close()
				}
			}
		})
		if err := l.Run(); err != nil && !errors.Is(err, reactor.ErrClosed) {
			t.Fatal(err)
		}
		posters.Wait()
		if ran != posted {
			t.Fatalf("posted %d, ran %d", posted, ran)
		}
	}
}

func TestTimersFireInOrder(t *testing.T) {
	l := runLoop(t)
	fired := make(chan int, 10)
	onLoop(t, l, func() {
		for _, i := range []int{3, 1, 2} {
			l.AfterFunc(time.Duration(i)*5*time.Millisecond, func() { fired <- i })
		}
		stopped := l.AfterFunc(time.Millisecond, func() { fired <- 99 })
		stopped.Stop()
		stopped.Stop()
		late := l.AfterFunc(time.Hour, func() { fired <- 4 })
		late.Reset(20 * time.Millisecond)
		l.AfterFunc(-time.Second, func() { fired <- 0 })
	})
	for want := range 5 {
		if got := <-fired; got != want {
			t.Errorf("timer %d fired when %d was due", got, want)
		}
	}
}

func TestTimerMayArmItselfAndOthers(t *testing.T) {
	l := runLoop(t)
	done := make(chan int)
	onLoop(t, l, func() {
		n := 0
		var again *reactor.Timer
		again = l.AfterFunc(0, func() {
			if n++; n < 5 {
				again.Reset(0)
				return
			}
			l.AfterFunc(0, func() { done <- n })
		})
	})
	if n := <-done; n != 5 {
		t.Errorf("fired %d times, want 5", n)
	}
}

func TestGoIsWaitedFor(t *testing.T) {
	l, err := reactor.NewLoop()
	if err != nil {
		t.Fatal(err)
	}
	ended := false
	l.Go(func(ctx context.Context) {
		<-ctx.Done()
		ended = true
	})
	_ = l.Post(l.Close)
	if err := l.Run(); err != nil || !ended {
		t.Errorf("Run = %v, helper ended: %v", err, ended)
	}
	l.Go(func(context.Context) { t.Error("started on a closed loop") })
}

func TestQueueKeepsOrderAndLosesNothing(t *testing.T) {
	l := runLoop(t)
	const producers, each = 4, 5000
	got := make(map[int][]int)
	total := make(chan int, producers*each)
	n := 0
	q := reactor.NewQueue(l, 128, func(batch [][2]int) {
		for _, v := range batch {
			got[v[0]] = append(got[v[0]], v[1])
		}
		if n += len(batch); n == producers*each {
			total <- n
		}
	})
	var wg sync.WaitGroup
	for p := range producers {
		wg.Go(func() {
			for i := 0; i < each; {
				if q.Push([2]int{p, i}) {
					i++
				}
			}
		})
	}
	wg.Wait()
	<-total
	for p := range producers {
		if len(got[p]) != each || !slices.IsSorted(got[p]) {
			t.Errorf("producer %d: %d values, in order: %v", p, len(got[p]), slices.IsSorted(got[p]))
		}
	}
}

func TestQueueIsBoundedAndCloses(t *testing.T) {
	l, err := reactor.NewLoop()
	if err != nil {
		t.Fatal(err)
	}
	drained := 0
	q := reactor.NewQueue(l, 3, func(batch []string) { drained += len(batch) })
	for i := range 5 {
		if got, want := q.Push("v"), i < 3; got != want {
			t.Errorf("push %d = %v, want %v", i, got, want)
		}
	}
	if q.Len() != 3 {
		t.Errorf("Len = %d, want 3", q.Len())
	}
	l.Close()
	if drained != 3 {
		t.Errorf("%d values drained, want 3", drained)
	}
	if q.Push("v") {
		t.Error("pushed to a closed loop")
	}
}

func TestQueueAndTimerDoNotAllocate(t *testing.T) {
	l := runLoop(t)
	taken := make(chan int, 1)
	q := reactor.NewQueue(l, 1024, func(batch []int) { taken <- len(batch) })
	if n := testing.AllocsPerRun(500, func() {
		q.Push(1)
		<-taken
	}); n != 0 {
		t.Errorf("%v allocations a pushed value, want none", n)
	}
	var timer *reactor.Timer
	onLoop(t, l, func() { timer = l.AfterFunc(time.Hour, func() {}) })
	onLoop(t, l, func() {
		if n := testing.AllocsPerRun(500, func() { timer.Reset(time.Hour); timer.Stop() }); n != 0 {
			t.Errorf("%v allocations a Reset, want none", n)
		}
	})
}
