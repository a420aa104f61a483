package lbagent

import (
	"sync"
	"time"

	"github.com/lars-lb/lars/internal/balance"
	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/reactor"
)

// RouteLB holds a third of the agent's modules and decides for them. Any
// goroutine may call its methods; now is the time on the agent's clock. None
// of them blocks but for its mutex, which is held for short.
type RouteLB struct {
	maxModules, maxUnknown int
	pullInterval           time.Duration

	mu       sync.Mutex
	settings *rules // replaced, never changed
	modules  table
	unknown  list
	pulls    list
	counts   list
	unsure   list
	stale    int // modules that are
	stats    RouteStats
	routeAt  time.Duration   // when a route came last; 0 before the first
	helper   helper          // nil for nobody
	events   []balance.Event // scratch of handOver, as is checks
	checks   []route.Host
	before   []route.Node // scratch, as is after
	after    []route.Node
}

// RouteStats counts what RouteLBs have done.
type RouteStats struct {
	Modules  int `json:"modules"`       // with hosts, now
	Unknown  int `json:"unknown"`       // remembered without hosts, now
	Pulling  int `json:"pulling"`       // waiting for lars-dns, now
	Counting int `json:"counting"`      // with counts to report, now
	Stale    int `json:"stale_modules"` // with hosts from a file, now
	Unsure   int `json:"unsure"`        // those, and others of which lars-dns knew only what is in its file, now

	Picked      uint64 `json:"picked"` // GetHost by answer
	Overload    uint64 `json:"overload"`
	NoExist     uint64 `json:"no_exist"`
	Routes      uint64 `json:"routes"`       // GetRoute
	StaleServed uint64 `json:"stale_served"` // of those picked, from a file

	Reports        uint64 `json:"reports"`         // accepted
	ReportsUnknown uint64 `json:"reports_unknown"` // of a module or host that is not in any route
	ReportsLost    uint64 `json:"reports_lost"`    // accepted, but their host left with too many others

	Pulls        uint64 `json:"pulls"`         // asked of lars-dns
	Updates      uint64 `json:"updates"`       // routes that came
	Confirmed    uint64 `json:"confirmed"`     // of them, those that were as the agent had them
	Removed      uint64 `json:"removed"`       // modules that lost their last host
	StaleIgnored uint64 `json:"stale_ignored"` // routes of a file that came when better was known
	Unasked      uint64 `json:"unasked"`       // routes that came for modules not asked for
	RefusedFull  uint64 `json:"refused_full"`  // modules not kept or not pulled for want of room
	ForgotOldest uint64 `json:"forgot_oldest"` // modules without hosts forgotten to make room

	PullsOverdue uint64            `json:"pulls_overdue"` // of pulls, those asked again for want of an answer
	PullTook     reactor.Durations `json:"pull_seconds"`  // from when a module was last asked for to its route

	MaxModules int `json:"max_modules"` // bounds of modules and unknown
	MaxUnknown int `json:"max_unknown"`
}

func newRouteLB(cfg *Config) *RouteLB {
	r := &RouteLB{
		maxModules: cfg.MaxModules, maxUnknown: cfg.MaxUnknown, pullInterval: cfg.PullInterval,
		settings: newRules(&cfg.Settings),
		modules:  make(table),
		pulls:    list{by: pulling}, unsure: list{by: unsure}, unknown: list{by: filed}, counts: list{by: filed},
	}
	return r
}

// Pick answers a GetHost. pull tells the caller to have lars-dns asked for the
// module now.
func (r *RouteLB) Pick(id route.Module, now time.Duration) (h route.Host, v balance.Verdict, pull bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	m := r.modules.get(id)
	if m == nil || !m.known() {
		r.stats.NoExist++
		return route.Host{}, balance.Empty, r.askForUnknown(id, m, now)
	}
	if h, v = m.lb.Pick(now); v == balance.Picked {
		r.stats.Picked++
		if m.stale {
			r.stats.StaleServed++
		}
	} else {
		r.stats.Overload++
	}
	r.handOver(m, now)
	return h, v, r.askForOld(m, now)
}

// Route answers a GetRoute: it appends all hosts of the module to dst.
func (r *RouteLB) Route(id route.Module, dst []route.Node, now time.Duration) (nodes []route.Node, stale, pull bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.stats.Routes++
	m := r.modules.get(id)
	if m == nil || !m.known() {
		return dst, false, r.askForUnknown(id, m, now)
	}
	return m.lb.Nodes(dst), m.stale, r.askForOld(m, now)
}

// Report counts a call to h. A cost of 0 is unknown.
func (r *RouteLB) Report(id route.Module, h route.Host, ok bool, cost, now time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	m := r.modules.get(id)
	if m == nil || !m.lb.Report(h, ok, cost, now) {
		r.stats.ReportsUnknown++
		return
	}
	r.stats.Reports++
	r.handOver(m, now)
	r.count(m, now)
}

