package balance

import (
	"testing"
	"time"
)

func TestInflight(t *testing.T) {
	const ms = time.Millisecond
	var f health
	g := new(guess)
	// Three picks; the first is a generation, the others the next.
	f.pick(0, 10*ms, g)
	f.pick(0, 12*ms, g)
	f.pick(0, 14*ms, g)
	if got := f.unreported(); got != 3 || f.waiting(15*ms) != 5*ms {
		t.Fatalf("%d unreported, waiting for %v", got, f.waiting(15*ms))
	}
	// A report of the second pick, by its cost, is none of the old generation.
	if _, complete := f.report(true, 4*ms, 1, 16*ms+1, g); complete || f.old != 1 || f.young != 1 {
		t.Fatalf("the second pick's report leaves %+v", f)
	}
	took, complete := f.report(true, 10*ms, 2, 20*ms, g)
	if !complete || took != 10*ms || f.old != 1 || f.young != 0 || f.closed-time.Duration(f.span) != 10*ms || f.closed != 20*ms {
		t.Fatalf("complete is %v after %v: %+v", complete, took, f)
	}
	// The third pick is given up; its report comes later and is passed over,
	// with a cost or without.
	f.renew(30*ms, 3, 50*ms, g)
	f.pick(3, 51*ms, g)
	for _, cost := range []time.Duration{46 * ms, 0} {
		if _, complete := f.report(true, cost, 4, 60*ms, g); complete || f.old != 1 {
			t.Fatalf("a late report with cost %v leaves %+v", cost, f)
		}
	}
	if took, complete := f.report(true, 0, 5, 61*ms, g); !complete || took != 10*ms {
		t.Fatalf("complete is %v after %v", complete, took)
	}
	// Reports beyond the picks change nothing.
	for range 5 {
		f.report(true, 0, 6, 62*ms, g)
	}
	if f.unreported() != 0 || f.waiting(time.Hour) != 0 {
		t.Fatalf("left over: %+v", f)
	}
	// A generation that ends with a failure says nothing about turnaround.
	before := f.turnaround
	f.pick(6, 70*ms, g)
	if _, complete := f.report(false, ms, 7, 71*ms, g); complete || f.turnaround != before {
		t.Fatalf("a failure counts for the turnaround: %+v", f)
	}
}
