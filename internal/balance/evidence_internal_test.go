package balance

import (
	"math"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// Whatever is normal, a host that is as bad as that gathers no evidence on
// average, and one that is what the tests look for does.
func TestEvidenceDrifts(t *testing.T) {
	drift := func(bad, good float32, p float64) float64 { return p*float64(bad) + (1-p)*float64(good) }
	for p0 := 0.0001; p0 < 1; p0 *= 1.07 {
		c := evidenceTable.at(p0)
		// The table's step may be off by a sixteenth of an octave's eighth.
		if d := drift(c.failingBad, c.failingGood, p0); d > 0 {
			t.Errorf("normal %.4f: a normal host drifts by %v towards failing", p0, d)
		}
		if d := drift(c.degradedBad, c.degradedGood, p0); d > 0 {
			t.Errorf("normal %.4f: a normal host drifts by %v towards degraded", p0, d)
		}
		if p0 > maxNormal {
			if *c != (clues{}) {
				t.Errorf("normal %.4f: calls still say something: %+v", p0, *c)
			}
			continue
		}
		if d := drift(c.failingBad, c.failingGood, max(failingShare, (1+p0)/2)); d <= 0 {
			t.Errorf("normal %.4f: a failing host drifts by %v", p0, d)
		}
		if d := drift(c.degradedBad, c.degradedGood, min(worseFactor*max(p0, minWorse/worseFactor), 0.95)); d <= 0 {
			t.Errorf("normal %.4f: a degraded host drifts by %v", p0, d)
		}
	}
}

// How many calls in a row must be bad before a host is ejected. The numbers
// are in docs/DECISIONS.md.
func TestBadCallsToAlarm(t *testing.T) {
	for _, tt := range []struct {
		normal float64
		want   int
	}{{0, 4}, {0.002, 4}, {0.01, 5}, {0.05, 7}, {0.2, 14}} {
		var s sums
		n := 0
		for s.worst() < Alarm {
			s.observe(failed, evidenceTable.at(tt.normal))
			n++
		}
		if n != tt.want {
			t.Errorf("with %v normal, %d bad calls in a row eject, want %d", tt.normal, n, tt.want)
		}
	}
}

// Lorden's bound: a host that is as bad as is normal reaches an Alarm once in
// more than e^Alarm calls. Here with a lower Alarm, which can be waited for.
func TestFalseAlarmsAreRare(t *testing.T) {
	const low = 7
	random := rand.New(rand.NewPCG(3, 3))
	for _, p0 := range []float64{0.003, 0.0105, 0.05, 0.21} {
		c := evidenceTable.at(p0)
		calls, alarms := 3_000_000, 0
		var s sums
		for range calls {
			v := good
			if random.Float64() < p0 {
				v = failed
			}
			s.observe(v, c)
			if s.failing >= low || s.degraded >= low {
				alarms++
				s.forgive(0)
			}
		}
		// There are two tests, so twice the bound.
		if most := 2 * float64(calls) * math.Exp(-low); float64(alarms) > most {
			t.Errorf("normal %v: %d alarms in %d calls, want at most %.0f", p0, alarms, calls, most)
		}
	}
}

func TestMedianFollows(t *testing.T) {
	random := rand.New(rand.NewPCG(4, 4))
	for _, want := range []time.Duration{50 * time.Microsecond, 10 * time.Millisecond, 3 * time.Second} {
		var m median
		if m.known() {
			t.Fatal("a median without samples is known")
		}
		sample := func(d time.Duration) time.Duration {
			return time.Duration(float64(d) * math.Exp(0.5*random.NormFloat64()))
		}
		for range 1000 {
			m.add(sample(want))
		}
		if got := m.duration(); got < want*8/10 || got > want*12/10 {
			t.Errorf("median is %v, want about %v", got, want)
		}
		for range 200 {
			m.add(sample(5 * want))
		}
		if got := m.duration(); got < want*4 || got > want*6 {
			t.Errorf("after a change to %v the median is %v", 5*want, got)
		}
	}
}

// The middle of the others is the lower median of all values but the own one.
func TestMiddleLeavesOneOut(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 5))
	for range 2000 {
		values := make([]float32, 1+random.IntN(12))
		for i := range values {
			values[i] = float32(1 + random.IntN(9))
		}
		m := newMiddle(slices.Clone(values))
		for i, own := range values {
			others := slices.Delete(slices.Clone(values), i, i+1)
			slices.Sort(others)
			got, ok := m.others(own)
			if ok != (len(others) > 0) {
				t.Fatalf("%v: known is %v", values, ok)
			}
			if ok && got != others[(len(others)-1)/2] {
				t.Fatalf("%v without %v: %v, want %v", values, own, got, others[(len(others)-1)/2])
			}
		}
	}
}

