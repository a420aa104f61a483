package lbagent

import (
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/route"
)

func numbered(n int) route.Module { return route.Module{ModID: int32(n)} }

// send sends what may be sent and returns how many that is.
func (p *pulls) send(now time.Duration) (n int) {
	for {
		if _, ok := p.next(); !ok {
			return n
		}
		p.sent(now)
		n++
	}
}

func TestPullsAreSentAsAnswersCome(t *testing.T) {
	var p pulls
	p.restart(0)
	for n := range 2000 {
		p.others.modules = append(p.others.modules, numbered(n))
	}
	first := p.batch(nil, 0)
	if len(first) != pullWindow || p.send(0) != 0 {
		t.Fatalf("%d are sent at first, want %d", len(first), pullWindow)
	}
	for range 100 {
		p.heard(1, time.Millisecond)
	}
	if n := p.send(time.Millisecond); n != 100 {
		t.Errorf("%d are sent after 100 answers", n)
	}
	// What programs wait for goes first, and at once.
	p.urgent.modules = append(p.urgent.modules, numbered(-1), numbered(-2))
	for _, want := range []int{-1, -2} {
		if id, ok := p.next(); !ok || id != numbered(want) {
			t.Errorf("next is %v, %v", id, ok)
		}
		p.sent(time.Millisecond)
	}
	if n := p.send(time.Millisecond); n != 0 {
		t.Errorf("%d of the others went with them", n)
	}
	// Answers that never come do not block the rest.
	sent := pullWindow + 100
	now := time.Millisecond
	for range 10 {
		now += pullExpiry
		p.expire(now)
		sent += p.send(now)
	}
	if sent != 2000 || !p.others.empty() {
		t.Errorf("%d of 2000 are sent", sent)
	}
	if got := p.silence(now); got != now-time.Millisecond {
		t.Errorf("silent for %v at %v", got, now)
	}
	for range 2000 { // pushes that nobody has asked for change nothing
		p.heard(1, now)
	}
	if got := p.silence(now + time.Hour); got != 0 {
		t.Errorf("silent for %v with nothing to answer", got)
	}
	p.urgent.modules = append(p.urgent.modules, numbered(1))
	p.send(now + time.Hour)
	if got := p.silence(now + time.Hour + time.Second); got != time.Second {
		t.Errorf("silent for %v, asked a second ago", got)
	}
	p.others.modules = append(p.others.modules, numbered(5))
	p.restart(now)
	if _, ok := p.next(); ok || p.silence(now+time.Hour) != 0 {
		t.Error("a new connection begins with what an old one had")
	}
}
