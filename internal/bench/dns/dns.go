// Package dns measures lars-dns at size, on a MariaDB of its own: how soon it
// answers after a start, what memory it takes, what a reading of all routes does
// to those who ask meanwhile, how soon a change reaches the agents, and what very
// many agents cost.
//
// Agents are connections of another process, this program once more: all on one
// event loop, so that the crowd costs the machine as little as it can.
package dns

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/lars-lb/lars/internal/bench/result"
	"github.com/lars-lb/lars/internal/mariadbtest"
)

// Config says how to measure.
type Config struct {
	Bin    string        // the folder with the daemons
	Rounds int           // of changes; medians are recorded
	Length time.Duration // of a load; below a second everything is as small as a look at it needs
	Rows   int           // of the largest table; default 10,000,000, or 100,000 for a look
	Agents int           // of the largest crowd; default 10,000, or 500
}

// defaultPoll is the default of lars-dns, which is what is measured.
const defaultPoll = 100 * time.Millisecond

// bench is what is measured with.
type bench struct {
	Config
	*result.Recorder
	dir    string
	port   int // of lars-dns; the next one is its admin's
	server *server
	crowd  *crowd // the connections that there are now
}

// Run measures everything and adds it to r.
func Run(ctx context.Context, cfg Config, r *result.Recorder) (err error) {
	look := cfg.Length < time.Second
	if cfg.Rows == 0 {
		if cfg.Rows = 10_000_000; look {
			cfg.Rows = 100_000
		}
	}
	if cfg.Agents == 0 {
		if cfg.Agents = 10_000; look {
			cfg.Agents = 500
		}
	}
	b := &bench{Config: cfg, Recorder: r}
	if b.port, err = freePorts(); err != nil {
		return err
	}
	if b.dir, err = os.MkdirTemp("", "lars-bench"); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	b.Progress("starting MariaDB")
	b.server, err = startServer()
	if errors.Is(err, mariadbtest.ErrMissing) {
		return errors.New("MariaDB's server is not installed; `make deps` installs it")
	}
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, b.server.stop()) }()
	var sizes []*database
	for rows := cfg.Rows / 1000; rows <= cfg.Rows; rows *= 10 {
		b.Progress("filling a table of %d rows", rows)
		d, err := b.server.fill(ctx, rows/hostsOf)
		if err != nil {
			return err
		}
		defer d.store.Close()
		sizes = append(sizes, d)
	}
	if err := b.measureSizes(ctx, sizes); err != nil {
		return err
	}
	return b.measureLargest(ctx, sizes[len(sizes)-1])
}

// measureLargest measures what is to be known of the largest table alone.
func (b *bench) measureLargest(ctx context.Context, d *database) error {
	saved := filepath.Join(b.dir, "routes")
	p, err := b.start(ctx, d, saved, defaultPoll)
	if err != nil {
		return err
	}
	defer func() { p.stop() }()
	if err := p.until(ctx, func(s stats) bool { return s.Snapshot.Saves > 0 }); err != nil {
		return err
	}
	p.stop()
	b.Progress("start from the file")
	if p, err = startDaemon(ctx, b.Bin, b.dir, d, b.port, saved, defaultPoll); err != nil {
		return err
	}
	first, err := p.firstAnswer(ctx)
	if err != nil {
		return err
	}
	b.Row(result.Row{What: fmt.Sprintf("first answer after the start, %d rows from the file", d.rows()), Unit: "s",
		Ours: first.Seconds(), Aim: result.ValueAtMost(2)})
	if err := b.settled(ctx, p); err != nil {
		return err
	}
	for _, part := range []func(context.Context, *database, *daemon) error{
		b.measurePolls, b.measureReload, b.measureChanges, b.measureBurst,
	} {
		if err := part(ctx, d, p); err != nil {
			return err
		}
	}
	return b.measureAgents(ctx, d, &p, saved)
}

// start starts lars-dns and waits until it has the database's routes and is at
// rest.
func (b *bench) start(ctx context.Context, d *database, saved string, poll time.Duration) (*daemon, error) {
	p, err := startDaemon(ctx, b.Bin, b.dir, d, b.port, saved, poll)
	if err != nil {
		return nil, err
	}
	if _, err := p.firstAnswer(ctx); err != nil {
		p.stop()
		return nil, err
	}
	return p, nil
}

// settled waits until lars-dns has the database's routes and is at rest.
func (b *bench) settled(ctx context.Context, p *daemon) error {
	if err := p.until(ctx, func(s stats) bool { return !s.Stale && s.FullReloads > 0 }); err != nil {
		return err
	}
	return pause(ctx, time.Second)
}

// gather replaces the connections there are by new ones, n of them.
func (b *bench) gather(ctx context.Context, p *daemon, o order) (disperse func(), r report, err error) {
	self, err := os.Executable()
	if err != nil {
		return nil, r, err
	}
	c, err := startCrowd(self)
	if err != nil {
		return nil, r, err
	}
	b.crowd = c
	for i := range 10 { // more than one has ports for
		o.Addrs = append(o.Addrs, fmt.Sprintf("127.0.0.%d:%d", i+1, p.port))
	}
	stop := context.AfterFunc(ctx, c.kill)
	disperse = func() { stop(); c.stop() }
	if r, err = c.do(o); err != nil {
		disperse()
		return nil, r, err
	}
	return disperse, r, nil
}
