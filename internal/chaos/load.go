package chaos

import (
	"context"
	"math/rand/v2"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lars-lb/lars/internal/chaos/history"
	"github.com/lars-lb/lars/internal/route"
)

const (
	// callersPerAgent is how many goroutines ask one agent; each waits for its
	// answer before it asks again, so this many requests are under way at most.
	callersPerAgent = 8
	// deadline is when an answer is due. It comes within a millisecond from an
	// agent that is well, on a machine that is not busy.
	deadline = time.Second
	// mostBehind is how much of its turns a caller makes up for that an answer
	// was late; what is beyond is left out.
	mostBehind = 50 * time.Millisecond
	// oneBadCallOf is how many calls there are for one that is reported as
	// failed: few enough that no host is ever overloaded.
	oneBadCallOf = 50
)

// load asks agents at a rate and reports each answer.
type load struct {
	recorder *history.Recorder
	modules  []route.Module
	nobody   bool          // reports are of a host that is in no route
	accepted atomic.Uint64 // reports
	asked    atomic.Uint64
	running  sync.WaitGroup
}

// start asks the agent rate times a second until ctx is done.
func (l *load) start(ctx context.Context, name string, addr netip.AddrPort, rate int) error {
	callers := make([]*caller, callersPerAgent)
	for i := range callers {
		c, err := newCaller(addr)
		if err != nil {
			for _, c := range callers[:i] {
				c.close()
			}
			return err
		}
		callers[i] = c
	}
	for i, c := range callers {
		l.running.Go(func() {
			defer c.close()
			l.ask(ctx, c, name, i, time.Second*callersPerAgent/time.Duration(rate))
		})
	}
	return nil
}

func (l *load) ask(ctx context.Context, c *caller, name string, i int, every time.Duration) {
	turn := time.NewTimer(0)
	defer turn.Stop()
	random := rand.New(rand.NewPCG(uint64(i), 1))
	next := time.Now()
	for n := i; ; n++ {
		select {
		case <-ctx.Done():
			return
		case <-turn.C:
		}
		next = next.Add(every)
		if now := time.Now(); now.Sub(next) > mostBehind {
			next = now
		}
		turn.Reset(time.Until(next))
		m := l.modules[n%len(l.modules)]
		sent := time.Now()
		due := sent.Add(deadline)
		host, outcome := c.getHost(m, due)
		call := history.Call{
			Agent: name, Module: m, Host: host, Outcome: outcome,
			Sent: l.recorder.At(sent), Ended: l.recorder.Now(), Deadline: l.recorder.At(due),
		}
		l.asked.Add(1)
		if outcome == history.Unanswered {
			call.Ended = min(call.Ended, call.Deadline) // no answer is no late one
		}
		if outcome == history.Answered {
			call.Reported = l.recorder.Now()
			call.Succ = random.IntN(oneBadCallOf) > 0
			if l.nobody {
				host = route.Host{}
			}
			if call.Accepted = c.report(m, host, call.Succ); call.Accepted {
				l.accepted.Add(1)
			}
		}
		l.recorder.Call(call)
	}
}

// wait returns when nobody asks any more.
func (l *load) wait() { l.running.Wait() }
