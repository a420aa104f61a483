package chart

import "math"

// axis is a logarithmic one: the pixels from start to end stand for the values
// from the first of ticks to the last.
type axis struct {
	start, end int
	ticks      []float64
}

// mantissas are the steps in which ticks may follow one another, from the
// fewest.
var mantissas = [...][]float64{{1}, {1, 2, 5}, {1, 2, 3, 4, 5, 6, 7, 8, 9}}

const (
	fewTicks  = 4
	manyTicks = 9
)

// newAxis is an axis for values from lo to hi, which are above 0. It has as many
// decades as least says at least, so that what hardly grows looks so.
func newAxis(start, end int, lo, hi, least float64) axis {
	if missing := least - math.Log10(hi/lo); missing > 0 {
		by := math.Pow(10, missing/2)
		lo, hi = lo/by, hi*by
	}
	var ticks []float64
	for _, steps := range mantissas {
		if ticks = around(lo, hi, steps); len(ticks) >= fewTicks {
			break
		}
	}
	return axis{start, end, thinned(ticks)}
}

// around are the ticks between lo and hi, and the next one beyond either.
func around(lo, hi float64, steps []float64) []float64 {
	var ticks []float64
	for e := int(math.Floor(math.Log10(lo))) - 1; ; e++ {
		for _, m := range steps {
			v := m * math.Pow10(e)
			if v <= lo {
				ticks = ticks[:0] // there is one that is closer
			}
			ticks = append(ticks, v)
			if v >= hi && v > lo {
				return ticks
			}
		}
	}
}

// thinned leaves out ticks evenly if there are too many, which only decades
// are; it adds some at the end so that the last one stays.
func thinned(ticks []float64) []float64 {
	every := 1
	for (len(ticks)-2)/every+1 >= manyTicks {
		every++
	}
	var kept []float64
	for i := 0; i < len(ticks); i += every {
		kept = append(kept, ticks[i])
	}
	if last := ticks[len(ticks)-1]; kept[len(kept)-1] < last {
		kept = append(kept, kept[len(kept)-1]*math.Pow10(every))
	}
	return kept
}

// at is where a value is.
func (a axis) at(v float64) int {
	from, to := a.ticks[0], a.ticks[len(a.ticks)-1]
	share := math.Log(v/from) / math.Log(to/from)
	return a.start + int(math.Round(share*float64(a.end-a.start)))
}
