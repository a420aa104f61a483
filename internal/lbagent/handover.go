package lbagent

import (
	"time"

	"github.com/lars-lb/lars/internal/balance"
	"github.com/lars-lb/lars/internal/route"
)

// helper does for a RouteLB what it cannot do itself. Its methods are called
// with the RouteLB's mutex held, so they must not block, nor call it back.
type helper interface {
	// tell makes an event known.
	tell(id route.Module, e balance.Event)
	// check has a TCP connection to h tried; the result goes to Checked. It
	// reports false if there will be none.
	check(id route.Module, h route.Host) bool
}

// handOver passes on what a module's LoadBalance wants to be known and done.
// It is called after everything that may change the state of a host.
func (r *RouteLB) handOver(m *module, now time.Duration) {
	if !m.lb.Pending() {
		return
	}
	id := m.id()
	r.events = m.lb.TakeEvents(r.events[:0])
	r.checks = m.lb.TakeChecks(r.checks[:0])
	if r.helper == nil {
		return
	}
	for _, e := range r.events {
		r.helper.tell(id, e)
	}
	for _, h := range r.checks {
		if !r.helper.check(id, h) {
			m.lb.Unchecked(h, now)
		}
	}
}

// checkResult is how the check of a host ended.
type checkResult uint8

const (
	checkedGood    checkResult = iota // a connection was made
	checkedBad                        // none could be made
	checkedUnknown                    // nothing was learnt: the fault is this machine's
)

// WantsCheck reports whether h is in the module's route, and may be connected
// to.
func (r *RouteLB) WantsCheck(id route.Module, h route.Host) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	m := r.modules.get(id)
	return m != nil && r.settings.balanceOf(id).Check && m.lb.Has(h)
}

// Checked learns how a check ended.
func (r *RouteLB) Checked(id route.Module, h route.Host, result checkResult, now time.Duration) {
	r.mu.Lock()
	defer r.mu.Unlock()
	m := r.modules.get(id)
	if m == nil {
		return
	}
	if result == checkedUnknown {
		m.lb.Unchecked(h, now)
	} else {
		m.lb.Checked(h, result == checkedGood, now)
	}
	r.handOver(m, now)
}
