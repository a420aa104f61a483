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

// rate returns how many results a second are committed in length, after half of
// that to warm up.
func (r *run) rate(ctx context.Context, length time.Duration) (float64, error) {
	if err := r.wait(ctx, length/2); err != nil {
		return 0, err
	}
	first, err := r.progress()
	if err != nil {
		return 0, err
	}
	if err := r.wait(ctx, length); err != nil {
		return 0, err
	}
	last, err := r.progress()
	if err != nil {
		return 0, err
	}
	if last.Lost > 0 {
		return 0, fmt.Errorf("lars-reporter closed %d connections", last.Lost)
	}
	return float64(last.Done-first.Done) / (float64(last.At-first.At) / 1e9), nil
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
