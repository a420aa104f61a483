package lars

import (
	"slices"
	"sync"
	"time"

	"github.com/lars-lb/lars/internal/route"
)

const (
	// maxRoutes and maxRouteHosts bound the routes remembered of each of the
	// agent's ports, and the hosts in them together. Beyond either the routes
	// that came or were used the longest ago are forgotten.
	maxRoutes     = 256
	maxRouteHosts = 1 << 16
)

// routes remembers the answers to GetRoute. The zero value is ready.
type routes struct {
	mu    sync.Mutex
	last  map[route.Module]*lastRoute
	hosts int
}

// lastRoute is one answer. Times are since the client was made.
type lastRoute struct {
	hosts    []Host
	at, used time.Duration
}

// put keeps a copy of hosts.
func (r *routes) put(m route.Module, hosts []Host, now time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.remove(m)
	for len(r.last) >= maxRoutes || len(r.last) > 0 && r.hosts+len(hosts) > maxRouteHosts {
		var oldest route.Module
		var used time.Duration = -1
		for m, l := range r.last {
			if used < 0 || l.used < used {
				oldest, used = m, l.used
			}
		}
		r.remove(oldest)
	}
	if r.last == nil {
		r.last = make(map[route.Module]*lastRoute)
	}
	r.last[m] = &lastRoute{slices.Clone(hosts), now, now}
	r.hosts += len(hosts)
}

// get returns a copy of the last route of m, if it is at most staleFor old.
func (r *routes) get(m route.Module, now, staleFor time.Duration) (Route, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	l := r.last[m]
	if l == nil || now-l.at > staleFor {
		return Route{}, false
	}
	l.used = now
	hosts := make([]Host, len(l.hosts))
	for i, h := range l.hosts {
		hosts[i] = h.asStale()
	}
	return Route{Hosts: hosts, Stale: true, Age: max(0, now-l.at)}, true
}

func (r *routes) forget(m route.Module) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.remove(m)
}

func (r *routes) remove(m route.Module) {
	if l := r.last[m]; l != nil {
		r.hosts -= len(l.hosts)
		delete(r.last, m)
	}
}
