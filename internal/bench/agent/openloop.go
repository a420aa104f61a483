package agent

import (
	"context"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lars-lb/lars/internal/route"
)

// behindMax is how many requests a generator that has fallen behind sends at
// once to keep its rate; what is more is not sent at all.
const behindMax = 4 * batchSize

// flood is the result of asking at a set rate.
type flood struct {
	sent, answered uint64
	lostHere       uint64 // answers that came and found no room
	sentRate, rate float64
	times          []float64 // from request to answer, µs
}

// ask sends requests for one module at a rate, whether they are answered or
// not, and waits for what is still answered then. It keeps a processor busy,
// which the thread stays on.
func ask(ctx context.Context, t *target, id route.Module, perSecond float64, length time.Duration, on *unix.CPUSet) (f flood, err error) {
	c, err := dial(t.addrs[id.Shard()], []route.Module{id}, false)
	if err != nil {
		return f, err
	}
	defer c.close()
	leave, err := stayOn(on)
	if err != nil {
		return f, err
	}
	defer leave()
	c.times = make([]float64, 0, timesMax)
	var skipped float64
	for c.look(); c.now < length; c.look() {
		if err := ctx.Err(); err != nil {
			return f, err
		}
		due := c.now.Seconds()*perSecond - skipped - float64(c.sent)
		if due > behindMax {
			skipped += due - behindMax
			due = behindMax
		}
		for range int(due) {
			if c.queued == batchSize {
				c.flushTrain()
			}
			c.ask()
		}
		c.flushTrain()
		for c.receive(unix.MSG_DONTWAIT) == batchSize {
		}
	}
	f.sentRate, f.rate = float64(c.sent)/c.now.Seconds(), float64(c.answers)/c.now.Seconds()
	if err := c.patience(silence); err != nil {
		return f, err
	}
	c.drain()
	f.sent, f.answered, f.lostHere, f.times = c.sent, c.answers, c.lost(), c.times
	return f, nil
}
