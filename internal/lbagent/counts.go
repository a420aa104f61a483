package lbagent

import (
	"time"

	"github.com/lars-lb/lars/internal/balance"
	"github.com/lars-lb/lars/internal/route"
)

// count notes that a module has counts to report.
func (r *RouteLB) count(m *module, now time.Duration) {
	if m.counting {
		return
	}
	r.unknown.remove(m)
	m.counting, m.countedAt = true, now
	r.counts.pushBack(m)
}

// TakeDueCounts takes the counts of one module whose ReportTimeout has passed,
// or of any if all is set, and appends them to dst. ok is false when there is
// no such module. Nothing takes counts back: whoever takes them sends them.
func (r *RouteLB) TakeDueCounts(dst []balance.Count, all bool, now time.Duration) (id route.Module, counts []balance.Count, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	m := r.counts.first()
	if m == nil || !all && now-m.countedAt < r.settings.ReportTimeout {
		return route.Module{}, dst, false
	}
	r.counts.remove(m)
	m.counting = false
	dst = m.lb.TakeCounts(dst)
	if m.lb.HasCounts() { // more than a Count holds
		r.count(m, now)
	}
	r.file(m)
	return m.id(), dst, true
}

// Uncounted takes all counts and returns how many calls they are of.
func (r *RouteLB) Uncounted(now time.Duration) (calls uint64) {
	var counts []balance.Count
	for {
		_, taken, ok := r.TakeDueCounts(counts[:0], true, now)
		if !ok {
			return calls
		}
		for _, c := range taken {
			calls += uint64(c.Succ) + uint64(c.Err)
		}
		counts = taken
	}
}