// askForUnknown notes a pull of a module without hosts; m is nil if nothing is
// known of it. It is pulled once a PullInterval at most.
func (r *RouteLB) askForUnknown(id route.Module, m *module, now time.Duration) (pull bool) {
	if m == nil {
		if !r.makeRoom(now) {
			r.stats.RefusedFull++
			return false
		}
		m = newModule(id, r.settings.balanceOf(id))
		r.modules[key(id)] = m
	} else if now-m.pulledAt < r.pullInterval {
		return false
	}
	r.ask(m, now)
	r.file(m)
	return true
}

// askForOld notes a pull of a module whose route has not come for long. What
// lars-dns has from its file makes a route no younger, and is no reason to ask
// again at once.
func (r *RouteLB) askForOld(m *module, now time.Duration) (pull bool) {
	if now-m.updatedAt < r.settings.UpdateTimeout || m.on(pulling) || m.on(unsure) {
		return false
	}
	r.ask(m, now)
	return true
}

func (r *RouteLB) ask(m *module, now time.Duration) {
	m.pulledAt = now
	r.pulls.pushBack(m)
	if m.unknown() {
		r.unknown.pushBack(m)
	}
	if m.on(unsure) {
		r.unsure.pushBack(m)
	}
	r.stats.Pulls++
}

// makeRoom lets one more module without hosts in. It forgets the one asked for
// longest ago, but not before that may be asked for again: otherwise callers
// of very many unknown modules would have lars-dns asked without limit.
func (r *RouteLB) makeRoom(now time.Duration) bool {
	if r.unknown.len < r.maxUnknown {
		return true
	}
	oldest := r.unknown.first()
	if now-oldest.pulledAt < r.pullInterval {
		return false
	}
	r.forget(oldest)
	r.stats.ForgotOldest++
	return true
}

// forget drops a module that is unknown.
func (r *RouteLB) forget(m *module) {
	r.unknown.remove(m)
	r.pulls.remove(m)
	r.unsure.remove(m)
	delete(r.modules, key(m.id()))
}

// file puts a module on the list unknown or takes it off, as its state is.
// One with counts stays off: it must not be forgotten before they are sent.
func (r *RouteLB) file(m *module) {
	if m.counting {
		return
	}
	if m.known() {
		r.unknown.remove(m)
		return
	}
	if !m.unknown() {
		r.unknown.pushBack(m)
	}
	if r.unknown.len > r.maxUnknown { // a module lost its last host
		r.forget(r.unknown.first())
		r.stats.ForgotOldest++
	}
}

// known is the number of modules with hosts, or with counts of hosts that left.
func (r *RouteLB) known() int { return len(r.modules) - r.unknown.len }

// Overdue appends to dst the modules, at most limit, whose pull lars-dns has
// not answered for a PullInterval, and those that are unsure and were not asked
// for within an UpdateTimeout: when lars-dns reaches its database it tells only
// what its file had wrong. They count as asked for anew.
func (r *RouteLB) Overdue(dst []route.Module, limit int, now time.Duration) []route.Module {
	r.mu.Lock()
	defer r.mu.Unlock()
	for range limit {
		m := r.pulls.first()
		if m != nil && now-m.pulledAt >= r.pullInterval {
			r.stats.PullsOverdue++
		} else {
			m = r.unsure.first()
			if m == nil || now-m.pulledAt < r.settings.UpdateTimeout {
				break
			}
		}
		r.ask(m, now)
		dst = append(dst, m.id())
	}
	return dst
}

// AskAll appends all modules to dst, with hosts or without. They count as asked
// for now, so each is overdue if lars-dns does not answer.
func (r *RouteLB) AskAll(dst []route.Module, now time.Duration) []route.Module {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range r.modules {
		r.ask(m, now)
		dst = append(dst, m.id())
	}
	return dst
}

// SetSettings replaces the settings, which must have passed Validate.
func (r *RouteLB) SetSettings(s *Settings, now time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.settings = newRules(s)
	for _, m := range r.modules {
		m.lb.SetConfig(r.settings.balanceOf(m.id()), now)
	}
}

// Stats returns the counters so far.
func (r *RouteLB) Stats() RouteStats {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.stats
	s.Modules, s.Unknown, s.Pulling, s.Counting = r.known(), r.unknown.len, r.pulls.len, r.counts.len
	s.Stale, s.Unsure = r.stale, r.unsure.len
	s.MaxModules, s.MaxUnknown = r.maxModules, r.maxUnknown
	return s
}

// routeCame is when a route came last; 0 before the first.
func (r *RouteLB) routeCame() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.routeAt
}
