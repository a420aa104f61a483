package lbagent

import (
	"time"

	pb "github.com/lars-lb/lars/proto/larspb"
	"github.com/lars-lb/lars/reactor"
)

// reportLiveness tells whether a connected lars-reporter works. That it does not
// acknowledge a frame does not mean that it does not: its database may be away.
// So it is sent one again that it has got on this connection, which it answers
// at once, whatever the database does. It waits as long as lars-dns is waited
// for.
type reportLiveness struct {
	heardAt time.Duration // something was heard, or nothing was waited for
	asked   bool          // since
	askedAt time.Duration
	seeking bool // another lars-reporter is looked for
}

// restart begins a connection.
func (l *reportLiveness) restart(now time.Duration) { *l = reportLiveness{heardAt: now} }

// heard notes that lars-reporter has said something, or need not.
func (l *reportLiveness) heard(now time.Duration) { l.heardAt, l.asked = now, false }

// question reports whether lars-reporter is to be asked now.
func (l *reportLiveness) question(now time.Duration) bool {
	if l.asked || now-l.heardAt < askAgain {
		return false
	}
	l.asked, l.askedAt = true, now
	return true
}

// silent reports whether it did not answer.
func (l *reportLiveness) silent(now time.Duration) bool {
	return l.asked && now-l.askedAt >= silentAfter
}

// checkLiveness has another connection looked for when lars-reporter is silent,
// while this one stays.
func (r *reportClient) checkLiveness(now time.Duration) {
	c := r.client.Conn()
	if c == nil || r.window.next == 0 {
		r.live.heard(now)
		return
	}
	silent := r.live.silent(now)
	if !r.answers {
		// One of Lars 1.0 says nothing ever; see judge. The first frame of a
		// connection is a question of its own.
		silent = r.answered && now-r.firstAt >= silentAfter
	} else if r.live.question(now) {
		r.repeat(c) // if it cannot be sent there is no answer either
	}
	if silent && !r.live.seeking {
		r.live.seeking = true
		r.link.silent()
		r.client.Seek(errSilent)
	}
}

// heard notes that lars-reporter works.
func (r *reportClient) heard(now time.Duration) {
	r.live.heard(now)
	if r.live.seeking {
		r.live.seeking = false
		r.client.Stay()
	}
}

// repeat sends the first frame once more, which lars-reporter has on this
// connection and passes over.
func (r *reportClient) repeat(c *reactor.TCPConn) {
	before := c.Buffered()
	_ = c.Send(int32(pb.MessageId_ID_ReportStatusRequest), r.window.frames[0].body)
	r.queued += uint64(c.Buffered() - before)
}

// probe asks another lars-reporter whether it works, with the frame that it is
// to get first. It reports false if there is none.
func (r *reportClient) probe(c *reactor.TCPConn) bool {
	if len(r.window.frames) == 0 {
		return false
	}
	_ = c.Send(int32(pb.MessageId_ID_ReportStatusRequest), r.window.frames[0].body)
	return true
}
