package dns

import (
	"time"

	"github.com/lars-lb/lars/internal/route"
)

const (
	// minShrink is how many hosts have to go before the guard looks at their
	// share: an installation of a few hosts changes by large shares.
	minShrink = 10
	// standstill is how long a table that was put right in part must be the
	// same: somebody may be at work on the rest.
	standstill = 3 * time.Second
	// heldReload is the time between two readings of all routes while some are
	// held back: they may be put right without a word.
	heldReload = 10 * time.Second
)

// guard decides whether what the database says is believed. An accident takes
// most of the routes away: a truncated or restored table, a half-run import, a
// statement without its condition. So if more than half of all hosts are gone,
// and more than minShrink, the guard keeps them, and lets everything else
// through: what is served then is what the database says and the hosts of before
// that it lacks. That is a hold. It ends when
//
//   - no more than half of the hosts are gone: at once if none is, else when the
//     table has been the same for standstill;
//   - the database has said the same for as long as confirm;
//   - an operator says that it was meant.
//
// What hosts are compared with is the most that were served within the last
// confirm, so that a shrink in several steps is noticed as well.
//
// The same is said by tables that differ in no more than minShrink hosts, or a
// hundredth of all. A larger difference begins the time anew, as does every time
// without an answer of the database: an import that is under way, or that begins
// again and again, does not confirm itself, nor does a database that is being
// repaired. An installation that changes as fast as that all the time, and has
// lost half of its hosts, has to wait for its operator.
//
// A guard does no I/O and is told the time. It belongs to one goroutine.
type guard struct {
	confirm time.Duration // 0: everything is believed
	recent  highWater     // hosts that were served
	hold    *hold         // nil: nothing is held back
}

// hold is what is held back.
type hold struct {
	before *Table // what was served when it began
	of     int    // hosts that the number of those removed is compared with

	read    *Table // what the database said last
	removed int    // hosts by it
	movedAt time.Time
	readAt  time.Time // when all routes were read last

	same    *Table // what the database has said since, or nearly
	since   time.Time
	stopped bool // the time has to begin anew

	accepted bool
	approval *approval
}

func newGuard(confirm time.Duration) *guard {
	return &guard{confirm: confirm, recent: highWater{window: confirm}}
}

// verdict is what the guard made of a table.
type verdict int

const (
	believed  verdict = iota // it is served
	held                     // it is not, but for what it adds
	righted                  // it was held, or one like it; now it is believed as most is there
	confirmed                // it was held; now it is believed as it stood
	approved                 // it was held; now it is believed as an operator said so
)

// next returns what to serve when served was, nil for nothing yet, and the
// database says read, which differs from served in changed while nothing is
// held. AsOf is when the reading of every route began, if this is its result;
// else it is zero.
func (g *guard) next(now time.Time, served, read *Table, changed []route.Module, asOf time.Time) (*Table, verdict) {
	if g.confirm == 0 || served == nil {
		return read, believed
	}
	if g.hold == nil {
		of := max(served.Hosts(), g.recent.max(now))
		removed := max(lost(served, read, changed), of-read.Hosts())
		if !tooMany(removed, of) {
			if read.Hosts() < served.Hosts() {
				g.recent.note(now, served.Hosts())
			}
			return read, believed
		}
		g.hold = &hold{before: served, of: of, read: read, removed: removed, movedAt: now, readAt: now, same: read, since: now, approval: newApproval()}
		return union(read, served), held
	}
	h := g.hold
	moved := h.move(now, read)
	if !asOf.IsZero() {
		h.readAt = now
	}
	switch {
	case h.accepted:
		g.recent.forget()
		g.hold = nil
		return read, approved
	case !tooMany(h.removed, h.of):
		h.stopped = true
		if h.removed > 0 && now.Sub(h.movedAt) < standstill {
			break
		}
		g.recent.note(now, h.of)
		g.hold = nil
		return read, righted
	case asOf.Sub(h.since) >= g.confirm:
		g.recent.forget()
		g.hold = nil
		return read, confirmed
	}
	if !moved {
		return served, held
	}
	return union(read, h.before), held
}

// tooMany reports whether so many hosts, of that many, are held back.
func tooMany(removed, of int) bool { return removed > minShrink && removed > of/2 }

// move takes notice of what the database says now, and reports whether that is
// something new.
func (h *hold) move(now time.Time, read *Table) bool {
	moved := read != h.read
	if moved {
		h.read, h.movedAt = read, now
		h.removed = max(lost(h.before, read, Diff(h.before, read)), h.of-read.Hosts())
	}
	if h.stopped {
		h.stopped = false
		h.same, h.since = read, now
	} else if moved {
		mods := Diff(h.same, read)
		if lost(h.same, read, mods)+lost(read, h.same, mods) > max(minShrink, h.of/100) {
			h.same, h.since = read, now
		}
	}
	return moved
}

// interrupted says that the database could not be asked.
func (g *guard) interrupted() {
	if g.hold != nil {
		g.hold.stopped = true
	}
}

// wantsAll reports whether all routes have to be read now. Nothing is
// confirmed by less.
func (g *guard) wantsAll(now time.Time) bool {
	h := g.hold
	return h != nil && (now.Sub(h.readAt) >= heldReload || !h.stopped && now.Sub(h.since) >= g.confirm)
}
