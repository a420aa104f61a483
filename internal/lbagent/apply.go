package lbagent

import (
	"slices"
	"time"

	"github.com/lars-lb/lars/internal/route"
)

// Apply takes a module's route as lars-dns sent it, be it the answer to a pull
// or a push. No hosts means that the module does not exist. It reports whether
// there is something new to save.
func (r *RouteLB) Apply(id route.Module, nodes []route.Node, now time.Duration) (changed bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	m := r.arrived(id, now)
	if m == nil {
		return false
	}
	r.unsure.remove(m)
	if !r.hasRoom(m, nodes) {
		return false
	}
	r.stats.Updates++
	changed = r.put(m, nodes, now, now)
	r.setStale(m, false)
	m.gone = !m.known()
	return changed
}

// ApplyStale is Apply for what lars-dns has only from its file. That replaces
// nothing but what is from a file, too, or unknown, and removes nothing: its
// file may be older than what another lars-dns, or the same, has said before.
func (r *RouteLB) ApplyStale(id route.Module, nodes []route.Node, now time.Duration) (changed bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	m := r.arrived(id, now)
	if m == nil {
		return false
	}
	r.unsure.pushBack(m)
	if len(nodes) == 0 || m.gone || m.known() && !m.stale {
		r.stats.StaleIgnored++
		return false
	}
	if !r.hasRoom(m, nodes) {
		return false
	}
	r.stats.Updates++
	at := now
	if m.known() {
		at = m.updatedAt // nothing tells how old the other file is
	}
	changed = r.put(m, nodes, at, now)
	r.setStale(m, m.known())
	return changed
}

// Confirm is Apply for a route that lars-dns says is as the agent has it.
func (r *RouteLB) Confirm(id route.Module, now time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	m := r.arrived(id, now)
	if m == nil || !m.known() {
		return // it has gone meanwhile, and whoever took it away knew
	}
	r.unsure.remove(m)
	r.stats.Updates++
	r.stats.Confirmed++
	m.updatedAt = now
	r.setStale(m, false)
}

// Digest is that of the route of a module. It reports false for one without
// hosts.
func (r *RouteLB) Digest(id route.Module) (uint64, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	m := r.modules.get(id)
	if m == nil || !m.known() {
		return 0, false
	}
	r.after = m.lb.Nodes(r.after[:0])
	return route.Digest(r.after), true
}

// Restore takes a module's route as the agent's own file has it, before anything
// else is known of the module, and notes a pull of it. It reports false if there
// is no room.
func (r *RouteLB) Restore(id route.Module, nodes []route.Node, now time.Duration) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if len(r.modules) >= r.maxModules {
		return false
	}
	m := newModule(id, r.settings.balanceOf(id))
	m.pulledAt = now
	r.modules[key(id)] = m
	r.put(m, nodes, now, now)
	r.setStale(m, m.known())
	r.pulls.pushBack(m)
	r.unsure.pushBack(m)
	return true
}

// RestoredAt dates the routes that were restored. It is called once, after the
// last of them and before anything else is known.
func (r *RouteLB) RestoredAt(at time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range r.modules {
		m.updatedAt = at
	}
}

// arrived notes that lars-dns has answered. It returns nil for a module that
// nobody asked for.
func (r *RouteLB) arrived(id route.Module, now time.Duration) *module {
	m := r.modules.get(id)
	if m == nil {
		r.stats.Unasked++
		return nil
	}
	if m.on(pulling) {
		r.stats.PullTook.Add(now - m.pulledAt)
	}
	r.routeAt = now
	r.pulls.remove(m)
	return m
}

func (r *RouteLB) hasRoom(m *module, nodes []route.Node) bool {
	if !m.known() && len(nodes) > 0 && r.known() >= r.maxModules {
		r.stats.RefusedFull++
		return false
	}
	return true
}

// put makes nodes the route of a module, good at the time at. It reports whether
// the route was another.
func (r *RouteLB) put(m *module, nodes []route.Node, at, now time.Duration) (changed bool) {
	m.updatedAt = at
	was := m.known()
	lost := m.lb.LostCounts()
	r.before = m.lb.Nodes(r.before[:0])
	m.lb.Update(nodes, now)
	r.after = m.lb.Nodes(r.after[:0])
	r.handOver(m, now)
	r.stats.ReportsLost += m.lb.LostCounts() - lost
	if was && !m.known() {
		r.stats.Removed++
	}
	if m.lb.HasCounts() { // an overloaded host that left is news to lars-reporter
		r.count(m, now)
	}
	r.file(m)
	return !slices.Equal(r.before, r.after)
}

func (r *RouteLB) setStale(m *module, stale bool) {
	switch {
	case stale && !m.stale:
		r.stale++
	case !stale && m.stale:
		r.stale--
	}
	m.stale = stale
}
