package lbagent

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lars-lb/lars/internal/balance"
	"github.com/lars-lb/lars/internal/eventually"
	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/reactor"
)

// patience bounds waiting for what takes milliseconds on an idle machine.
const patience = 20 * time.Second

// checkDescriptors fails the test if, once everything that it started has been
// closed, more descriptors are open than before.
func checkDescriptors(t *testing.T) {
	t.Helper()
	open := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		if err != nil {
			t.Fatal(err)
		}
		return len(entries)
	}
	before := open()
	t.Cleanup(func() {
		eventually.True(t, patience, "all descriptors closed again", func() bool { return open() <= before })
	})
}

// boundSocket is a socket that holds a port of 127.0.0.1, and does not listen.
func boundSocket(t *testing.T) (fd int, h route.Host) {
	t.Helper()
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = unix.Close(fd) })
	if err := unix.Bind(fd, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}}); err != nil {
		t.Fatal(err)
	}
	sa, err := unix.Getsockname(fd)
	if err != nil {
		t.Fatal(err)
	}
	return fd, route.Host{IP: 127<<24 | 1, Port: uint16(sa.(*unix.SockaddrInet4).Port)}
}

func refusingHost(t *testing.T) route.Host {
	_, h := boundSocket(t)
	return h
}

// silentHost neither takes nor refuses connections: its queue of them is full.
func silentHost(t *testing.T) route.Host {
	t.Helper()
	fd, h := boundSocket(t)
	if err := unix.Listen(fd, 0); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		filler, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = unix.Close(filler) })
		_ = unix.Connect(filler, &unix.SockaddrInet4{Addr: [4]byte{127, 0, 0, 1}, Port: int(h.Port)})
	}
	return h
}

func listeningHost(t *testing.T) (route.Host, net.Listener) {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ln.Close() })
	h, _ := route.HostFrom(ln.Addr().(*net.TCPAddr).AddrPort())
	return h, ln
}

// startChecker runs a checker of RouteLBs that hold modules of these ids, all
// with the same hosts, until the test ends or stop.
func startChecker(t *testing.T, timeout time.Duration, modules int32, hosts ...route.Host) (c *checker, stop func()) {
	t.Helper()
	var shards [route.Shards]*RouteLB
	for i := range shards {
		shards[i] = testLB(func(c *Config) {
			c.Settings.Balance.Policy = balance.Adaptive
			c.Settings.Checks = map[route.Module]bool{unchecked: false}
		})
	}
	apply := func(id route.Module) {
		shards[id.Shard()].Pick(id, 0)
		shards[id.Shard()].Apply(id, nodes(hosts...), 0)
	}
	for i := range modules {
		apply(route.Module{ModID: i})
	}
	apply(unchecked)
	loop, err := reactor.NewLoop()
	if err != nil {
		t.Fatal(err)
	}
	c = newChecker(loop, &shards, func() time.Duration { return time.Second })
	c.timeout = timeout
	done := make(chan error, 1)
	go func() { done <- loop.Run() }()
	stopped := false
	stop = func() {
		if stopped {
			return
		}
		stopped = true
		loop.Close()
		if err := <-done; err != nil && !errors.Is(err, reactor.ErrClosed) { // closed before it ran
			t.Errorf("Run = %v", err)
		}
	}
	t.Cleanup(stop)
	return c, stop
}

// unchecked is a module whose hosts must not be connected to.
var unchecked = route.Module{ModID: -1, CmdID: -1}

// answered waits until every check was answered.
func answered(t *testing.T, c *checker) CheckStats {
	t.Helper()
	eventually.True(t, patience, "all checks are answered", func() bool {
		s := c.Stats()
		return s.Waiting == 0 && s.UnderWay == 0
	})
	return c.Stats()
}

func TestCheckerMeetsAllSortsOfHosts(t *testing.T) {
	checkDescriptors(t)
	up, _ := listeningHost(t)
	refusing, silent := refusingHost(t), silentHost(t)
	c, _ := startChecker(t, 500*time.Millisecond, 1, up, refusing, silent)
	for _, step := range []struct {
		host      route.Host
		good, bad uint64
	}{{up, 1, 0}, {refusing, 1, 1}, {silent, 1, 2}, {up, 2, 2}} {
		if !c.ask(route.Module{}, step.host) {
			t.Fatal("dropped")
		}
		want := CheckStats{Started: step.good + step.bad, Good: step.good, Bad: step.bad}
		if got := answered(t, c); got != want {
			t.Errorf("after %v: %+v, want %+v", step.host, got, want)
		}
	}
}

