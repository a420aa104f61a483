package model_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/chaos/history"
	"github.com/lars-lb/lars/internal/chaos/model"
	"github.com/lars-lb/lars/internal/route"
)

const second = time.Second

var (
	m1     = route.Module{ModID: 1, CmdID: 1}
	m2     = route.Module{ModID: 2, CmdID: 1}
	first  = route.Host{IP: 1, Port: 1}
	other  = route.Host{IP: 2, Port: 2}
	agents = []string{"agent1"}
	rules  = model.Rules{Bound: 5 * second, Disk: 8 * second, Settle: 8 * second, Slack: second}
)

// at is a call that was answered with a host, and reported a success.
func at(sent time.Duration, h route.Host) history.Call {
	return history.Call{
		Agent: "agent1", Module: m1, Sent: sent, Ended: sent + time.Millisecond, Deadline: sent + second,
		Host: h, Reported: sent + time.Millisecond, Succ: true, Accepted: true,
	}
}

// without is a call that was not answered with a host.
func without(sent time.Duration, o history.Outcome) history.Call {
	c := history.Call{Agent: "agent1", Module: m1, Sent: sent, Ended: sent + time.Millisecond, Deadline: sent + second, Outcome: o}
	if o == history.Unanswered {
		c.Ended = c.Deadline
	}
	return c
}

func version(before, after time.Duration, hosts ...route.Host) history.Version {
	return history.Version{Module: m1, Hosts: hosts, Before: before, After: after}
}

// begun is the route that m1 begins with.
var begun = version(0, 0, first)

func sum(h route.Host, succ, err uint64) []history.Sum {
	return []history.Sum{{Module: m1, Host: h, Succ: succ, Err: err}}
}

func unsure(v history.Version) history.Version { v.Unsure = true; return v }

func bad(c history.Call) history.Call { c.Succ = false; return c }

func refused(c history.Call) history.Call { c.Accepted = false; return c }

