package larstest_test

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"os"
	"sync"
	"testing"
	"time"

	"github.com/lars-lb/lars/api/lars"
	"github.com/lars-lb/lars/internal/eventually"
	"github.com/lars-lb/lars/internal/larstest"
	"github.com/lars-lb/lars/internal/mariadbtest"
	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/store"
	"github.com/lars-lb/lars/internal/wire"
	pb "github.com/lars-lb/lars/proto/larspb"
)

// reportStats are those of an agent's numbers that reports are about.
type reportStats struct {
	Accepted      uint64 // calls that programs reported
	Counting      int    // modules that have counts which were not sent
	Unacked       int    `json:"unacked"`
	Acknowledging bool   `json:"acknowledging"`
	Resent        uint64 `json:"resent"`
	Assumed       uint64 `json:"unanswered"`
}

func reportStatsOf(t *testing.T, s *larstest.Suite) reportStats {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+s.AdminAddr.String()+"/stats", nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var all struct {
		Routes []struct {
			Reports  uint64 `json:"reports"`
			Counting int    `json:"counting"`
		} `json:"routes"`
		Reports reportStats `json:"reports"`
	}
	if err := json.NewDecoder(response.Body).Decode(&all); err != nil {
		t.Fatal(err)
	}
	for _, r := range all.Routes {
		all.Reports.Accepted += r.Reports
		all.Reports.Counting += r.Counting
	}
	return all.Reports
}

// counted is how many calls the history has.
func counted(t *testing.T, st *store.Store) (calls uint64) {
	t.Helper()
	var sums []store.History
	eventually.True(t, patience, "the history can be read", func() (ok bool) {
		var err error
		sums, err = st.ListHistory(t.Context(), store.Filter{}, time.Now().Add(-time.Hour), time.Now().Add(time.Hour), store.HistoryKey{})
		return err == nil
	})
	for _, h := range sums {
		calls += h.Succ + h.Err
	}
	return calls
}

// reportedModules are those that the programs of a test call.
var reportedModules = []route.Module{{ModID: 1, CmdID: 1}, {ModID: 1, CmdID: 2}, {ModID: 2, CmdID: 1}, {ModID: 2, CmdID: 2}, {ModID: -3, CmdID: 1}}

