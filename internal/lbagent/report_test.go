package lbagent_test

import (
	"encoding/binary"
	"log/slog"
	"net"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/eventually"
	"github.com/lars-lb/lars/internal/lbagent"
	"github.com/lars-lb/lars/internal/route"
)

func quickReports(c *lbagent.Config) { c.Settings.ReportTimeout = 50 * time.Millisecond }

// reportsTaken waits until the agent has taken n reports off its sockets.
func reportsTaken(t *testing.T, a *lbagent.Agent, n int) {
	t.Helper()
	eventually.True(t, patience, "the agent has taken all reports", func() bool {
		sum := uint64(0)
		for _, s := range a.Stats().Routes {
			sum += s.Reports + s.ReportsUnknown
		}
		return sum >= uint64(n)
	})
}

func TestSumsAreExact(t *testing.T) {
	dns, reporter := newFakeDNS(t), newFakeReporter(t)
	modules := []route.Module{{ModID: 1, CmdID: 1}, {ModID: 2, CmdID: 1}, {ModID: -3, CmdID: 3}, {ModID: 4, CmdID: 4}}
	for _, id := range modules {
		dns.set(id, hostA, hostB)
	}
	a, _ := startAgent(t, dns.addr, reporter.addr, quickReports)
	var callers []*caller
	for _, id := range modules {
		c := callerOf(t, a, id)
		c.waitFor(id)
		callers = append(callers, c)
	}
	const n = 3000
	wantSucc, wantErr := 0, 0
	for i := range n {
		m := i % len(modules)
		h := []route.Host{hostA, hostB}[i/7%2]
		retcode := int32(i % 5 / 4)
		if retcode == 0 {
			wantSucc++
		} else {
			wantErr++
		}
		callers[m].report(modules[m], h, retcode)
		if i%300 == 299 { // spread over several reports to lars-reporter
			reportsTaken(t, a, i+1)
			switch i / 300 {
			case 2: // the connection is lost between two reports
				eventually.True(t, patience, "counts are sent", func() bool { return reporter.total() == i+1 })
				reporter.dropAll()
			case 5: // a host leaves with counts unsent
				dns.push(modules[0], hostA)
				eventually.True(t, patience, "the host is gone", func() bool { return len(callers[0].getRoute(modules[0])) == 1 })
				dns.push(modules[0], hostA, hostB)
				eventually.True(t, patience, "the host is back", func() bool { return len(callers[0].getRoute(modules[0])) == 2 })
			}
		}
	}
	eventually.True(t, patience, "every report has been counted", func() bool { return reporter.total() >= n })
	reporter.mu.Lock()
	defer reporter.mu.Unlock()
	if s, e := reporter.succ[hostA]+reporter.succ[hostB], reporter.err[hostA]+reporter.err[hostB]; s != wantSucc || e != wantErr {
		t.Errorf("%d successes and %d failures arrived, want %d and %d", s, e, wantSucc, wantErr)
	}
	if reporter.frames >= n/2 {
		t.Errorf("%d frames for %d reports: they are not collected", reporter.frames, n)
	}
}

func TestCountsWaitForTheReporter(t *testing.T) {
	dns, reporter := newFakeDNS(t), newFakeReporter(t)
	reporter.stop()
	dns.set(module1, hostA)
	a, _ := startAgent(t, dns.addr, reporter.addr, quickReports)
	c := callerOf(t, a, module1)
	c.waitFor(module1)
	for i := range 100 {
		c.report(module1, hostA, int32(i%2))
	}
	reportsTaken(t, a, 100)
	reporter.start()
	eventually.True(t, patience, "the counts arrive", func() bool { return reporter.total() == 100 })
	reporter.mu.Lock()
	defer reporter.mu.Unlock()
	req := reporter.last
	caller := make(net.IP, 4)
	binary.BigEndian.PutUint32(caller, uint32(req.Caller))
	if age := time.Now().Unix() - int64(req.Ts); !caller.IsLoopback() || age < -1 || age > 60 {
		t.Errorf("caller %v, ts %d", caller, req.Ts)
	}
	// 50 failures of 100: the last of them found the host overloaded already.
	if len(req.Results) != 1 || !req.Results[0].Overload {
		t.Errorf("results = %v", req.Results)
	}
}

