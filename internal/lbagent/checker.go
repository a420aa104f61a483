package lbagent

import (
	"errors"
	"slices"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/reactor"
)

const (
	// checkTimeout is how long a host has to take a connection. Hosts are in
	// the same network, mostly; a first packet that is lost is sent again after
	// 1 s, too late to count.
	checkTimeout = time.Second
	// maxChecking bounds the checks under way, each of which has a descriptor.
	maxChecking = 256
	// maxChecks bounds those that wait or are under way. The next ones are
	// dropped: their hosts are treated as if there were no checks.
	maxChecks = 4096
)

// check is one host of one module to be connected to.
type check struct {
	id   route.Module
	host route.Host
}

// checker tries whether TCP connections to hosts can be made. Its methods are
// called on its loop, but for ask and Stats.
type checker struct {
	loop    *reactor.Loop
	queue   *reactor.Queue[check]
	shards  *[route.Shards]*RouteLB
	clock   func() time.Duration
	timeout time.Duration

	waiting  []check // waiting[next:], each once
	next     int
	open     map[check]bool // waiting or under way
	starting bool           // start is running

	asked, underWay                    atomic.Int64 // not answered yet; of these, started
	started, good, bad, unknown, drops atomic.Uint64
}

// CheckStats counts TCP checks of hosts.
type CheckStats struct {
	Waiting  int64  `json:"waiting"`   // now
	UnderWay int64  `json:"under_way"` // now
	Started  uint64 `json:"started"`
	Good     uint64 `json:"good"`    // a connection was made, and closed
	Bad      uint64 `json:"bad"`     // refused, unreachable or not made in time
	Unknown  uint64 `json:"unknown"` // not tried for want of descriptors, local ports or memory
	Dropped  uint64 `json:"dropped"` // not tried because too many waited
}

func newChecker(loop *reactor.Loop, shards *[route.Shards]*RouteLB, clock func() time.Duration) *checker {
	c := &checker{loop: loop, shards: shards, clock: clock, timeout: checkTimeout, open: make(map[check]bool)}
	c.queue = reactor.NewQueue(loop, maxChecks, c.take)
	return c
}

// ask has a host checked. Any goroutine may call it, and it does not block. It
// reports false if the check is dropped.
func (c *checker) ask(id route.Module, h route.Host) bool {
	if c.asked.Add(1) > maxChecks || !c.queue.Push(check{id, h}) {
		c.asked.Add(-1)
		c.drops.Add(1)
		return false
	}
	return true
}

func (c *checker) take(batch []check) {
	for _, k := range batch {
		if c.open[k] { // one answer is enough
			c.asked.Add(-1)
			continue
		}
		c.open[k] = true
		c.waiting = append(c.waiting, k)
	}
	c.start()
}

// start begins as many checks as may be under way.
func (c *checker) start() {
	if c.starting {
		return // from a check that failed at once: the loop below goes on
	}
	c.starting = true
	for c.next < len(c.waiting) && c.underWay.Load() < maxChecking {
		k := c.waiting[c.next]
		c.next++
		// The route may have changed while it waited: nothing but its hosts
		// must ever be connected to.
		if !c.shards[k.id.Shard()].WantsCheck(k.id, k.host) {
			c.close(k)
			continue
		}
		c.started.Add(1)
		c.underWay.Add(1)
		c.loop.ProbeTCP(k.host.AddrPort(), c.timeout, func(err error) { c.done(k, err) })
	}
	c.starting = false
	if c.next == len(c.waiting) || c.next >= maxChecks {
		c.waiting, c.next = slices.Delete(c.waiting, 0, c.next), 0
	}
}

func (c *checker) close(k check) {
	delete(c.open, k)
	c.asked.Add(-1)
}

func (c *checker) done(k check, err error) {
	c.underWay.Add(-1)
	c.close(k)
	if errors.Is(err, reactor.ErrClosed) {
		return // the agent stops
	}
	result := resultOf(err)
	switch result {
	case checkedGood:
		c.good.Add(1)
	case checkedBad:
		c.bad.Add(1)
	case checkedUnknown:
		c.unknown.Add(1)
	}
	c.shards[k.id.Shard()].Checked(k.id, k.host, result, c.clock())
	c.start()
}

// resultOf tells what is the matter with a host from what is the matter with
// this machine: that has no descriptors, memory or ports left, or forbids this
// program alone to connect.
func resultOf(err error) checkResult {
	if err == nil {
		return checkedGood
	}
	for _, local := range []error{
		unix.EMFILE, unix.ENFILE, unix.ENOBUFS, unix.ENOMEM, unix.ENOSPC,
		unix.EADDRNOTAVAIL, unix.EAGAIN, unix.EPERM, unix.EACCES,
	} {
		if errors.Is(err, local) {
			return checkedUnknown
		}
	}
	return checkedBad
}

// Stats returns the counters so far. Any goroutine may call it.
func (c *checker) Stats() CheckStats {
	s := CheckStats{
		UnderWay: c.underWay.Load(), Started: c.started.Load(),
		Good: c.good.Load(), Bad: c.bad.Load(), Unknown: c.unknown.Load(), Dropped: c.drops.Load(),
	}
	s.Waiting = max(0, c.asked.Load()-s.UnderWay)
	return s
}
