package lbagent

import (
	"time"

	"github.com/lars-lb/lars/internal/balance"
	"github.com/lars-lb/lars/internal/route"
)

// count notes that a module has counts to report.
func (r *RouteLB) count(m *module, now time.Duration) {
	if m.counting.linked() {
		return
	}
	m.countedAt = now
	r.counts.pushBack(&m.counting)
	r.unknown.remove(&m.unknown)
}

// TakeDueCounts takes the counts of one module whose ReportTimeout has passed,
// or of any if all is set, and appends them to dst. ok is false when there is
// no such module. What cannot be sent goes back with ReturnCounts.
func (r *RouteLB) TakeDueCounts(dst []balance.Count, all bool, now time.Duration) (id route.Module, counts []balance.Count, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	m := r.counts.first()
	if m == nil || !all && !m.returned && now-m.countedAt < r.settings.ReportTimeout {
		return route.Module{}, dst, false
	}
	r.counts.remove(&m.counting)
	m.returned = false
	dst = m.lb.TakeCounts(dst)
	if m.lb.HasCounts() { // more than a Count holds
		r.count(m, now)
	}
	r.file(m)
	return m.id(), dst, true
}

// ReturnCounts takes back what TakeDueCounts gave and could not be sent. It is
// due at once.
func (r *RouteLB) ReturnCounts(id route.Module, counts []balance.Count, now time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	m := r.modules[id]
	if m == nil { // forgotten since, having no hosts; what was counted must not be
		m = newModule(id, r.settings.balanceOf(id))
		r.modules[id] = m
	}
	lost := m.lb.LostCounts()
	m.lb.ReturnCounts(counts)
	r.stats.ReportsLost += m.lb.LostCounts() - lost
	if !m.counting.linked() {
		m.countedAt = now
		r.unknown.remove(&m.unknown)
	}
	m.returned = true
	r.counts.pushFront(&m.counting)
}
