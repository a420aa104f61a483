package sim

import "time"

// Result is what became of the callers of one run. Calls made before the fault
// do not count.
type Result struct {
	Calls   int // times that a host was asked for
	Failed  int
	Slow    int // took longer than TooSlow, where that is the fault
	Refused int // got no host while a good one existed

	// Ejects says whether the algorithm keeps hosts out of the traffic, so that
	// the four below are known.
	Ejects bool
	// HealthyOut is for how long hosts that were well were kept out, added up
	// over hosts, and HostTime how long hosts were well at all.
	HealthyOut, HostTime time.Duration
	// Ejections counts how often a host that was well was found newly out.
	Ejections int
	// MostAttempts is the most attempts within one second at a host that was of
	// no use: calls while it was kept out, and TCP checks.
	MostAttempts int

	// FirstPicks[i] is how many picks host 0 got in second i after the fault,
	// and Picks[i] how many all hosts got.
	FirstPicks, Picks []int
	// Crowding is the largest share of the picks within 100 ms that a host
	// got, beside the fair one; 0 if there is one agent only or too few picks.
	Crowding float64
}

// Lost is the number of calls that an ideal balancer might have saved: those
// that failed, were slow or were refused.
func (r *Result) Lost() int { return r.Failed + r.Slow + r.Refused }

// attempts counts how often a host that is out is tried.
type attempts struct {
	recent []time.Duration // within the last second
	most   int
}

func (a *attempts) add(now time.Duration) {
	kept := a.recent[:0]
	for _, at := range a.recent {
		if at > now-time.Second {
			kept = append(kept, at)
		}
	}
	a.recent = append(kept, now)
	a.most = max(a.most, len(a.recent))
}

// crowd finds out how unevenly hosts that are well are called within a short
// time.
type crowd struct {
	picks []int // in the current window, by host
	total int
	end   time.Duration // of the window
	worst float64
}

const (
	crowdWindow = 100 * time.Millisecond
	// crowdPicks is the least number of picks a host, on average, that a window
	// is looked at with: by chance alone, fewer are uneven.
	crowdPicks = 10
)

// pick notes a pick. well tells the hosts that count.
func (c *crowd) pick(host int, now time.Duration, well func(host int, now time.Duration) bool) {
	if now >= c.end {
		c.close(well)
		c.end = now.Truncate(crowdWindow) + crowdWindow
	}
	c.picks[host]++
	c.total++
}

// close ends a window.
func (c *crowd) close(well func(host int, now time.Duration) bool) {
	most, hosts := 0, 0
	for h, n := range c.picks {
		if well(h, c.end) {
			hosts++
			most = max(most, n)
		}
	}
	if hosts > 0 && c.total >= crowdPicks*hosts {
		c.worst = max(c.worst, float64(most*hosts)/float64(c.total))
	}
	clear(c.picks)
	c.total = 0
}
