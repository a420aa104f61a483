package reporter

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// pollEvery is how often lars-reporter is asked what it has saved of reports
// without a number.
const pollEvery = 10 * time.Millisecond

// run is agents that send to a lars-reporter.
type run struct {
	*agents
	daemon *daemon
	load   load
	before stats
}

// begin starts the agents, and waits until all are connected.
func begin(ctx context.Context, d *daemon, l load) (*run, error) {
	l.Addr = d.addr
	before, err := d.stats(ctx)
	if err != nil {
		return nil, err
	}
	a, err := startAgents(ctx, l)
	if err != nil {
		return nil, err
	}
	r := &run{a, d, l, before}
	for {
		p, err := a.progress()
		if err == nil && p.Connected == l.Keys.Agents {
			return r, nil
		}
		if err == nil {
			err = r.wait(ctx, pollEvery)
		}
		if err != nil {
			r.stop()
			return nil, err
		}
	}
}

// wait waits for d, and tells the agents meanwhile what is saved, if they have
// no other way to know.
func (r *run) wait(ctx context.Context, d time.Duration) error {
	if r.load.Numbered || r.load.Window == 0 {
		return wait(ctx, d, nil)
	}
	for until := time.Now().Add(d); time.Now().Before(until); {
		if err := wait(ctx, min(pollEvery, d), nil); err != nil {
			return err
		}
		if err := r.tellSaved(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (r *run) tellSaved(ctx context.Context) error {
	s, err := r.daemon.stats(ctx)
	if err != nil {
		return err
	}
	return r.tell(command{Saved: s.saved() - r.before.saved()})
}

// warmUp is how long rows are written before a round of a length: at least until
// the first batches are committed.
func warmUp(length time.Duration) time.Duration { return max(length/2, 400*time.Millisecond) }

// sample is one round of a measurement.
type sample struct {
	rate           float64 // results a second that were committed
	writer, server float64 // CPU time of lars-reporter or the yardstick, and of the database's server, µs a result
}

// meter takes a sample.
type meter struct {
	pids  [2]int
	start time.Time
	done  uint64
	cpu   [2]time.Duration
}

func newMeter(writer, server int, done uint64) meter {
	return meter{[2]int{writer, server}, time.Now(), done, [2]time.Duration{cpu(writer), cpu(server)}}
}

func (m meter) sample(done uint64) sample {
	n := max(1, float64(done-m.done))
	per := func(i int) float64 { return float64((cpu(m.pids[i]) - m.cpu[i]).Microseconds()) / n }
	return sample{rate: float64(done-m.done) / time.Since(m.start).Seconds(), writer: per(0), server: per(1)}
}

// measure returns how many results a second are committed in length, after some
// time to warm up.
func (r *run) measure(ctx context.Context, e *engine, length time.Duration) (sample, error) {
	if err := r.wait(ctx, warmUp(length)); err != nil {
		return sample{}, err
	}
	first, err := r.progress()
	if err != nil {
		return sample{}, err
	}
	m := newMeter(r.daemon.PID(), e.pid, first.Done)
	if err := r.wait(ctx, length); err != nil {
		return sample{}, err
	}
	last, err := r.progress()
	if err != nil {
		return sample{}, err
	}
	if last.Lost > 0 {
		return sample{}, fmt.Errorf("lars-reporter closed %d connections", last.Lost)
	}
	return m.sample(last.Done), nil
}

// patience is how long what waits may take to be saved.
const patience = 30 * time.Second

// end lets the agents send nothing any more and waits until all is saved.
func (r *run) end(ctx context.Context) (progress, error) {
	if err := r.tell(command{End: true}); err != nil {
		return progress{}, err
	}
	for until := time.Now().Add(patience); time.Now().Before(until); {
		if err := r.wait(ctx, pollEvery); err != nil {
			return progress{}, err
		}
		p, err := r.progress()
		if err != nil {
			return progress{}, err
		}
		if p.Done == p.Sent {
			return p, nil
		}
	}
	return progress{}, errors.New("lars-reporter does not save what it was sent")
}