// reportAlways has programs report calls until stop is called.
func reportAlways(t *testing.T, s *larstest.Suite, c *lars.Client) (stop func()) {
	t.Helper()
	h := lars.Host{}
	for _, id := range reportedModules {
		waitHost(t, c, id, "10.0.0.1:80")
		var err error
		if h, err = c.GetHost(t.Context(), id.ModID, id.CmdID); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	var program sync.WaitGroup
	program.Go(func() {
		pace := time.NewTicker(time.Millisecond)
		defer pace.Stop()
		for i := 0; ctx.Err() == nil; i++ {
			id := reportedModules[i%len(reportedModules)]
			if err := c.Report(id.ModID, id.CmdID, h, lars.Code(i%7/6), time.Millisecond); err != nil {
				t.Errorf("Report: %v", err)
			}
			<-pace.C
		}
	})
	return func() { cancel(); program.Wait() }
}

func addReportedModules(t *testing.T, st *store.Store) {
	t.Helper()
	for _, id := range reportedModules {
		addHosts(t, st, entry(t, id, "10.0.0.1:80"))
	}
}

// checkExact waits until everything is acknowledged, and compares.
func checkExact(t *testing.T, s *larstest.Suite, st *store.Store) {
	t.Helper()
	eventually.True(t, patience, "everything is acknowledged", func() bool {
		r := reportStatsOf(t, s)
		return r.Counting == 0 && r.Unacked == 0
	})
	r := reportStatsOf(t, s)
	if got := counted(t, st); got != r.Accepted || got < 100 {
		t.Errorf("%d calls are counted, %d were reported", got, r.Accepted)
	}
	if r.Resent == 0 || r.Assumed != 0 {
		t.Errorf("%+v: want reports that were sent again, and none that were assumed to be delivered", r)
	}
}

// lars-reporter is killed again and again while reports come; each counts once.
func TestReporterKilledInAStreamOfReports(t *testing.T) {
	for name, options := range map[string]func(t *testing.T) larstest.Options{
		"sqlite": func(*testing.T) larstest.Options { return larstest.Options{} },
		"mariadb": func(t *testing.T) larstest.Options {
			return larstest.Options{Store: mariadbtest.Start(t).NewDatabase(t)}
		},
	} {
		t.Run(name, func(t *testing.T) {
			opts := options(t)
			opts.ReportTimeout = "100ms"
			s := larstest.NewSuite(t, programs, opts)
			st := s.Store()
			addReportedModules(t, st)
			s.Start()
			stop := reportAlways(t, s, newClient(t, s.AgentAddr))
			for range 6 {
				before := counted(t, st)
				eventually.True(t, patience, "calls are counted", func() bool { return counted(t, st) > before })
				s.Reporter.Kill()
				s.Reporter.Serve()
			}
			stop()
			checkExact(t, s, st)
		})
	}
}

// The connection is lost when reports are in the database and the agent does
// not know: it sends them again, to another replica, and they count once.
func TestConnectionLostBeforeTheAcknowledgement(t *testing.T) {
	db := mariadbtest.Start(t)
	s := larstest.NewSuite(t, programs, larstest.Options{Store: db.NewDatabase(t), ReportTimeout: "100ms"})
	st := s.Store()
	addReportedModules(t, st)
	otherAddr := larstest.FreeTCP(t)
	other := s.NewReporter(otherAddr)
	between := newRelay(t, s.ReporterAddr)
	replaceInFile(t, s.Agent.Conf(), fmt.Sprintf("port = %d\n[loadbalance]", s.ReporterAddr.Port()), fmt.Sprintf("port = %d\n[loadbalance]", between.port()))
	other.Serve()
	s.Start()
	stop := reportAlways(t, s, newClient(t, s.AgentAddr))
	replicas := []netip.AddrPort{s.ReporterAddr, otherAddr}
	for i := range 4 {
		one, two := replicas[i%2], replicas[1-i%2]
		between.set(one, false)
		between.cut()
		before := counted(t, st)
		eventually.True(t, patience, "calls are counted", func() bool { return counted(t, st) > before })
		between.set(one, true)
		between.cut()
		if i%2 == 0 {
			lost := between.acksLost()
			eventually.True(t, patience, "an acknowledgement is lost", func() bool { return between.acksLost() > lost })
		} else { // the next replica has the reports before this one has saved them
			eventually.True(t, patience, "some are sent", func() bool {
				r := reportStatsOf(t, s)
				return r.Unacked > 0 && !r.Acknowledging
			})
		}
		again := reportStatsOf(t, s).Resent
		between.set(two, true)
		between.cut()
		eventually.True(t, patience, "they are sent again", func() bool { return reportStatsOf(t, s).Resent > again })
	}
	stop()
	between.set(otherAddr, false)
	between.cut()
	checkExact(t, s, st)
}

// The database is killed while reports come, lars-reporter once, too, and the
// agent is told of no report that is not in the database.
func TestDatabaseKilledInAStreamOfReports(t *testing.T) {
	db := mariadbtest.Start(t)
	s := larstest.NewSuite(t, programs, larstest.Options{Store: db.NewDatabase(t), ReportTimeout: "100ms"})
	st := s.Store()
	addReportedModules(t, st)
	s.Start()
	stop := reportAlways(t, s, newClient(t, s.AgentAddr))
	for i := range 3 {
		before := counted(t, st)
		eventually.True(t, patience, "calls are counted", func() bool { return counted(t, st) > before })
		db.Kill()
		eventually.True(t, patience, "reports wait", func() bool { return reportStatsOf(t, s).Unacked > 0 })
		if i == 1 {
			s.Reporter.Kill() // with reports that it has taken
			s.Reporter.Start()
		}
		if err := db.Restart(); err != nil {
			t.Fatal(err)
		}
	}
	stop()
	checkExact(t, s, st)
}

// A lars-reporter of Lars 1.0 takes reports and says nothing. It gets each once
// as long as the connection lasts, and the agent does not keep them for ever.
func TestReporterOfLars1(t *testing.T) {
	s := larstest.NewSuite(t, programs, larstest.Options{ReportTimeout: "100ms"})
	addReportedModules(t, s.Store())
	old := newOldReporter(t, s.ReporterAddr)
	s.DNS.Serve()
	s.Agent.Serve()
	stop := reportAlways(t, s, newClient(t, s.AgentAddr))
	// It takes the agent some seconds to find out.
	eventually.True(t, patience, "the agent has found out", func() bool { return reportStatsOf(t, s).Assumed > 20 })
	stop()
	eventually.True(t, patience, "nothing is kept", func() bool {
		r := reportStatsOf(t, s)
		return r.Counting == 0 && r.Unacked == 0
	})
	accepted := reportStatsOf(t, s).Accepted
	eventually.True(t, patience, "all calls arrive", func() bool { return old.calls() >= accepted })
	if got := old.calls(); got != accepted {
		t.Errorf("%d calls arrived, %d were reported", got, accepted)
	}
}

// oldReporter is a lars-reporter that reads reports and never answers.
type oldReporter struct {
	mu    sync.Mutex
	sum   uint64
	conns []net.Conn
}

func newOldReporter(t *testing.T, addr netip.AddrPort) *oldReporter {
	t.Helper()
	ln, err := net.Listen("tcp", addr.String())
	if err != nil {
		t.Fatal(err)
	}
	r := &oldReporter{}
	var group sync.WaitGroup
	group.Go(func() {
		for {
			c, err := ln.Accept()
			if err != nil {
				return
			}
			r.mu.Lock()
			r.conns = append(r.conns, c)
			r.mu.Unlock()
			group.Go(func() { r.serve(t, c) })
		}
	})
	t.Cleanup(func() {
		_ = ln.Close()
		r.mu.Lock()
		for _, c := range r.conns {
			_ = c.Close()
		}
		r.mu.Unlock()
		group.Wait()
	})
	return r
}

func (r *oldReporter) serve(t *testing.T, c net.Conn) {
	head := make([]byte, wire.HeadSize)
	for {
		if _, err := io.ReadFull(c, head); err != nil {
			return
		}
		h, err := wire.DecodeHead(head)
		if err != nil || h.ID != int32(pb.MessageId_ID_ReportStatusRequest) {
			t.Errorf("the agent sent message %d, %v", h.ID, err)
			return
		}
		body := make([]byte, h.Len)
		if _, err := io.ReadFull(c, body); err != nil {
			return
		}
		var report pb.ReportStatusRequest
		if err := report.UnmarshalVT(body); err != nil {
			t.Error(err)
			return
		}
		r.mu.Lock()
		for _, result := range report.Results {
			r.sum += uint64(result.Succ) + uint64(result.Err)
		}
		r.mu.Unlock()
	}
}

func (r *oldReporter) calls() uint64 {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.sum
}

// An agent of Lars 1.0, whose reports were recorded, is sent nothing.
func TestAgentOfLars1IsNotAnswered(t *testing.T) {
	s := larstest.NewSuite(t, programs, larstest.Options{})
	st := s.Store()
	s.Reporter.Serve()
	data, err := os.ReadFile("../wire/testdata/vectors.json")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Vectors []struct {
			MsgID int32
			Hex   string
		}
	}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	c := dial(t, s.ReporterAddr)
	defer c.Close()
	sent := 0
	for _, v := range file.Vectors {
		if v.MsgID != int32(pb.MessageId_ID_ReportStatusRequest) {
			continue
		}
		frame, err := hex.DecodeString(v.Hex)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := c.Write(frame); err != nil {
			t.Fatal(err)
		}
		sent++
	}
	if sent == 0 {
		t.Fatal("no report was recorded")
	}
	eventually.True(t, patience, "the reports are saved", func() bool {
		rows, err := st.ListStatuses(t.Context(), store.Filter{})
		return err == nil && len(rows) > 0
	})
	s.Reporter.Stop() // closes the connection, after what it would say
	if got, err := io.ReadAll(c); err != nil || len(got) > 0 {
		t.Errorf("the agent was sent %x, %v", got, err)
	}
	if got := counted(t, st); got != 0 {
		t.Errorf("%d calls are in the history, where totals do not belong", got)
	}
}
