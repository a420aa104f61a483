package result

import "math"

// Row is one thing that was measured: the median of several rounds, beside what
// it is compared with in the same run.
//
// A number that could not be measured is NaN, never 0, which is a good result
// of much. NaN and the infinities are written to JSON as null, and reach no aim.
type Row struct {
	Part  string  `json:"part"`
	What  string  `json:"what"`
	Unit  string  `json:"unit"` // of Ours and Other: "/s", "µs", "MB", "" of what is counted
	Ours  float64 `json:"ours"`
	Than  string  `json:"than,omitempty"`   // what it is compared with
	Other float64 `json:"other,omitempty"`  // of that; 0 for nothing
	Aim   Aim     `json:"aim,omitzero"`     // the zero Aim judges nothing
	Note  string  `json:"note,omitempty"`   // what else is to be known, in a few words
	Lars1 float64 `json:"lars_1,omitempty"` // what Lars 1.0 reaches of the quantity the aim is of
}

// Compared reports whether there is something that Ours is compared with.
func (r Row) Compared() bool { return r.Other != 0 }

// Ratio is Ours as a share of Other, 0 if there is none.
func (r Row) Ratio() float64 {
	if !r.Compared() {
		return 0
	}
	return r.Ours / r.Other
}

// OK reports whether the aim is reached. A row without one is.
func (r Row) OK() bool {
	got := r.Ours
	if r.Aim.OfRatio {
		if !r.Compared() {
			return r.Aim.Kind == "" // there is nothing to reach it by
		}
		got = r.Ratio()
	}
	switch r.Aim.Kind {
	case "":
		return true
	case AtLeast:
		return finite(r.Ours) && finite(got) && got >= r.Aim.Bound
	case AtMost:
		return finite(r.Ours) && finite(got) && got <= r.Aim.Bound
	default:
		return false // of a newer bench, which this one cannot judge
	}
}

// LessIsBetter reports whether a smaller number is the better one: by the aim,
// or, where there is none, unless the unit is a rate.
func (r Row) LessIsBetter() bool {
	switch r.Aim.Kind {
	case AtLeast:
		return false
	case AtMost:
		return true
	default:
		return !isRate(r.Unit)
	}
}

func finite(v float64) bool { return !math.IsNaN(v) && !math.IsInf(v, 0) }

// Aim is a bound of Ours, or of the ratio.
type Aim struct {
	Kind    Kind    `json:"kind"`
	Bound   float64 `json:"bound"`
	OfRatio bool    `json:"of_ratio,omitempty"`
}

// Kind is the side on which the bound is.
type Kind string

// The kinds of aims; the zero Kind is none.
const (
	AtLeast Kind = "at least"
	AtMost  Kind = "at most"
)

// RatioAtLeast is the aim that Ours is at least bound times Other.
func RatioAtLeast(bound float64) Aim { return Aim{AtLeast, bound, true} }

// RatioAtMost is the aim that Ours is at most bound times Other.
func RatioAtMost(bound float64) Aim { return Aim{AtMost, bound, true} }

// ValueAtLeast is the aim that Ours is at least bound, in the unit of the row.
func ValueAtLeast(bound float64) Aim { return Aim{AtLeast, bound, false} }

// ValueAtMost is the aim that Ours is at most bound, in the unit of the row.
func ValueAtMost(bound float64) Aim { return Aim{AtMost, bound, false} }
