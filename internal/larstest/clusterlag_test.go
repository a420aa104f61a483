package larstest_test

import (
	"flag"
	"slices"
	"sync"
	"testing"
	"time"
)

var judged = flag.Bool("full", false, "judge how soon changes of routes arrive while a cluster's node fails")

// latestArrival is how long a change may take to every agent, once the cluster
// takes changes again.
const latestArrival = 5 * time.Second

// changeTimes are when changes of one module, numbered from 1, were made or
// seen. The methods are for any goroutine.
type changeTimes struct {
	mu sync.Mutex
	at []time.Time // of change i+1
}

// upTo notes that the changes up to n, as far as they are new, happened now.
func (c *changeTimes) upTo(n uint32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for now := time.Now(); len(c.at) < int(n); {
		c.at = append(c.at, now)
	}
}

func (c *changeTimes) all() []time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.at)
}

// outage is a time in which the cluster could not be changed by all.
type outage struct {
	name     string
	from, to time.Time
}

// arrivals are how long changes took to the agents: since they were made, or
// since the end of the outage that they were made in.
type arrivals struct {
	outages []outage
	took    map[string][]time.Duration // by outage; "" for changes outside
}

// add adds the changes of an editor as an observer saw them.
func (a *arrivals) add(t *testing.T, o *observer) {
	t.Helper()
	made, seen := o.editor.times.all(), o.times.all()
	if len(seen) < len(made) {
		t.Errorf("%s has seen %d changes of %v, of %d", o.name, len(seen), o.editor.module, len(made))
		return
	}
	for i, since := range made {
		name := ""
		for _, out := range a.outages {
			// One that was made just before may not have left the node that failed.
			if since.After(out.from.Add(-latestArrival)) && since.Before(out.to) && seen[i].After(out.from) {
				name = out.name
				since = out.to
			}
		}
		a.took[name] = append(a.took[name], max(0, seen[i].Sub(since)))
	}
}

// judge logs the arrivals, and fails the test if one was late.
func (a *arrivals) judge(t *testing.T) {
	t.Helper()
	for name, took := range a.took {
		slices.Sort(took)
		last := took[len(took)-1]
		if name == "" {
			name = "no outage"
		}
		t.Logf("%s: %d arrivals of changes, half within %v, the last within %v", name, len(took), took[len(took)/2], last)
		if *judged && last > latestArrival {
			t.Errorf("%s: a change took %v to an agent, want at most %v", name, last, latestArrival)
		}
	}
	for _, o := range a.outages {
		t.Logf("%s: routes could be changed again after %v", o.name, o.to.Sub(o.from))
	}
}
