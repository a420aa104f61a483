package larstest_test

import (
	"fmt"
	"testing"

	"github.com/lars-lb/lars/internal/eventually"
	"github.com/lars-lb/lars/internal/larstest"
	"github.com/lars-lb/lars/internal/mariadbtest"
)

// A lars-reporter that freezes is left for another within seconds, with what it
// had not acknowledged, and each report counts once; also those that it had begun
// to save and ends when it goes on.
func TestFrozenReporterIsLeft(t *testing.T) {
	s := larstest.NewSuite(t, programs, larstest.Options{Store: mariadbtest.Start(t).NewDatabase(t), ReportTimeout: "100ms"})
	st := s.Store()
	addReportedModules(t, st)
	otherAddr := larstest.FreeTCP(t)
	reporters := map[string]*larstest.Daemon{s.ReporterAddr.String(): s.Reporter, otherAddr.String(): s.NewReporter(otherAddr)}
	replaceInFile(t, s.Agent.Conf(), fmt.Sprintf("port = %d\n[loadbalance]", s.ReporterAddr.Port()),
		fmt.Sprintf("endpoints = %s, %s\n[loadbalance]", s.ReporterAddr, otherAddr))
	reporters[otherAddr.String()].Serve()
	s.Start()
	stop := reportAlways(t, s, newClient(t, s.AgentAddr))
	before := counted(t, st)
	eventually.True(t, patience, "calls are counted", func() bool { return counted(t, st) > before })
	frozen := peerOf(s.Agent, "lars-reporter")
	reporters[frozen].Freeze()
	eventually.True(t, patience, "the agent turns to the other one", func() bool { return peerOf(s.Agent, "lars-reporter") != frozen })
	before = counted(t, st)
	eventually.True(t, patience, "calls are counted again", func() bool { return counted(t, st) > before })
	reporters[frozen].Thaw()
	stop()
	checkExact(t, s, st)
}
