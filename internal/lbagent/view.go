package lbagent

import (
	"runtime"
	"time"

	"github.com/lars-lb/lars/internal/balance"
	"github.com/lars-lb/lars/internal/inspect"
	"github.com/lars-lb/lars/internal/route"
)

// listBatch is how many modules Modules looks at while it holds the mutex.
const listBatch = 1024

// Modules appends to dst those that have hosts, in no order. It gives others
// the mutex now and then; what changes meanwhile may be there or not.
func (r *RouteLB) Modules(dst []route.Module) []route.Module {
	r.mu.Lock()
	defer r.mu.Unlock()
	n := 0
	// The language lets a map change between two steps of its iteration.
	for _, m := range r.modules {
		if m.known() {
			dst = append(dst, m.id())
		}
		if n++; n%listBatch == 0 {
			r.mu.Unlock()
			runtime.Gosched() // whoever waits would not get it otherwise
			r.mu.Lock()
		}
	}
	return dst
}

// View describes a module. It reports false for one without hosts.
func (r *RouteLB) View(id route.Module, now time.Duration) (inspect.Module, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.view(id, now)
}

func (r *RouteLB) view(id route.Module, now time.Duration) (v inspect.Module, ok bool) {
	m := r.modules.get(id)
	if m == nil || !m.known() {
		return v, false
	}
	mood := m.lb.Mood(now)
	v = inspect.Module{
		ModID: id.ModID, CmdID: id.CmdID,
		Policy: string(m.lb.Policy()), TCPCheck: m.lb.Policy() == balance.Adaptive && r.settings.balanceOf(id).Check,
		Hosts: m.lb.Len(), Mood: inspect.Calm,
		NormalBadShare: round(mood.Normal), RouteAgeMS: (now - m.updatedAt).Milliseconds(), Stale: m.stale,
	}
	v.Idle, v.Overload, v.Drained = m.lb.Count()
	switch mood.Cause {
	case balance.SharedCause:
		v.Mood = inspect.SharedCause
	case balance.Blackout:
		v.Mood = inspect.Blackout
	}
	if mood.Until > now {
		left := (mood.Until - now).Milliseconds()
		v.MoodLeftMS = &left
	}
	return v, true
}

// Hosts describes a module and appends what is known about its hosts to dst.
func (r *RouteLB) Hosts(id route.Module, dst []balance.HostView, now time.Duration) (v inspect.Module, hosts []balance.HostView, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if v, ok = r.view(id, now); !ok {
		return v, dst, false
	}
	return v, r.modules.get(id).lb.View(dst, now), true
}

// describe converts what is known about a host. The times are on the agent's
// clock; wall is what now is for everybody else.
func describe(m *inspect.Module, h *balance.HostView, now time.Duration, wall time.Time) inspect.Host {
	v := inspect.Host{
		Host: h.Host.String(), Weight: int(h.Weight), Drained: h.Drained, State: inspect.Idle,
		SinceUnixMS: wall.Add(h.Since - now).UnixMilli(), SinceMS: (now - h.Since).Milliseconds(),
		BadShare: round(h.BadShare), RecentCalls: round(h.RecentCalls), NormalBadShare: round(h.Normal),
		CostUS: h.Cost.Microseconds(), PeerCostUS: h.PeerCost.Microseconds(), Unreported: h.Unreported,
		Suspicion: round(h.Suspicion), Suspected: h.Suspected.String(), RunBad: h.RunBad, RunCalls: h.RunCalls,
		TrafficShare: round(h.Share), GoodProbes: h.GoodProbes, NeedProbes: h.NeedProbes, TCPRefused: h.Refused,
		Reason: inspect.Reason{
			Cause: h.Reason.Cause.String(), Bad: h.Reason.Bad, Calls: h.Reason.Calls, NormalBadShare: round(h.Reason.Normal),
			CostUS: h.Reason.Cost.Microseconds(), PeerCostUS: h.Reason.PeerCost.Microseconds(),
		},
	}
	if h.State == balance.Overload {
		v.State = inspect.Overload
	}
	if m.Policy == string(balance.Classic) {
		v.TrafficShare = 1
		v.Classic = &inspect.Classic{
			VirtualSucc: h.VSucc, VirtualErr: h.VErr, Succ: h.RSucc, Err: h.RErr,
			ContinSucc: h.ContinSucc, ContinErr: h.ContinErr,
		}
	} else if h.State == balance.Overload && !h.Drained {
		next := max(0, h.NextTry-now).Milliseconds()
		v.NextProbeMS = &next
	}
	v.Why = inspect.Explain(m, &v)
	return v
}
