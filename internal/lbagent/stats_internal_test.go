package lbagent

import (
	"sync"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/balance"
)

func TestPullStats(t *testing.T) {
	r := testLB(nil)
	now := time.Hour
	if r.routeCame() != 0 {
		t.Error("a route came before any was asked for")
	}
	pick(t, r, module1, now, balance.Empty, true)
	if overdue := r.Overdue(nil, 10, now+time.Second); len(overdue) != 1 {
		t.Fatalf("overdue: %v", overdue)
	}
	// Counted from when it was asked for last.
	r.Apply(module1, nodes(hostA), now+1300*time.Millisecond)
	s := r.Stats()
	if s.PullsOverdue != 1 || s.Pulls != 2 || s.PullTook.Count != 1 || s.PullTook.Sum < 0.299 || s.PullTook.Sum > 0.301 {
		t.Errorf("after the answer: %+v", s)
	}
	// A push is no answer.
	r.Apply(module1, nodes(hostB), now+5*time.Second)
	if s = r.Stats(); s.PullTook.Count != 1 || s.Updates != 2 || r.routeCame() != now+5*time.Second {
		t.Errorf("after a push: %+v, came at %v", s, r.routeCame())
	}
	if s.MaxModules == 0 || s.MaxUnknown == 0 {
		t.Errorf("bounds: %+v", s)
	}
}

func TestBefellStats(t *testing.T) {
	var c befellCounters
	before := c.snapshot()
	if n, ok := before.Ejected["failing"]; n != 0 || !ok {
		t.Errorf("at first: %+v", before)
	}
	host := hostA
	var tellers sync.WaitGroup
	for range 4 {
		tellers.Go(func() {
			for _, e := range []balance.Event{
				{Host: host, State: balance.Overload, Reason: balance.Reason{Cause: balance.Failing}},
				{Host: host, State: balance.Overload, Reason: balance.Reason{Cause: balance.Fresh}}, // not among the usual ones
				{Host: host, State: balance.Idle, Reason: balance.Reason{Cause: balance.Recovered}},
				{State: balance.Overload, Reason: balance.Reason{Cause: balance.Blackout}},
				{State: balance.Idle, Reason: balance.Reason{Cause: balance.SharedCause}},
			} {
				c.count(&e)
			}
		})
	}
	tellers.Wait()
	s := c.snapshot()
	for what, n := range map[string]uint64{
		"failing": s.Ejected["failing"], "fresh": s.Ejected["fresh"], "recovered": s.Returned["recovered"],
		"blackout": s.Modules["blackout"], "shared cause": s.Modules["shared cause"],
	} {
		if n != 4 {
			t.Errorf("%s: %d", what, n)
		}
	}
	if s.Ejected["hanging"]+s.Returned["pardoned"]+s.Modules["recovered"] != 0 {
		t.Errorf("%+v", s)
	}
}
