package lbagent

import (
	"time"

	"github.com/lars-lb/lars/internal/route"
)

const (
	// pullWindow is how many pulls of an agent lars-dns has to answer at a
	// time. The next are sent as answers come, so that a lars-dns to which
	// very many agents come back is asked no faster than it answers.
	pullWindow = 512
	// pullExpiry is how long answers may stay away before more is asked for all
	// the same: some pulls are never answered, as those of modules that a
	// lars-dns without its database does not know.
	pullExpiry = time.Second
)

// pulls is what is to be pulled on one connection, and how far that is.
type pulls struct {
	urgent moduleLine // programs wait for them: sent before the others, whatever the window
	others moduleLine // refreshed since the connection is new, or the answer overdue

	unanswered int           // sent, beyond the routes that have come since
	waiting    bool          // for a route, whatever became of unanswered
	since      time.Duration // when it began to wait, or a route came last
	expiredAt  time.Duration // when unanswered was last given up
}

// restart begins a connection, with nothing to pull.
func (p *pulls) restart(now time.Duration) {
	p.urgent.clear()
	p.others.clear()
	p.unanswered, p.waiting, p.since = 0, false, now
}

// next is the module to pull now; ok is false if there is none, or the window
// is full.
func (p *pulls) next() (id route.Module, ok bool) {
	if id, ok = p.urgent.first(); ok {
		return id, true
	}
	if p.unanswered >= pullWindow {
		return route.Module{}, false
	}
	return p.others.first()
}

// sent notes that what next returned was sent.
func (p *pulls) sent(now time.Duration) {
	if !p.urgent.pop() {
		p.others.pop()
	}
	p.ask(1, now)
}

// batch appends to dst as many of the others as the window has room for, and
// notes that they were sent.
func (p *pulls) batch(dst []route.Module, now time.Duration) []route.Module {
	before := len(dst)
	for p.unanswered+len(dst)-before < pullWindow {
		id, ok := p.others.first()
		if !ok {
			break
		}
		p.others.pop()
		dst = append(dst, id)
	}
	p.ask(len(dst)-before, now)
	return dst
}

func (p *pulls) ask(n int, now time.Duration) {
	p.unanswered += n
	if n > 0 && !p.waiting {
		p.waiting, p.since = true, now
	}
}

// heard notes that n routes came, be they answers to pulls or pushes.
func (p *pulls) heard(n int, now time.Duration) {
	p.unanswered = max(0, p.unanswered-n)
	p.waiting, p.since = p.unanswered > 0, now
}

// expire opens the window when no answers come.
func (p *pulls) expire(now time.Duration) {
	if p.unanswered > 0 && now-max(p.since, p.expiredAt) >= pullExpiry {
		p.unanswered, p.expiredAt = 0, now
	}
}

// silence is how long a route has been waited for, 0 if none is.
func (p *pulls) silence(now time.Duration) time.Duration {
	if !p.waiting {
		return 0
	}
	return now - p.since
}

// moduleLine is a queue of modules whose memory is used again.
type moduleLine struct {
	modules []route.Module
	done    int // modules[:done] are gone
}

func (l *moduleLine) empty() bool { return l.done == len(l.modules) }

func (l *moduleLine) first() (route.Module, bool) {
	if l.empty() {
		return route.Module{}, false
	}
	return l.modules[l.done], true
}

// pop takes the first one away. It reports false if there is none.
func (l *moduleLine) pop() bool {
	if l.empty() {
		return false
	}
	if l.done++; l.empty() {
		l.clear()
	}
	return true
}

func (l *moduleLine) clear() { l.modules, l.done = l.modules[:0], 0 }
