package balance

import "time"

const (
	// memory is how long calls count for what is normal: their weight falls
	// to 1/e in that time, or in the time of memoryCalls calls if that is
	// longer.
	memory      = 10 * time.Second
	memoryCalls = 250
	// Before there are calls, normal is firstNormal, with the weight of
	// firstCalls calls.
	firstNormal = 0.01
	firstCalls  = 50
	// maxUnit is when the sums are brought back to units of one call.
	maxUnit = 1e12
)

// tally is a sum of calls and of bad ones among them, in units that the
// decay of its module sets.
type tally struct{ bad, calls float32 }

// decay makes older calls count less. To spare the decay of every sum, a new
// call counts for more than the ones before it (forward decay; Cormode et al.,
// ICDE 2009).
type decay struct {
	unit float64       // what a call adds to a sum now
	at   time.Duration // when unit was set
}

// advance lets time pass up to now, when a call has ended.
func (d *decay) advance(now time.Duration) {
	if dt := now - d.at; dt > 0 {
		d.unit *= 1 + min(float64(dt)/float64(memory), 1.0/memoryCalls)
		d.at = now
	}
}

// aged reports whether the sums have to be rescaled.
func (d *decay) aged() bool { return d.unit > maxUnit }

// rescale makes a call the unit again. The factor is for every sum.
func (d *decay) rescale() (factor float64) {
	f := 1 / d.unit
	d.unit = 1
	return f
}

// of returns a host's own share of bad calls, and how many recent calls that
// is made of.
func (d *decay) of(t tally) (share, calls float64) {
	if t.calls == 0 {
		return 0, 0
	}
	return float64(t.bad / t.calls), float64(t.calls) / d.unit
}

// normal is the share of bad calls that a module's hosts have lately, leaving
// out those under suspicion. The unit is that of the module's decay.
type normal struct{ bad, calls float64 } // sums of the hosts that count

// add counts a call to a host that counts.
func (n *normal) add(unit float64, bad bool) {
	n.calls += unit
	if bad {
		n.bad += unit
	}
}

// include and exclude change whether a host counts.
func (n *normal) include(t tally) {
	n.bad += float64(t.bad)
	n.calls += float64(t.calls)
}

func (n *normal) exclude(t tally) {
	n.bad = max(0, n.bad-float64(t.bad))
	n.calls = max(0, n.calls-float64(t.calls))
}

// share is the share of bad calls that is normal for a host: that of the
// others. counts says whether the host's own calls are among the sums.
func (n *normal) share(unit float64, own tally, counts bool) float64 {
	bad, calls := n.bad, n.calls
	if counts {
		bad, calls = max(0, bad-float64(own.bad)), max(0, calls-float64(own.calls))
	}
	return (bad + firstNormal*firstCalls*unit) / (calls + firstCalls*unit)
}

func (n *normal) scale(f float64) { n.bad, n.calls = n.bad*f, n.calls*f }
