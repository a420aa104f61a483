package daemon_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.uber.org/goleak"

	"github.com/lars-lb/lars/internal/config"
	"github.com/lars-lb/lars/internal/daemon"
)

// childMode, in the environment, makes the test binary a daemon: its value is
// the behaviour of the fake service.
const childMode = "LARS_DAEMON_TEST_MODE"

func TestMain(m *testing.M) {
	if mode := os.Getenv(childMode); mode != "" {
		os.Exit(daemon.Main(context.Background(), fakeSpec(mode), os.Args[1:], os.Stdout, os.Stderr))
	}
	goleak.VerifyTestMain(m)
}

func fakeSpec(mode string) daemon.Spec[config.Agent] {
	return daemon.Spec[config.Agent]{
		Name:        "faked",
		About:       "Faked stands in for a daemon.",
		Environment: "FAKE_PASSWORD  a password",
		DefaultConf: "conf/faked.conf",
		Version:     "v1.2.3",
		Load:        config.LoadAgent,
		Changed:     config.Agent.Changed,
		Live:        func(key string) bool { return strings.HasPrefix(key, "[loadbalance] ") },
		Log:         func(c config.Agent) daemon.LogConfig { return daemon.LogConfig(c.Log) },
		Admin:       func(c config.Agent) netip.AddrPort { return c.Admin.Addr },
		Start: func(ctx context.Context, c config.Agent, log *slog.Logger) (daemon.Service, error) {
			s := fakeService{mode, log}
			switch mode {
			case "refuse":
				return nil, errors.New("listen udp 127.0.0.1:8888: address already in use")
			case "slow-start":
				log.Info("waiting in Start")
				<-ctx.Done()
				return nil, ctx.Err()
			case "no-reloader":
				return struct{ daemon.Service }{s}, nil
			case "not-ready":
				return notReady{s}, nil
			case "stuck-loop":
				return stuckLoop{s}, nil
			case "measured":
				return measured{s}, nil
			case "routes":
				return router{s}, nil
			}
			return s, nil
		},
	}
}

type fakeService struct {
	mode string
	log  *slog.Logger
}

func (s fakeService) Serve(ctx context.Context) error {
	s.log.Debug("a detail")
	s.log.Info("serving")
	switch s.mode {
	case "fail":
		return errors.New("the disk is gone")
	case "end":
		return nil
	case "stuck":
		select {}
	}
	<-ctx.Done()
	if s.mode == "fail-stopping" {
		return errors.New("not everything was written")
	}
	return nil
}

type notReady struct{ fakeService }

func (notReady) Ready() bool { return false }

func (notReady) Explain() []string { return []string{"the database does not answer"} }

// stuckLoop has an event loop that does not get on, and one that does.
type stuckLoop struct{ fakeService }

func (stuckLoop) Loops() []daemon.Loop {
	return []daemon.Loop{
		{Name: "udp0", Busy: func() time.Duration { return 4900 * time.Millisecond }},
		{Name: "dns", Busy: func() time.Duration { return 7 * time.Second }},
	}
}

// measured has one metric, the number of times that it was asked for it.
type measured struct{ fakeService }

func (measured) Metrics() prometheus.Collector {
	return prometheus.NewCounterFunc(prometheus.CounterOpts{Name: "faked_things_total", Help: "Things."}, func() float64 { return 42 })
}

type router struct{ fakeService }

func (router) Route(mux *http.ServeMux) {
	for _, pattern := range []string{"GET /own", "GET /stats"} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "the service's own") })
	}
	mux.HandleFunc("POST /do", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, "done") })
}

func (s fakeService) Stats() any {
	if s.mode == "bad-stats" {
		return func() {}
	}
	return map[string]int{"answered": 42}
}

func (s fakeService) Reload(c config.Agent) error {
	if c.Balance.ErrRate == 0.99 {
		return errors.New("err_rate of 0.99 is not for this service")
	}
	s.log.Info("service reloads", "err_rate", c.Balance.ErrRate)
	return nil
}