func TestQuickselect(t *testing.T) {
	random := rand.New(rand.NewPCG(6, 6))
	for range 2000 {
		values := make([]int, 1+random.IntN(30))
		for i := range values {
			values[i] = random.IntN(10)
		}
		sorted := slices.Sorted(slices.Values(values))
		i := random.IntN(len(values))
		if got := quickselect(values, i); got != sorted[i] || !slices.Equal(slices.Sorted(slices.Values(values)), sorted) {
			t.Fatalf("%v: at %d is %d, want %d", sorted, i, got, sorted[i])
		}
	}
}

// A host's share of what is normal is that of the others, older calls count
// less, and taking hosts in and out leaves no trace.
func TestNormal(t *testing.T) {
	var n normal
	d := decay{unit: 1}
	var a, b tally
	if got := n.share(d.unit, a, true); got != firstNormal {
		t.Errorf("without calls %v is normal, want %v", got, firstNormal)
	}
	add := func(t *tally, bad bool) {
		t.calls += float32(d.unit)
		if bad {
			t.bad += float32(d.unit)
		}
		n.add(d.unit, bad)
	}
	for i := range 2000 {
		d.advance(time.Duration(i) * time.Millisecond)
		add(&a, i%2 == 0)
		add(&b, i%20 == 0)
	}
	if got := n.share(d.unit, a, true); math.Abs(got-0.05) > 0.01 {
		t.Errorf("normal for a is %v, want b's 5%%", got)
	}
	if got, _ := d.of(a); math.Abs(got-0.5) > 0.01 {
		t.Errorf("a's own share is %v", got)
	}
	before := n
	n.exclude(a)
	if got := n.share(d.unit, a, false); math.Abs(got-0.05) > 0.01 {
		t.Errorf("normal without a is %v", got)
	}
	n.include(a)
	if math.Abs(n.bad-before.bad) > 1e-6*before.bad || math.Abs(n.calls-before.calls) > 1e-6*before.calls {
		t.Errorf("out and in again: %+v, was %+v", n, before)
	}
	for i := range 30_000 { // a gets well, over more than the memory
		d.advance(2*time.Second + time.Duration(i)*10*time.Millisecond)
		add(&a, false)
	}
	if got, _ := d.of(a); got > 1e-4 {
		t.Errorf("a's share is %v long after it got well", got)
	}
	if !d.aged() {
		t.Fatal("the sums did not age")
	}
	share, calls := d.of(a)
	f := d.rescale()
	n.scale(f)
	a.bad, a.calls = a.bad*float32(f), a.calls*float32(f)
	if s, c := d.of(a); math.Abs(s-share) > 1e-6 || math.Abs(c-calls) > 1e-3*calls || d.unit != 1 {
		t.Errorf("rescaled to %v of %v calls, was %v of %v", s, c, share, calls)
	}
}

func TestGoodNeeded(t *testing.T) {
	for _, tt := range []struct {
		bad, calls uint32
		want       uint8
	}{{4, 4, 3}, {0, 0, 3}, {0, 9, 3}, {30, 60, 4}, {3, 10, 7}, {10, 100, 22}, {5, 100, 25}, {7, 4, 3}} {
		if got := goodNeeded(tt.bad, tt.calls); got != tt.want {
			t.Errorf("after %d bad of %d: %d good probes, want %d", tt.bad, tt.calls, got, tt.want)
		}
	}
}