func TestStoppingAgentHandsOverItsCounts(t *testing.T) {
	dns, reporter := newFakeDNS(t), newFakeReporter(t)
	dns.set(module1, hostA)
	a, stop := startAgent(t, dns.addr, reporter.addr, nil) // due in 15 s, by which it has stopped
	c := callerOf(t, a, module1)
	c.waitFor(module1)
	eventually.True(t, patience, "connected", func() bool { return a.Stats().Reporter.Open == 1 })
	for range 123 {
		c.report(module1, hostA, 0)
	}
	reportsTaken(t, a, 123)
	stop()
	eventually.True(t, patience, "the counts arrive", func() bool { return reporter.total() == 123 })
}

func TestLargestModuleIsReportedInParts(t *testing.T) {
	dns, reporter := newFakeDNS(t), newFakeReporter(t)
	hosts := make([]route.Host, route.MaxHosts)
	for i := range hosts {
		hosts[i] = route.Host{IP: 0xfffff000 - uint32(i), Port: 65535}
	}
	dns.set(module1, hosts...)
	a, _ := startAgent(t, dns.addr, reporter.addr, quickReports)
	c := callerOf(t, a, module1)
	c.waitFor(module1)
	for i, part := range slices.Collect(slices.Chunk(hosts, 200)) {
		for _, h := range part {
			c.report(module1, h, 0)
		}
		reportsTaken(t, a, (i+1)*200)
	}
	eventually.True(t, patience, "all counts arrive", func() bool { return reporter.total() == len(hosts) })
}

// A connection that is lost between counting and acknowledging is the one that
// nobody can tell from one lost before: the frame comes again, and counts once.
func TestUnacknowledgedReportsComeAgain(t *testing.T) {
	dns, reporter := newFakeDNS(t), newFakeReporter(t)
	lost := 0
	reporter.lossy = func(seq uint64) bool {
		lost++
		return lost%3 == 0
	}
	dns.set(module1, hostA)
	a, _ := startAgent(t, dns.addr, reporter.addr, quickReports)
	c := callerOf(t, a, module1)
	c.waitFor(module1)
	const n = 40
	for i := range n {
		c.report(module1, hostA, 0)
		reportsTaken(t, a, i+1)
		eventually.True(t, patience, "the call is counted", func() bool { return reporter.total() > i })
	}
	eventually.True(t, patience, "all is acknowledged", func() bool { return a.Stats().Reports.Unacked == 0 })
	if got := reporter.total(); got != n {
		t.Errorf("%d calls are counted, want %d", got, n)
	}
	if s := a.Stats().Reports; s.Resent == 0 || !s.Acknowledging {
		t.Errorf("stats %+v: nothing was sent again", s)
	}
}

// While lars-reporter takes frames and cannot save them, they are kept within
// bounds, and counts add up.
func TestReportsWithoutAcknowledgementAreBounded(t *testing.T) {
	dns, reporter := newFakeDNS(t), newFakeReporter(t)
	reporter.mute = true
	hosts := make([]route.Host, 1000)
	for i := range hosts {
		hosts[i] = route.Host{IP: uint32(i + 1), Port: 80}
	}
	dns.set(module1, hosts...)
	a, _ := startAgent(t, dns.addr, reporter.addr, quickReports)
	c := callerOf(t, a, module1)
	c.waitFor(module1)
	sent := 0
	for range 8 {
		for _, part := range slices.Collect(slices.Chunk(hosts, 200)) {
			for _, h := range part {
				c.report(module1, h, 0)
			}
			sent += len(part)
			reportsTaken(t, a, sent)
		}
	}
	s := a.Stats().Reports
	if s.UnackedHosts >= s.Window+int64(route.MaxHosts) {
		t.Errorf("%+v: more is kept than the bound allows", s)
	}
	reporter.mu.Lock()
	reporter.mute = false
	reporter.mu.Unlock()
	reporter.dropAll() // all that was not acknowledged comes again
	eventually.True(t, patience, "all calls are counted", func() bool { return reporter.total() == sent })
	eventually.True(t, patience, "all is acknowledged", func() bool { return a.Stats().Reports.Unacked == 0 })
}

