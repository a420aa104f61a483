package model

import (
	"cmp"
	"slices"
	"time"

	"github.com/lars-lb/lars/internal/chaos/history"
	"github.com/lars-lb/lars/internal/route"
)

// world is what happened to the agents and the routes.
type world struct {
	faults   []history.Fault
	rules    Rules
	agents   map[string]*agent
	versions map[route.Module][]version
}

// version is a route, and when the database may have had it.
type version struct {
	hosts    []route.Host
	from, to time.Duration
}

// agent is what faults did to one agent.
type agent struct {
	mute     spans // when it may not have answered
	knows    well  // when it could learn of changes
	saves    well  // when it could, and have them on a disk
	counts   well  // when its counts could reach the database
	restarts []time.Duration
	forgot   []time.Duration // when it, or who tells it of changes, fell back on a disk
	rules    Rules
}

func newWorld(h *history.History, r Rules) *world {
	w := &world{faults: h.Faults, rules: r, agents: make(map[string]*agent), versions: make(map[route.Module][]version)}
	byModule := make(map[route.Module][]history.Version)
	for _, v := range h.Versions {
		byModule[v.Module] = append(byModule[v.Module], v)
	}
	for m, vs := range byModule {
		slices.SortStableFunc(vs, func(x, y history.Version) int { return cmp.Compare(x.Before, y.Before) })
		list := make([]version, len(vs))
		to := history.Never // until a version that surely took effect
		for i := len(vs) - 1; i >= 0; i-- {
			list[i] = version{vs[i].Hosts, vs[i].Before, to}
			if !vs[i].Unsure {
				to = vs[i].After
			}
		}
		w.versions[m] = list
	}
	return w
}

// agent gathers what is known of an agent.
func (w *world) agent(name string) *agent {
	if a := w.agents[name]; a != nil {
		return a
	}
	a := &agent{rules: w.rules}
	var stale, uncounted spans
	for _, f := range w.faults {
		s := span{f.Begin, f.End}
		if slices.Contains(f.Mute, name) {
			a.mute = append(a.mute, s)
		}
		if slices.Contains(f.Stale, name) {
			stale = append(stale, s)
		}
		if slices.Contains(f.Uncounted, name) {
			uncounted = append(uncounted, s)
		}
		if slices.Contains(f.Restarted, name) {
			a.restarts = append(a.restarts, f.Begin)
		}
		if slices.Contains(f.Forgot, name) {
			a.forgot = append(a.forgot, f.Begin)
		}
	}
	a.knows, a.counts = stale.others(w.rules.Bound), uncounted.others(w.rules.Bound)
	a.saves = stale.others(w.rules.Disk)
	w.agents[name] = a
	return a
}

// since is the moment from which on the agent may not know of a change.
func (a *agent) since(at time.Duration) time.Duration {
	end, ok := a.knows.last(at)
	if !ok {
		return 0
	}
	for _, t := range a.forgot {
		if end <= t && t <= at {
			return a.saves.since(at)
		}
	}
	return end - a.rules.Bound
}

// cold reports whether the agent may not have learnt any routes by a time: it
// had no time to since it began, or began anew with nothing on its disk.
func (a *agent) cold(at time.Duration) bool {
	began := time.Duration(0)
	for _, r := range a.restarts {
		if r <= at {
			began = r
		}
	}
	return !a.knows.within(began, at) && !(a.rules.RoutesOnDisk && a.saves.within(0, at))
}

// possible are the versions that the module may have had in the database at
// some moment between two.
func (w *world) possible(m route.Module, since, until time.Duration) func(yield func(version) bool) {
	return func(yield func(version) bool) {
		list := w.versions[m]
		n, _ := slices.BinarySearchFunc(list, until, func(v version, t time.Duration) int {
			if v.from <= t {
				return -1
			}
			return 1
		})
		// to never falls along the list.
		for i := n - 1; i >= 0 && list[i].to >= since; i-- {
			if !yield(list[i]) {
				return
			}
		}
	}
}

func (w *world) mayHave(m route.Module, h route.Host, since, until time.Duration) bool {
	for v := range w.possible(m, since, until) {
		if slices.Contains(v.hosts, h) {
			return true
		}
	}
	return false
}

func (w *world) mayBeEmpty(m route.Module, since, until time.Duration) bool {
	for v := range w.possible(m, since, until) {
		if len(v.hosts) == 0 {
			return true
		}
	}
	// Before the first version the module did not exist.
	list := w.versions[m]
	return len(list) == 0 || since < list[0].from
}

func (w *world) mustHave(m route.Module, h route.Host, since, until time.Duration) bool {
	any := false
	for v := range w.possible(m, since, until) {
		if any = true; !slices.Contains(v.hosts, h) {
			return false
		}
	}
	return any
}
