package lbagent

import (
	"bytes"
	"errors"
	"log/slog"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/lars-lb/lars/reactor"
)

// testLink returns a linkLog, its clock, and a count of lines with a text.
func testLink() (l *linkLog, now *time.Duration, count func(string) int) {
	var out bytes.Buffer
	now = new(time.Duration)
	l = &linkLog{
		log: slog.New(slog.NewTextHandler(&out, nil)), clock: func() time.Duration { return *now },
		what: "lars-dns", addr: "10.0.0.1:7778",
	}
	return l, now, func(s string) int { return strings.Count(out.String(), s) }
}

func TestLinkLogRemindsOfALastingFault(t *testing.T) {
	l, now, count := testLink()
	refused := errors.New("refused")
	for ; *now < quietStart; *now += 100 * time.Millisecond {
		l.cannotConnect(refused)
	}
	if n := count("cannot connect"); n != 0 {
		t.Errorf("%d lines within a normal start", n)
	}
	for ; *now < quietStart+2*repeatLog; *now += 100 * time.Millisecond {
		l.cannotConnect(refused)
	}
	if n := count("cannot connect"); n != 2 {
		t.Errorf("%d lines in twice %v, want 2", n, repeatLog)
	}
	l.up(netip.AddrPort{})
	l.down(reactor.ErrPeerClosed)
	l.down(reactor.ErrClosed) // our own doing
	*now += quietStart
	l.cannotConnect(refused) // a new fault is told of at once
	if count("msg=connected") != 1 || count("connection lost") != 1 || count("cannot connect") != 3 {
		t.Errorf("connected %d, lost %d, cannot connect %d", count("msg=connected"), count("connection lost"), count("cannot connect"))
	}
}

// A server that is left for another one is told of once, and the other one.
func TestLinkLogOfASilentServer(t *testing.T) {
	l, _, count := testLink()
	l.up(netip.MustParseAddrPort("10.0.0.1:1"))
	l.silent()
	l.down(errSilent)
	l.up(netip.MustParseAddrPort("10.0.0.2:1"))
	if count("no answer") != 1 || count("peer=10.0.0.1:1") != 2 || count("peer=10.0.0.2:1") != 1 || count("\n") != 3 {
		t.Errorf("%d lines, %d of the first, %d of the second", count("\n"), count("peer=10.0.0.1:1"), count("peer=10.0.0.2:1"))
	}
	if _, down := l.downFor(); down {
		t.Error("the link is down")
	}
}

func TestLinkLogOfAFlappingLink(t *testing.T) {
	l, now, count := testLink()
	const minutes = 5
	for ; *now < minutes*time.Minute; *now += 700 * time.Millisecond {
		l.up(netip.AddrPort{})
		l.down(reactor.ErrPeerClosed)
	}
	periods := int(*now/repeatLog) + 1
	if n := count("\n"); n > periods*maxChanges || count("comes and goes") < periods-2 {
		t.Errorf("%d lines in %d periods, %d of them that it comes and goes", n, periods, count("comes and goes"))
	}
}