// A host that left its route, or a module that must not be checked, is not
// connected to, even if the check was asked for before.
func TestCheckerStaysWithinRoutes(t *testing.T) {
	checkDescriptors(t)
	h, ln := listeningHost(t)
	other, _ := listeningHost(t)
	c, stop := startChecker(t, patience, 2, other)
	for _, k := range []check{{route.Module{}, h}, {unchecked, other}, {route.Module{ModID: 99}, other}} {
		if !c.ask(k.id, k.host) {
			t.Errorf("%v is dropped", k)
		}
	}
	if got := answered(t, c); got != (CheckStats{}) {
		t.Errorf("stats %+v", got)
	}
	stop()
	if err := ln.(*net.TCPListener).SetDeadline(time.Now()); err != nil {
		t.Fatal(err)
	}
	if _, err := ln.Accept(); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("Accept = %v", err)
	}
}

// Checks are bounded while they wait and while they are under way; those that
// are, end with the agent.
func TestCheckerIsBoundedAndStops(t *testing.T) {
	checkDescriptors(t)
	const modules = maxChecks + 500
	h := silentHost(t)
	c, stop := startChecker(t, time.Hour, modules, h)
	dropped := uint64(0)
	for i := range int32(modules) {
		if !c.ask(route.Module{ModID: i}, h) {
			dropped++
		}
	}
	eventually.True(t, patience, "as many are under way as may be", func() bool { return c.Stats().UnderWay == maxChecking })
	want := CheckStats{Waiting: maxChecks - maxChecking, UnderWay: maxChecking, Started: maxChecking, Dropped: 500}
	if got := c.Stats(); got != want || dropped != 500 {
		t.Errorf("%d dropped, stats %+v, want %+v", dropped, got, want)
	}
	stop()
	if c.ask(route.Module{}, h) {
		t.Error("a check is taken after the end")
	}
}

// More than may be under way come all to an end, the repeated ones once.
func TestCheckerWorksOffItsQueue(t *testing.T) {
	checkDescriptors(t)
	const modules = 3 * maxChecking
	h, ln := listeningHost(t)
	go func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			_ = c.Close()
		}
	}()
	c, _ := startChecker(t, patience, modules, h)
	blocked, release := make(chan struct{}), make(chan struct{})
	_ = c.loop.Post(func() { close(blocked); <-release })
	<-blocked
	for range 2 {
		for i := range int32(modules) {
			if !c.ask(route.Module{ModID: i}, h) {
				t.Fatal("dropped")
			}
		}
	}
	close(release)
	if got, want := answered(t, c), (CheckStats{Started: modules, Good: modules}); got != want {
		t.Errorf("stats %+v, want %+v", got, want)
	}
}

func TestResultOf(t *testing.T) {
	for _, c := range []struct {
		err  error
		want checkResult
	}{
		{nil, checkedGood},
		{unix.ECONNREFUSED, checkedBad},
		{unix.EHOSTUNREACH, checkedBad},
		{unix.ENETUNREACH, checkedBad},
		{unix.ECONNRESET, checkedBad},
		{unix.ETIMEDOUT, checkedBad},
		{context.DeadlineExceeded, checkedBad},
		{errors.New("connected to itself"), checkedBad},
		{unix.EMFILE, checkedUnknown},
		{unix.ENFILE, checkedUnknown},
		{unix.ENOBUFS, checkedUnknown},
		{unix.ENOMEM, checkedUnknown},
		{unix.EADDRNOTAVAIL, checkedUnknown},
		{unix.EAGAIN, checkedUnknown},
		{unix.EPERM, checkedUnknown},
		{unix.EACCES, checkedUnknown},
	} {
		err := c.err
		if err != nil {
			err = fmt.Errorf("reactor: connect to 10.0.0.1:80: %w", err)
		}
		if got := resultOf(err); got != c.want {
			t.Errorf("%v is %v, want %v", err, got, c.want)
		}
	}
}
