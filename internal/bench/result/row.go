package result

// Row is one thing that was measured: the median of several rounds, beside what
// it is compared with in the same run.
type Row struct {
	Part  string  `json:"part"`
	What  string  `json:"what"`
	Unit  string  `json:"unit"` // of Ours and Beside: "/s", "µs", "MB"
	Ours  float64 `json:"ours"`
	Than  string  `json:"than,omitempty"`   // what it is compared with
	Other float64 `json:"other,omitempty"`  // of that; 0 for nothing
	Aim   Aim     `json:"aim,omitzero"`     // the zero Aim judges nothing
	Note  string  `json:"note,omitempty"`   // what else is to be known, in a few words
	Lars1 float64 `json:"lars_1,omitempty"` // what Lars 1.0 reaches of the quantity the aim is of
}

// Ratio is Ours as a share of Other, 0 if there is none.
func (r Row) Ratio() float64 {
	if r.Other == 0 {
		return 0
	}
	return r.Ours / r.Other
}

// OK reports whether the aim is reached. A row without one is.
func (r Row) OK() bool {
	got := r.Ours
	if r.Aim.OfRatio {
		if r.Other == 0 {
			return false // there is nothing to reach it by
		}
		got = r.Ratio()
	}
	switch r.Aim.Kind {
	case AtLeast:
		return got >= r.Aim.Bound
	case AtMost:
		return got <= r.Aim.Bound
	default:
		return true
	}
}

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

// RatioAtLeast, and those below, are the aims there are.
func RatioAtLeast(bound float64) Aim { return Aim{AtLeast, bound, true} }

func RatioAtMost(bound float64) Aim { return Aim{AtMost, bound, true} }

func ValueAtLeast(bound float64) Aim { return Aim{AtLeast, bound, false} }

func ValueAtMost(bound float64) Aim { return Aim{AtMost, bound, false} }
