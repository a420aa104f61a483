package result

import (
	"math"
	"strconv"
	"strings"
)

// isRate reports whether a unit is of something in a time: "/s", "rows/s".
func isRate(unit string) bool { return strings.HasSuffix(unit, "/s") }

// scale is a unit, and how many of the next smaller one of its kind it is.
type scale struct {
	unit  string
	times float64
}

// scales are units that turn into one another as people write them.
var scales = [][]scale{
	{{"ns", 1}, {"µs", 1000}, {"ms", 1000}, {"s", 1000}},
	{{"B", 1}, {"kB", 1000}, {"MB", 1000}, {"GB", 1000}, {"TB", 1000}},
	{{"KiB", 1}, {"MiB", 1024}, {"GiB", 1024}, {"TiB", 1024}},
}

// prefixes are those of counts and rates.
var prefixes = [...]string{"", "k", "M", "G", "T"}

// Quantity writes a number with its unit as people would, with three digits:
// "382k/s", "2.6 µs", "150 MB".
func Quantity(v float64, unit string) string {
	switch {
	case math.IsNaN(v):
		return "?"
	case math.IsInf(v, 0):
		return "∞"
	case v < 0:
		return "-" + Quantity(-v, unit)
	}
	if unit == "KB" || unit == "bytes" {
		unit = map[string]string{"KB": "kB", "bytes": "B"}[unit]
	}
	for _, units := range scales {
		for i := range units {
			if units[i].unit == unit {
				return scaled(v, units, i)
			}
		}
	}
	v = rounded(v)
	i := 0
	if v >= 10_000 {
		for ; v >= 1000 && i < len(prefixes)-1; i++ {
			v = rounded(v / 1000)
		}
	}
	// A rate is written close to its number, "/s" after its prefix.
	sep := " "
	if unit == "" || unit == "%" || strings.HasPrefix(unit, "/") {
		sep = ""
	}
	return digits(v) + prefixes[i] + sep + unit
}

// scaled writes v of the unit number i of units in the one that suits it.
func scaled(v float64, units []scale, i int) string {
	v = rounded(v)
	for v > 0 && v < 1 && i > 0 {
		v = rounded(v * units[i].times)
		i--
	}
	for i < len(units)-1 && v >= units[i+1].times {
		i++
		v = rounded(v / units[i].times)
	}
	return digits(v) + " " + units[i].unit
}

// rounded is v with three digits, or more if it is a whole number below 10,000
// of which none may be lost.
func rounded(v float64) float64 {
	if v == 0 || v >= 1000 && v < 10_000 {
		return math.Round(v)
	}
	r, _ := strconv.ParseFloat(strconv.FormatFloat(v, 'g', 3, 64), 64)
	return r
}

// digits writes a number that was rounded, without an exponent.
func digits(v float64) string {
	s := strconv.FormatFloat(v, 'f', -1, 64)
	if whole, _, _ := strings.Cut(s, "."); len(whole) > 3 {
		return s[:len(whole)-3] + "," + s[len(whole)-3:]
	}
	return s
}

// RatioText writes the ratio, as "0.86" or "12.4", "" if there is none. One that
// falls short of its bound never looks as if it did not.
func (r Row) RatioText() string {
	if !r.Compared() {
		return ""
	}
	text := ratioText(r.Ratio())
	if !r.Aim.OfRatio || r.OK() {
		return text
	}
	for prec := 3; prec < 9; prec++ {
		shown, err := strconv.ParseFloat(text, 64)
		if err != nil || !(Row{Ours: shown, Other: 1, Aim: r.Aim}).OK() {
			break
		}
		text = strconv.FormatFloat(r.Ratio(), 'f', prec, 64)
	}
	return text
}

func ratioText(v float64) string {
	switch {
	case math.IsNaN(v):
		return "?"
	case math.IsInf(v, 0):
		return "∞"
	case v != 0 && math.Abs(v) < 0.1 || math.Abs(v) >= 10:
		return digits(rounded(v))
	default:
		return strconv.FormatFloat(v, 'f', 2, 64)
	}
}

// BesideText writes what the row is compared with, "" if there is nothing.
func (r Row) BesideText() string {
	if !r.Compared() {
		return ""
	}
	return strings.TrimSpace(Quantity(r.Other, r.Unit) + " " + r.Than)
}

// AimText writes the aim, as "ratio ≥ 0.9" or "≤ 150 MB", "" if there is none.
func (r Row) AimText() string {
	sign := map[Kind]string{AtLeast: "≥", AtMost: "≤"}[r.Aim.Kind]
	switch {
	case r.Aim.Kind == "":
		return ""
	case sign == "":
		sign = string(r.Aim.Kind)
	}
	if r.Aim.OfRatio {
		return "ratio " + sign + " " + strconv.FormatFloat(rounded(r.Aim.Bound), 'g', -1, 64)
	}
	return sign + " " + Quantity(r.Aim.Bound, r.Unit)
}

// Lars1Text writes what Lars 1.0 reaches: a ratio if the aim is of one, else a
// quantity; "" if it is not known.
func (r Row) Lars1Text() string {
	switch {
	case r.Lars1 == 0:
		return ""
	case r.Aim.OfRatio:
		return ratioText(r.Lars1)
	default:
		return Quantity(r.Lars1, r.Unit)
	}
}

// VerdictText is "ok", "MISSED", or "" where there is no aim.
func (r Row) VerdictText() string {
	switch {
	case r.Aim.Kind == "":
		return ""
	case r.OK():
		return "ok"
	default:
		return "MISSED"
	}
}
