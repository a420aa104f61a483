package daemon

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// stopWithin is how long a service may take to stop. Supervisors and people
// at a terminal wait for it.
const stopWithin = 2 * time.Second

// process is one run of a daemon.
type process[C any] struct {
	spec    *Spec[C]
	path    string // of the configuration
	started C      // as the service was started: what a restart would change
	current C      // as last read: what the live settings are
	level   *slog.LevelVar
	log     *slog.Logger
}

func newProcess[C any](spec *Spec[C], path string, config C, stderr io.Writer) *process[C] {
	p := &process[C]{spec: spec, path: path, started: config, current: config, level: new(slog.LevelVar)}
	settings := spec.Log(config)
	p.level.Set(settings.Level)
	options := &slog.HandlerOptions{Level: p.level}
	if settings.Format == "json" {
		p.log = slog.New(slog.NewJSONHandler(stderr, options))
	} else {
		p.log = slog.New(slog.NewTextHandler(stderr, options))
	}
	return p
}

// run serves until a signal, parent, or the service ends it.
func (p *process[C]) run(parent context.Context) error {
	// Signals are taken before anything is started, so that none is lost.
	stop := make(chan os.Signal, 2) // the first asks, the second insists
	signal.Notify(stop, syscall.SIGTERM, syscall.SIGINT)
	defer signal.Stop(stop)
	hangup := make(chan os.Signal, 1) // several at once are one reload
	signal.Notify(hangup, syscall.SIGHUP)
	defer signal.Stop(hangup)
	pipe := make(chan os.Signal, 1) // never read: Notify makes a write to a closed log an error
	signal.Notify(pipe, syscall.SIGPIPE)
	defer signal.Stop(pipe)

	admin, err := startAdmin(p.spec.Admin(p.started), p.spec.Name, version(p.spec.Version), p.log)
	if err != nil {
		return err
	}
	defer admin.stop()

	ctx, cancel := context.WithCancel(parent)
	defer cancel()
	p.log.Info("starting", "version", describe(version(p.spec.Version)), "conf", p.path)
	started := make(chan Service, 1)
	ended := make(chan error, 1)
	go func() {
		service, err := p.spec.Start(ctx, p.started, p.log)
		if err != nil {
			ended <- err
			return
		}
		admin.serve(service)
		started <- service
		ended <- service.Serve(ctx)
	}()

	var service Service
	var reload <-chan os.Signal // hangup once there is a service; until then it waits in its buffer
	for {
		select {
		case service = <-started:
			reload = hangup
		case <-reload:
			p.reload(service)
		case err := <-ended:
			if parent.Err() != nil {
				return p.stopped(err)
			}
			if err == nil {
				err = errors.New("the service ended without being asked to")
			}
			return err
		case s := <-stop:
			p.log.Info("stopping", "signal", s.String())
			cancel()
			return p.waitEnd(ended, stop)
		case <-parent.Done():
			p.log.Info("stopping", "err", context.Cause(parent))
			return p.waitEnd(ended, stop)
		}
	}
}

// waitEnd waits for a service whose context was cancelled.
func (p *process[C]) waitEnd(ended <-chan error, stop <-chan os.Signal) error {
	late := time.NewTimer(stopWithin)
	defer late.Stop()
	select {
	case err := <-ended:
		return p.stopped(err)
	case s := <-stop:
		return fmt.Errorf("ended without waiting: a second signal (%v) while stopping", s)
	case <-late.C:
		return fmt.Errorf("ended without waiting: not stopped within %v", stopWithin)
	}
}

// stopped judges what a service returned after its context was cancelled.
func (p *process[C]) stopped(err error) error {
	if err != nil && !errors.Is(err, context.Canceled) {
		return fmt.Errorf("while stopping: %w", err)
	}
	p.log.Info("stopped")
	return nil
}
