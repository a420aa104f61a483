package chaos_test

import (
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/chaos"
	"github.com/lars-lb/lars/internal/chaos/fault"
	"github.com/lars-lb/lars/internal/chaos/history"
	"github.com/lars-lb/lars/internal/chaos/model"
)

// rules are those of tests, where nothing is judged by the clock but what is
// far beyond any: machines may be busy.
func rules() model.Rules {
	r := model.Rules{RoutesOnDisk: true}
	if !*full {
		r.Settle = patience
	}
	return r
}

// together are faults of one kind that begin at once and last as long.
func together(kind fault.Kind, lasts time.Duration, targets ...string) (s fault.Schedule) {
	for _, target := range targets {
		s = append(s, fault.Step{Kind: kind, Target: target, For: lasts})
	}
	return s
}

// through takes one agent through faults, and expects not one failed GetHost.
func through(t *testing.T, s fault.Schedule) {
	t.Helper()
	w := chaos.NewWorld(t, programs, database, chaos.Options{Rules: rules()})
	if r := w.Run(s); r.Failed > 0 || r.Requests == 0 {
		t.Errorf("%d of %d requests failed", r.Failed, r.Requests)
	}
}

// servers are all of ours but the agents.
var servers = []string{"dns1", "dns2", "reporter1", "reporter2"}

func TestDNSDown(t *testing.T) {
	through(t, together(fault.Kill, outage(), "dns1", "dns2"))
}

func TestReporterDown(t *testing.T) {
	through(t, together(fault.Kill, outage(), "reporter1", "reporter2"))
}

func TestDatabaseDown(t *testing.T) {
	through(t, together(fault.Kill, outage(), fault.Database))
}

func TestDatabaseFrozen(t *testing.T) {
	through(t, together(fault.Freeze, outage(), fault.Database))
}

func TestEverythingDown(t *testing.T) {
	through(t, together(fault.Kill, outage(), append(servers, fault.Database)...))
}

func TestEverythingRestartsAtOnce(t *testing.T) {
	through(t, together(fault.Stop, 0, append(servers, fault.Database)...))
}

func TestEverythingFrozen(t *testing.T) {
	through(t, together(fault.Freeze, outage(), append(servers, fault.Database)...))
}

// Connections that stay open and carry nothing tell nobody that anything is
// wrong.
func TestConnectionsStall(t *testing.T) {
	through(t, together(fault.Stall, outage(), "agent1>dns1", "agent1>reporter1", "dns1>db", "reporter1>db"))
}

func TestConnectionsAreRefused(t *testing.T) {
	through(t, together(fault.Refuse, outage(), "agent1>dns1", "agent1>reporter1", "dns1>db", "reporter1>db"))
}

// Nobody can open another descriptor, and then every connection is lost.
func TestOutOfDescriptors(t *testing.T) {
	s := together(fault.Descriptors, outage(), append(servers, "agent1")...)
	for _, link := range []string{"agent1>dns1", "agent1>reporter1", "dns1>db", "reporter1>db"} {
		s = append(s, fault.Step{At: 300 * time.Millisecond, Kind: fault.Reset, Target: link})
	}
	through(t, s)
}

// No file can grow: not those of routes either, which are then written anew
// when there is room.
func TestDiskFull(t *testing.T) {
	through(t, together(fault.Disk, outage(), append(servers, "agent1")...))
}

// An agent that is killed while everything else is down answers from its file
// as soon as it is there again.
func TestAgentRestartsAlone(t *testing.T) {
	w := chaos.NewWorld(t, programs, database, chaos.Options{Rules: rules()})
	s := together(fault.Kill, outage()+2*time.Second, append(servers, fault.Database)...)
	s = append(s, fault.Step{At: outage(), Kind: fault.Kill, Target: "agent1", For: 200 * time.Millisecond})
	w.WaitSaved()
	r := w.Run(s)
	if r.Failed == 0 || r.Failed != r.Outcomes[history.Refused]+r.Outcomes[history.Unanswered] {
		t.Errorf("%d requests failed, %v: want those alone that came while the agent was down", r.Failed, r.Outcomes)
	}
}

// What a frozen agent does not answer in time is lost, but nothing after it.
func TestAgentFrozen(t *testing.T) {
	w := chaos.NewWorld(t, programs, database, chaos.Options{Rules: rules()})
	w.Run(together(fault.Freeze, outage(), "agent1"))
}

// An agent that knows several of each goes on with another when one is cut off
// without a word: it hears of changes while that lasts. Which one it is connected
// to is chance, so each is cut off once.
func TestOneOfTwoEndpointsIsCutOff(t *testing.T) {
	w := chaos.NewWorld(t, programs, database, chaos.Options{Endpoints: 2, Rules: rules()})
	for _, i := range []string{"1", "2"} {
		heal := w.Inflict(together(fault.Stall, 0, "agent1>dns"+i, "agent1>reporter"+i)...)
		w.Change()
		w.WaitCurrent(patience)
		heal()
	}
	s := append(together(fault.Refuse, outage(), "agent1>dns1", "agent1>reporter1"),
		fault.Step{At: outage(), Kind: fault.Kill, Target: "dns2"}, fault.Step{At: outage(), Kind: fault.Kill, Target: "reporter2"})
	if r := w.Run(s); r.Failed > 0 {
		t.Errorf("%d of %d requests failed", r.Failed, r.Requests)
	}
}
