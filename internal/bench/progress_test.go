package main

import (
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lars-lb/lars/internal/bench/result"
)

func TestForecast(t *testing.T) {
	before := &result.Run{Rounds: 5, Length: "1s", Parts: []result.Part{{Name: "a", Seconds: 60}, {Name: "b", Seconds: 30}, {Name: "c", Seconds: 9, Error: "x"}}}
	f := newForecast(before, &result.Run{Rounds: 5, Length: "1s"})
	a, b, c := fake("a", nil), fake("b", nil), fake("c", nil)
	for _, test := range []struct {
		parts []part
		ago   time.Duration
		want  string
	}{
		{[]part{a, b}, 20 * time.Second, "1:10"},
		{[]part{a, b}, 90 * time.Second, "0:30"}, // longer than it took before
		{[]part{b}, 0, "0:30"},
		{[]part{a, c}, 0, ""},
		{nil, 0, ""},
	} {
		got := ""
		if left, known := f.left(test.parts, test.ago); known {
			got = clock(left)
		}
		if got != test.want {
			t.Errorf("%s, begun %v ago: %q, want %q", names(test.parts), test.ago, got, test.want)
		}
	}
	if f := newForecast(before, &result.Run{Rounds: 9, Length: "1s"}); len(f) > 0 {
		t.Error("a run of other rounds is expected to take the same time")
	}
	if f := newForecast(nil, &result.Run{}); len(f) > 0 {
		t.Error("something is expected of no run")
	}
}

// On a terminal a line takes the place of the one before, is not longer than
// the terminal is wide, and its times go on.
func TestProgressOnATerminal(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out strings.Builder
		p := newProgress(&out, 40, forecast{"a": time.Minute})
		p.part(1, []part{fake("a", nil)})
		io.WriteString(p, "a: short\n")
		io.WriteString(p, "a: long, much longer than there is room for\n")
		time.Sleep(1500 * time.Millisecond)
		p.close()
		const begin = "\r\033[K"
		want := begin + "[1/1 0:00, about 1:00 left] a: short" +
			begin + "[1/1 0:00, about 1:00 left] a: long, mu" +
			begin + "[1/1 0:01, about 0:59 left] a: long, mu" + begin
		if out.String() != want {
			t.Errorf("told %q, want %q", out.String(), want)
		}
	})
}
