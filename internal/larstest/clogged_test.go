package larstest_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"net/netip"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/sys/unix"

	"github.com/lars-lb/lars/internal/larstest"
	"github.com/lars-lb/lars/internal/reporter"
	"github.com/lars-lb/lars/internal/store"
	"github.com/lars-lb/lars/internal/wire"
	pb "github.com/lars-lb/lars/proto/larspb"
)

// startClogged starts an agent whose log nobody reads any more once it serves:
// the first event loop with something to log is stuck from then on.
func startClogged(t *testing.T, s *larstest.Suite) (admin netip.AddrPort) {
	t.Helper()
	nobody := larstest.FreeTCP(t) // it cannot connect, and wants to tell
	d := s.NewAgent(larstest.FreeUDP(t), nobody)
	read, write, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = read.Close() })
	cmd := exec.Command(programs.Path("lars-lb-agent"), "-conf", d.Conf())
	cmd.Dir, cmd.Stderr = d.Dir(), write
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = cmd.Process.Kill(), cmd.Wait() })
	log := bufio.NewScanner(read)
	for log.Scan() && !strings.Contains(log.Text(), `"serving"`) {
	}
	// Another description of the pipe, so that not waiting for room holds for
	// this one only.
	fill, err := unix.Open(fmt.Sprintf("/proc/self/fd/%d", write.Fd()), unix.O_WRONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fill)
	for size := 4096; size > 0; {
		if _, err := unix.Write(fill, make([]byte, size)); errors.Is(err, unix.EAGAIN) {
			size /= 2
		} else if err != nil {
			t.Fatal(err)
		}
	}
	_ = write.Close()
	return d.Admin()
}

// brokenStore takes nothing.
type brokenStore struct{}

var errFull = errors.New("the disk is full")

func (brokenStore) Migrate(context.Context) (from, to int64, err error) { return 0, 0, errFull }

func (brokenStore) SaveStatuses(context.Context, []store.Status) error { return errFull }

func (brokenStore) HasHistory(context.Context) (bool, error) { return false, errFull }

func (brokenStore) SaveReports(context.Context, []store.Report, bool) (store.Saved, error) {
	return store.Saved{}, errFull
}

func (brokenStore) PruneHistory(context.Context, time.Duration) (int64, error) { return 0, errFull }

func (brokenStore) PruneSequences(context.Context, time.Duration) (int64, error) { return 0, errFull }

// fillReporter causes what needs a million keys in a program that keeps ten.
func fillReporter(t *testing.T, a *alerts) {
	t.Helper()
	cfg := reporter.DefaultConfig()
	cfg.Listen, cfg.MaxPending, cfg.DrainTimeout = netip.MustParseAddrPort("127.0.0.1:0"), 10, 1_000_000
	server, err := reporter.New(cfg, brokenStore{}, slog.New(slog.NewTextHandler(io.Discard, nil)))
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.Serve(t.Context()) // tells of the counts that are lost
	}()
	t.Cleanup(func() { server.Close(); <-ended })
	registry := prometheus.NewRegistry()
	registry.MustRegister(server.Metrics())
	web := httptest.NewServer(promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	t.Cleanup(web.Close)
	at := netip.MustParseAddrPort(web.Listener.Addr().String())
	conn := dial(t, server.Addr())
	defer conn.Close()
	report := func(first, n int32) {
		req := pb.ReportStatusRequest{Modid: 1, Cmdid: 1, Caller: 1, Ts: 1}
		for port := first; port < first+n; port++ {
			req.Results = append(req.Results, &pb.HostCallResult{Ip: 1, Port: port, Succ: 1})
		}
		body, err := req.MarshalVT()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := conn.Write(wire.AppendFrame(nil, int32(pb.MessageId_ID_ReportStatusRequest), body)); err != nil {
			t.Fatal(err)
		}
	}
	a.from("LarsReporterFillsUp", at, func() { report(1, 9) })
	a.from("LarsReporterDropsCounts", at, func() { report(20, 9) })
}