// TestChecker has a history for each way to break a promise, and beside it the
// nearest ones that break none.
func TestChecker(t *testing.T) {
	cut := history.Fault{What: "cut", Begin: 10 * second, End: 60 * second, Stale: agents, Uncounted: agents}
	frozen := history.Fault{What: "freeze", Begin: 10 * second, End: 12 * second, Mute: agents, Stale: agents, Uncounted: agents}
	killed := history.Fault{What: "kill", Begin: 10 * second, End: 12 * second, Mute: agents, Stale: agents, Uncounted: agents, Restarted: agents, Forgot: agents}
	change := []history.Version{begun, version(8*second, 9*second, other)}
	early := []history.Version{begun, version(2*second, 3*second, other)}
	for name, x := range map[string]struct {
		h     history.History
		disk  bool
		wants string // the promise broken; empty for none
	}{
		"nothing":                   {h: history.History{}},
		"current":                   {h: history.History{Versions: change, Calls: []history.Call{at(second, first), at(20*second, other)}}},
		"old within the bound":      {h: history.History{Versions: change, Calls: []history.Call{at(13*second, first)}}},
		"old":                       {h: history.History{Versions: change, Calls: []history.Call{at(15*second, first)}}, wants: model.Current},
		"a host never in the route": {h: history.History{Versions: change, Calls: []history.Call{at(second, route.Host{IP: 9, Port: 9})}}, wants: model.Current},
		"a host from the future":    {h: history.History{Versions: change, Calls: []history.Call{at(second, other)}}, wants: model.Current},
		"while it is committed":     {h: history.History{Versions: change, Calls: []history.Call{at(8500*time.Millisecond, other)}}},
		"another module's host":     {h: history.History{Versions: []history.Version{begun, {Module: m2, Hosts: []route.Host{other}}}, Calls: []history.Call{at(second, other)}}, wants: model.Current},
		"an unknown module":         {h: history.History{Calls: []history.Call{at(second, first)}}, wants: model.Current},

		"old while cut off":             {h: history.History{Versions: change, Faults: []history.Fault{cut}, Calls: []history.Call{at(59*second, first)}}},
		"old soon after":                {h: history.History{Versions: change, Faults: []history.Fault{cut}, Calls: []history.Call{at(64*second, first)}}},
		"old long after":                {h: history.History{Versions: change, Faults: []history.Fault{cut}, Calls: []history.Call{at(66*second, first)}}, wants: model.Current},
		"older than the cut":            {h: history.History{Versions: early, Faults: []history.Fault{cut}, Calls: []history.Call{at(59*second, first)}}, wants: model.Current},
		"another agent's cut":           {h: history.History{Versions: change, Faults: []history.Fault{{Begin: 10 * second, End: 60 * second, Stale: []string{"agent2"}}}, Calls: []history.Call{at(59*second, first)}}, wants: model.Current},
		"a write that may have failed":  {h: history.History{Versions: []history.Version{begun, unsure(version(2*second, 3*second, other))}, Calls: []history.Call{at(50*second, first), at(50*second, other)}}},
		"and one after it that did not": {h: history.History{Versions: []history.Version{begun, unsure(version(second, second, other)), version(2*second, 3*second, other)}, Calls: []history.Call{at(50*second, first)}}, wants: model.Current},

		"unanswered":                  {h: history.History{Versions: change, Calls: []history.Call{without(second, history.Unanswered)}}, wants: model.Answers},
		"refused":                     {h: history.History{Versions: change, Calls: []history.Call{without(second, history.Refused)}}, wants: model.Answers},
		"overloaded":                  {h: history.History{Versions: change, Calls: []history.Call{without(second, history.Overloaded)}}, wants: model.Answers},
		"failed":                      {h: history.History{Versions: change, Calls: []history.Call{without(second, history.Failed)}}, wants: model.Answers},
		"late":                        {h: history.History{Versions: change, Calls: []history.Call{{Agent: "agent1", Module: m1, Ended: 2 * second, Deadline: second, Host: first}}}, wants: model.Answers},
		"unanswered while cut off":    {h: history.History{Versions: change, Faults: []history.Fault{cut}, Calls: []history.Call{without(20*second, history.Unanswered)}}, wants: model.Answers},
		"unanswered while frozen":     {h: history.History{Versions: change, Faults: []history.Fault{frozen}, Calls: []history.Call{without(11*second, history.Unanswered)}}},
		"asked before it was frozen":  {h: history.History{Versions: change, Faults: []history.Fault{frozen}, Calls: []history.Call{without(9500*time.Millisecond, history.Unanswered)}}},
		"late from a frozen agent":    {h: history.History{Versions: change, Faults: []history.Fault{frozen}, Calls: []history.Call{{Agent: "agent1", Module: m1, Sent: 10500 * time.Millisecond, Ended: 12010 * time.Millisecond, Deadline: 11500 * time.Millisecond, Host: first}}}},
		"unanswered soon after":       {h: history.History{Versions: change, Faults: []history.Fault{frozen}, Calls: []history.Call{without(12500*time.Millisecond, history.Unanswered)}}},
		"unanswered long after":       {h: history.History{Versions: change, Faults: []history.Fault{frozen}, Calls: []history.Call{without(13500*time.Millisecond, history.Unanswered)}}, wants: model.Answers},
		"old from a frozen agent":     {h: history.History{Versions: early, Faults: []history.Fault{frozen}, Calls: []history.Call{at(11*second, first)}}, wants: model.Current},
		"no such module":              {h: history.History{Versions: change, Calls: []history.Call{without(20*second, history.NoExist)}}, wants: model.Answers},
		"no such module, and so":      {h: history.History{Versions: []history.Version{begun, version(2*second, 3*second)}, Calls: []history.Call{without(20*second, history.NoExist)}}},
		"no such module while cut":    {h: history.History{Versions: change, Faults: []history.Fault{cut}, Calls: []history.Call{without(20*second, history.NoExist)}}, wants: model.Answers},
		"no such module yet":          {h: history.History{Versions: change, Calls: []history.Call{without(second, history.NoExist)}}},
		"no such module, begun anew":  {h: history.History{Versions: change, Faults: []history.Fault{killed}, Calls: []history.Call{without(14*second, history.NoExist)}}},
		"no such module, from disk":   {h: history.History{Versions: change, Faults: []history.Fault{killed}, Calls: []history.Call{without(14*second, history.NoExist)}}, disk: true, wants: model.Answers},
		"old, from disk":              {h: history.History{Versions: early, Faults: []history.Fault{killed}, Calls: []history.Call{at(13*second, first)}}, disk: true},
		"older, from disk":            {h: history.History{Versions: []history.Version{begun, version(second, 2*second-1, other)}, Faults: []history.Fault{killed}, Calls: []history.Call{at(13*second, first)}}, disk: true, wants: model.Current},
		"killed too early to save":    {h: history.History{Versions: change, Faults: []history.Fault{{Begin: 7 * second, End: 8 * second, Stale: agents, Restarted: agents}}, Calls: []history.Call{without(9*second, history.NoExist)}}, disk: true},
		"begun anew, and had time":    {h: history.History{Versions: change, Faults: []history.Fault{killed}, Calls: []history.Call{without(20*second, history.NoExist)}}, wants: model.Answers},
		"unanswered after that":       {h: history.History{Versions: change, Faults: []history.Fault{killed}, Calls: []history.Call{without(14*second, history.Unanswered)}}, wants: model.Answers},
		"a fault that is not over":    {h: history.History{Versions: change, Faults: []history.Fault{{Begin: second, End: history.Never, Mute: agents}}, Calls: []history.Call{without(90*second, history.Unanswered)}}},
		"a module removed, still had": {h: history.History{Versions: []history.Version{begun, version(2*second, 3*second)}, Calls: []history.Call{at(20*second, first)}}, wants: model.Current},

		"settled":       {h: history.History{Settlings: []history.Settling{{Agent: "agent1", Healed: second, At: 9 * second}}}},
		"settled late":  {h: history.History{Settlings: []history.Settling{{Agent: "agent1", Healed: second, At: 10 * second}}}, wants: model.Converges},
		"never settled": {h: history.History{Settlings: []history.Settling{{Agent: "agent1", Healed: second, At: 2 * second, Differences: []string{"(1,1)"}}}}, wants: model.Converges},
		"too many":      {h: history.History{Dropped: 1}, wants: model.Complete},

		"counted":              {h: history.History{Versions: []history.Version{begun}, Calls: []history.Call{at(second, first), bad(at(2*second, first))}, Sums: sum(first, 1, 1), Summed: true}},
		"in two rows":          {h: history.History{Versions: []history.Version{begun}, Calls: []history.Call{at(second, first), at(2*second, first)}, Sums: slices.Concat(sum(first, 1, 0), sum(first, 1, 0)), Summed: true}},
		"lost":                 {h: history.History{Versions: []history.Version{begun}, Calls: []history.Call{at(second, first), at(2*second, first)}, Sums: sum(first, 1, 0), Summed: true}, wants: model.NothingOff},
		"all lost":             {h: history.History{Versions: []history.Version{begun}, Calls: []history.Call{at(second, first)}, Summed: true}, wants: model.NothingOff},
		"not read":             {h: history.History{Versions: []history.Version{begun}, Calls: []history.Call{at(second, first)}}},
		"lost failure":         {h: history.History{Versions: []history.Version{begun}, Calls: []history.Call{bad(at(second, first))}, Sums: sum(first, 0, 0), Summed: true}, wants: model.NothingOff},
		"counted twice":        {h: history.History{Versions: []history.Version{begun}, Calls: []history.Call{at(second, first)}, Sums: sum(first, 2, 0), Summed: true}, wants: model.NothingNew},
		"failure twice":        {h: history.History{Versions: []history.Version{begun}, Calls: []history.Call{bad(at(second, first))}, Sums: sum(first, 0, 2), Summed: true}, wants: model.NothingNew},
		"made up":              {h: history.History{Versions: []history.Version{begun}, Sums: sum(first, 1, 0), Summed: true}, wants: model.NothingNew},
		"not accepted":         {h: history.History{Versions: []history.Version{begun}, Calls: []history.Call{refused(at(second, first))}, Summed: true}},
		"sent to a frozen one": {h: history.History{Versions: []history.Version{begun}, Faults: []history.Fault{frozen}, Calls: []history.Call{at(11*second, first)}, Summed: true}},
		"lost while cut off":   {h: history.History{Versions: []history.Version{begun}, Faults: []history.Fault{cut}, Calls: []history.Call{at(11*second, first)}, Summed: true}, wants: model.NothingOff},
		"host left meanwhile":  {h: history.History{Versions: change, Calls: []history.Call{at(9*second, first)}, Summed: true}},
		"host left long after": {h: history.History{Versions: []history.Version{begun, version(80*second, 81*second)}, Calls: []history.Call{at(9*second, first)}, Summed: true}, wants: model.NothingOff},
		"killed with it":       {h: history.History{Versions: []history.Version{begun}, Faults: []history.Fault{killed}, Calls: []history.Call{at(8*second, first)}, Summed: true}},
		"killed long after":    {h: history.History{Versions: []history.Version{begun}, Faults: []history.Fault{killed}, Calls: []history.Call{at(4*second, first)}, Summed: true}, wants: model.NothingOff},
		"killed before":        {h: history.History{Versions: []history.Version{begun}, Faults: []history.Fault{killed}, Calls: []history.Call{at(20*second, first)}, Summed: true}, wants: model.NothingOff},
	} {
		r := rules
		r.RoutesOnDisk = x.disk
		var got []string
		for _, v := range model.Check(&x.h, r) {
			got = append(got, v.Promise)
			if v.What == "" || !strings.Contains(v.String(), v.Promise) {
				t.Errorf("%s: %+v says nothing", name, v)
			}
		}
		want := []string{x.wants}
		if x.wants == "" {
			want = nil
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s: broken %q, want %q", name, got, want)
		}
	}
}

// What is found must not depend on how a history was cut.
func TestCheckInParts(t *testing.T) {
	h := history.History{Versions: []history.Version{begun}, Summed: true, Sums: sum(first, 10, 0)}
	c := model.NewChecker(rules)
	for i := range 10 {
		h.Calls = []history.Call{at(time.Duration(i)*second, first)}
		c.Calls(&h)
	}
	h.Calls = nil
	c.End(&h)
	if v := c.Violations(); len(v) > 0 {
		t.Error(v)
	}
	h.Sums = sum(first, 9, 0)
	c.End(&h)
	if v := c.Violations(); len(v) != 1 || v[0].Promise != model.NothingOff {
		t.Error(v)
	}
}

func TestViolationsAreBounded(t *testing.T) {
	h := history.History{Versions: []history.Version{begun}}
	for i := range 1000 {
		h.Calls = append(h.Calls, without(time.Duration(i)*second, history.Unanswered))
	}
	v := model.Check(&h, rules)
	if len(v) != 10 || !strings.Contains(v[9].What, "1000 in all") {
		t.Errorf("%d: %v", len(v), v)
	}
}
