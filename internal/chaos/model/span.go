package model

import (
	"cmp"
	"slices"
	"time"

	"github.com/lars-lb/lars/internal/chaos/history"
)

// span is a time from begin to end.
type span struct{ begin, end time.Duration }

type spans []span

// touches reports whether a time from begin to end has a moment in common with
// one of s, each of which lasts longer by more.
func (s spans) touches(begin, end, more time.Duration) bool {
	return slices.ContainsFunc(s, func(x span) bool {
		return x.begin <= end && (x.end == history.Never || begin <= x.end+more)
	})
}

// others are the times that are in none of s, and take bound to have an effect.
func (s spans) others(bound time.Duration) well {
	s = slices.Clone(s)
	slices.SortFunc(s, func(x, y span) int { return cmp.Compare(x.begin, y.begin) })
	w := well{bound: bound}
	begin := time.Duration(0)
	for _, x := range s {
		if x.begin > begin {
			w.times = append(w.times, span{begin, x.begin})
		}
		if begin = max(begin, x.end); begin == history.Never {
			return w
		}
	}
	w.times = append(w.times, span{begin, history.Never})
	return w
}

// well is when all that was needed for something worked. It has happened once
// that lasted for bound without a break.
type well struct {
	times []span // in order
	bound time.Duration
}

// last is the end of the last time, up to a moment, in which it has happened.
func (w well) last(at time.Duration) (end time.Duration, ok bool) {
	for i := len(w.times) - 1; i >= 0; i-- {
		x := w.times[i]
		if end := min(x.end, at); x.begin+w.bound <= end {
			return end, true
		}
	}
	return 0, false
}

// since is the moment from which on a change may be unknown at a time. It is 0
// if anything may be unknown.
func (w well) since(at time.Duration) time.Duration {
	if end, ok := w.last(at); ok {
		return end - w.bound
	}
	return 0
}

// within reports whether all worked for bound between two moments.
func (w well) within(begin, end time.Duration) bool {
	return slices.ContainsFunc(w.times, func(x span) bool {
		return max(x.begin, begin)+w.bound <= min(x.end, end)
	})
}
