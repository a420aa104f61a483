package lbagent

import (
	"errors"
	"time"

	"github.com/lars-lb/lars/internal/route"
	pb "github.com/lars-lb/lars/proto/larspb"
	"github.com/lars-lb/lars/reactor"
)

// errSilent is the reason for leaving a lars-dns, or lars-reporter, that does
// not answer.
var errSilent = errors.New("it does not answer")

const (
	// askAgain is how long lars-dns may have nothing to say before it is asked
	// for a route only to see that it answers: it may be frozen, or cut off,
	// and then looks connected for long.
	askAgain = 2 * time.Second
	// silentAfter is how long that answer may take before another connection is
	// looked for.
	silentAfter = 3 * time.Second
	// questions is how many modules another lars-dns is asked for in each
	// RouteLB: one that serves from its file may not know the first.
	questions = 8
)

// liveness tells whether a connected lars-dns works. That a pull is not
// answered does not mean that it does not: while it serves from its file it is
// silent about modules that the file lacks. So it is asked for a module that it
// has answered with hosts before.
type liveness struct {
	known   route.Module // answered with hosts last, on whichever connection
	some    bool         // there is a known one
	here    bool         // it was answered on this connection
	heardAt time.Duration
	asked   bool // for it, since
	askedAt time.Duration
	seeking bool // another lars-dns is looked for
}

// restart begins a connection.
func (l *liveness) restart(now time.Duration) {
	l.here, l.heardAt, l.asked, l.seeking = false, now, false, false
}

// heard notes that lars-dns has said something.
func (l *liveness) heard(now time.Duration) { l.heardAt, l.asked = now, false }

// answered notes of which module that was.
func (l *liveness) answered(id route.Module, hosts bool) {
	if hosts {
		l.known, l.some, l.here = id, true, true
	} else if id == l.known {
		l.some, l.here = false, false
	}
}

// question is the module to ask for now; ok is false if there is no need to.
func (l *liveness) question(now time.Duration) (id route.Module, ok bool) {
	if !l.here || l.asked || now-l.heardAt < askAgain {
		return route.Module{}, false
	}
	l.asked, l.askedAt = true, now
	return l.known, true
}

// silent reports whether lars-dns does not answer; waited is how long pulls have
// been waiting for any route. That counts only as long as there is no module
// which it would surely answer.
func (l *liveness) silent(waited, now time.Duration) bool {
	if l.here {
		return l.asked && now-l.askedAt >= silentAfter
	}
	return waited >= silentAfter
}

// checkLiveness has another connection looked for when lars-dns is silent, while
// this one stays.
func (d *dnsClient) checkLiveness(now time.Duration) {
	if !d.live.seeking && d.live.silent(d.pulls.silence(now), now) {
		d.live.seeking = true
		d.link.silent()
		d.client.Seek(errSilent)
	}
	if id, ok := d.live.question(now); ok {
		d.pulls.urgent.modules = append(d.pulls.urgent.modules, id)
	}
}

// heard notes that lars-dns works: n routes came.
func (d *dnsClient) heard(n int, now time.Duration) {
	d.pulls.heard(n, now)
	d.live.heard(now)
	if d.live.seeking {
		d.live.seeking = false
		d.client.Stay()
	}
}

// probe asks another lars-dns for some modules, which this agent knows; the
// first route that comes says that it works. It reports false if there is
// nothing to ask.
func (d *dnsClient) probe(c *reactor.TCPConn) bool {
	var ids []route.Module
	if d.live.some {
		ids = append(ids, d.live.known)
	}
	for _, r := range d.shards {
		ids = r.sample(ids, questions)
	}
	for _, id := range ids {
		_ = c.SendMessage(int32(pb.MessageId_ID_GetRouteRequest), &pb.GetRouteRequest{Modid: id.ModID, Cmdid: id.CmdID})
	}
	return len(ids) > 0
}

// sample appends some modules to dst, at most n.
func (r *RouteLB) sample(dst []route.Module, n int) []route.Module {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, m := range r.modules {
		if n == 0 {
			break
		}
		dst = append(dst, m.id())
		n--
	}
	return dst
}