// While lars-reporter acknowledges nothing, as when its database is away, it is
// sent a few frames and not more: it has to keep them.
func TestFewFramesAreSentBeforeOneIsAcknowledged(t *testing.T) {
	const modules, most = 20, 4
	dns, reporter := newFakeDNS(t), newFakeReporter(t)
	reporter.mute = true
	a, _ := startAgent(t, dns.addr, reporter.addr, quickReports)
	reportTo := func(i int32) {
		id := route.Module{ModID: i, CmdID: 1}
		dns.set(id, hostA)
		c := callerOf(t, a, id)
		c.waitFor(id)
		c.report(id, hostA, 0)
		reportsTaken(t, a, int(i)+1)
	}
	for i := range int32(modules) {
		reportTo(i)
	}
	sent := func() uint64 { return a.Stats().Reports.Sent }
	eventually.True(t, patience, "the first are sent", func() bool { return sent() >= most })
	reportTo(modules)
	if n := sent(); n > most {
		t.Errorf("%d frames were sent, want %d", n, most)
	}
	reporter.mu.Lock()
	reporter.mute = false
	reporter.mu.Unlock()
	reporter.dropAll()
	eventually.True(t, patience, "all calls are counted", func() bool { return reporter.total() == modules+1 })
}

// A stopping agent waits until its counts are acknowledged, which takes a
// lars-reporter some time, also when it has never acknowledged before.
func TestStoppingAgentWaitsForTheAcknowledgement(t *testing.T) {
	dns, reporter := newFakeDNS(t), newFakeReporter(t)
	ended := make(chan struct{})
	reporter.beforeAck = func() {
		select {
		case <-ended:
			t.Error("the agent ended before its last report was acknowledged")
		case <-time.After(200 * time.Millisecond): // its transaction
		}
	}
	dns.set(module1, hostA)
	a, stop := startAgent(t, dns.addr, reporter.addr, nil)
	c := callerOf(t, a, module1)
	c.waitFor(module1)
	eventually.True(t, patience, "connected", func() bool { return a.Stats().Reporter.Open == 1 })
	c.report(module1, hostA, 0)
	reportsTaken(t, a, 1)
	stop()
	close(ended)
	if got := reporter.total(); got != 1 {
		t.Errorf("%d calls were counted", got)
	}
}

// One that hears nothing ends in time, and says how many calls that are.
func TestStoppingAgentSaysWhatIsNotAcknowledged(t *testing.T) {
	dns, reporter := newFakeDNS(t), newFakeReporter(t)
	reporter.mute = true
	dns.set(module1, hostA)
	module2 := route.Module{ModID: 2, CmdID: 1}
	dns.set(module2, hostA)
	log := new(logBuffer)
	a, stop := startAgentWith(t, slog.New(slog.NewTextHandler(log, nil)), dns.addr, reporter.addr, nil)
	for _, id := range []route.Module{module1, module2} {
		c := callerOf(t, a, id)
		c.waitFor(id)
		for range 17 {
			c.report(id, hostA, 1)
		}
	}
	reportsTaken(t, a, 34)
	eventually.True(t, patience, "connected", func() bool { return a.Stats().Reporter.Open == 1 })
	stop()
	if lines := log.lines("has not acknowledged"); len(lines) != 1 || !strings.Contains(lines[0], "calls=34") {
		t.Errorf("the log says %q", lines)
	}
}
