package result

import (
	"fmt"
	"math"
	"testing"
)

var nan, inf = math.NaN(), math.Inf(1)

func TestVerdict(t *testing.T) {
	for _, test := range []struct {
		ours, other float64
		aim         Aim
		want        string
	}{
		{1, 0, Aim{}, ""},
		{nan, nan, Aim{}, ""},
		{0, 0, Aim{OfRatio: true}, ""},

		{90, 100, RatioAtLeast(0.9), "ok"},
		{89.9, 100, RatioAtLeast(0.9), "MISSED"},
		{200, 100, RatioAtLeast(0.9), "ok"},
		{0, 100, RatioAtLeast(0.9), "MISSED"},
		{90, 0, RatioAtLeast(0.9), "MISSED"}, // no yardstick
		{0, 0, RatioAtLeast(0.9), "MISSED"},
		{nan, 100, RatioAtLeast(0.9), "MISSED"},
		{90, nan, RatioAtLeast(0.9), "MISSED"},
		{inf, 100, RatioAtLeast(0.9), "MISSED"},
		{inf, inf, RatioAtLeast(0.9), "MISSED"},

		{110, 100, RatioAtMost(1.1), "ok"},
		{110.1, 100, RatioAtMost(1.1), "MISSED"},
		{1, 0, RatioAtMost(1.1), "MISSED"}, // no yardstick
		{0, 0, RatioAtMost(1.1), "MISSED"},
		{nan, 100, RatioAtMost(1.1), "MISSED"},
		{100, nan, RatioAtMost(1.1), "MISSED"},
		{100, inf, RatioAtMost(1.1), "ok"}, // 0 of it, whatever it is
		{-inf, 100, RatioAtMost(1.1), "MISSED"},

		{300_000, 0, ValueAtLeast(300_000), "ok"},
		{299_999, 0, ValueAtLeast(300_000), "MISSED"},
		{inf, 0, ValueAtLeast(300_000), "MISSED"},
		{nan, 0, ValueAtLeast(300_000), "MISSED"},

		{0, 0, ValueAtMost(0), "ok"},
		{1, 0, ValueAtMost(0), "MISSED"},
		{nan, 0, ValueAtMost(0), "MISSED"},
		{-inf, 0, ValueAtMost(0), "MISSED"},
		{1, 0, ValueAtMost(nan), "MISSED"},

		{1, 1, Aim{Kind: "about", Bound: 1}, "MISSED"}, // a kind that is not known
	} {
		r := Row{Ours: test.ours, Other: test.other, Aim: test.aim}
		if got := r.VerdictText(); got != test.want {
			t.Errorf("%g beside %g, %+v: %q, want %q", test.ours, test.other, test.aim, got, test.want)
		}
		if r.OK() != (test.want != "MISSED") {
			t.Errorf("%g beside %g, %+v: OK is %t", test.ours, test.other, test.aim, r.OK())
		}
	}
}

func TestLessIsBetter(t *testing.T) {
	for _, test := range []struct {
		unit string
		aim  Aim
		want bool
	}{
		{"/s", Aim{}, false}, {"rows/s", Aim{}, false}, {"µs", Aim{}, true}, {"MB", Aim{}, true}, {"", Aim{}, true},
		{"MB", ValueAtLeast(1), false}, {"/s", ValueAtMost(1), true},
	} {
		if got := (Row{Unit: test.unit, Aim: test.aim}).LessIsBetter(); got != test.want {
			t.Errorf("%q with %+v: %t", test.unit, test.aim, got)
		}
	}
}

func TestQuantity(t *testing.T) {
	for _, test := range []struct {
		v    float64
		unit string
		want string
	}{
		{382_471, "/s", "382k/s"}, {1_254_000, "/s", "1.25M/s"}, {850.4, "/s", "850/s"}, {5000, "rows/s", "5,000 rows/s"},
		{9999.7, "/s", "10k/s"}, {999_600, "/s", "1M/s"}, {12.34, "/s", "12.3/s"},
		{2.61, "µs", "2.61 µs"}, {0.853, "µs", "853 ns"}, {61, "µs", "61 µs"}, {2400, "µs", "2.4 ms"}, {999.7, "µs", "1 ms"},
		{1_500_000, "µs", "1.5 s"}, {0.25, "s", "250 ms"}, {90, "s", "90 s"}, {0.4, "ns", "0.4 ns"}, {0, "µs", "0 µs"},
		{150, "MB", "150 MB"}, {1536, "MB", "1.54 GB"}, {23.54, "GiB", "23.5 GiB"}, {1023.9, "MiB", "1 GiB"}, {0.5, "MB", "500 kB"},
		{2, "KB", "2 kB"}, {17, "bytes", "17 B"},
		{0, "", "0"}, {1234, "", "1,234"}, {10_000_000, "", "10M"}, {0.5, "%", "0.5%"}, {3, "hosts", "3 hosts"}, {-5, "", "-5"},
		{nan, "/s", "?"}, {inf, "µs", "∞"}, {1e15, "", "1,000T"},
	} {
		if got := Quantity(test.v, test.unit); got != test.want {
			t.Errorf("%g %q is written %q, want %q", test.v, test.unit, got, test.want)
		}
	}
}

func TestTexts(t *testing.T) {
	for _, test := range []struct {
		row  Row
		want string // ratio, Lars 1.0, aim
	}{
		{Row{Ours: 86, Other: 100, Lars1: 0.61, Aim: RatioAtLeast(0.9)}, "0.86|0.61|ratio ≥ 0.9"},
		{Row{Ours: 899, Other: 1000, Aim: RatioAtLeast(0.9)}, "0.899||ratio ≥ 0.9"}, // not 0.90
		{Row{Ours: 89_999, Other: 100_000, Aim: RatioAtLeast(0.9)}, "0.89999||ratio ≥ 0.9"},
		{Row{Ours: 901, Other: 1000, Aim: RatioAtLeast(0.9)}, "0.90||ratio ≥ 0.9"},
		{Row{Ours: 1.112, Other: 1, Aim: RatioAtMost(1 / 0.9)}, "1.112||ratio ≤ 1.11"},
		{Row{Ours: 0.02, Other: 1}, "0.02||"},
		{Row{Ours: 1234, Other: 100}, "12.3||"},
		{Row{Ours: nan, Other: 100}, "?||"},
		{Row{Ours: 120, Unit: "MB", Aim: ValueAtMost(150), Lars1: 227}, "|227 MB|≤ 150 MB"},
		{Row{Aim: Aim{Kind: "about", Bound: 2}}, "||about 2"},
	} {
		got := fmt.Sprintf("%s|%s|%s", test.row.RatioText(), test.row.Lars1Text(), test.row.AimText())
		if got != test.want {
			t.Errorf("%+v: %s, want %s", test.row, got, test.want)
		}
	}
}
