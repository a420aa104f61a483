package balance_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/balance"
	"github.com/lars-lb/lars/internal/route"
)

// flow is traffic on a module under the policy adaptive, with calls that take
// their time, so that many are under way.
type flow struct {
	lb      *balance.LoadBalance
	now     time.Duration
	gap     time.Duration        // between two calls
	takes   time.Duration        // a call
	lag     func() time.Duration // until its report, beside that; nil is none
	fails   func(h route.Host) bool
	reports func(ok bool) bool      // whether a call is reported; nil is always
	mute    func(h route.Host) bool // whether none is
	told    bool                    // how long a call took is reported
	pending []flowReport

	picked, refused, ejections int
}

type flowReport struct {
	at   time.Duration
	h    route.Host
	ok   bool
	cost time.Duration // as reported
}

func newFlow(ns []route.Node, gap, takes time.Duration) *flow {
	cfg := balance.DefaultConfig()
	cfg.Policy, cfg.Check = balance.Adaptive, false
	f := &flow{lb: balance.New(route.Module{ModID: 3}, &cfg), now: time.Hour, gap: gap, takes: takes}
	f.lb.Update(ns, f.now)
	return f
}

func (f *flow) run(d time.Duration) {
	for end := f.now + d; f.now < end; f.now += f.gap {
		for len(f.pending) > 0 && f.pending[0].at <= f.now {
			r := f.pending[0]
			f.pending = f.pending[1:]
			f.lb.Report(r.h, r.ok, r.cost, r.at)
		}
		if h, v := f.lb.Pick(f.now); v == balance.Picked {
			f.picked++
			ok := f.fails == nil || !f.fails(h)
			if (f.reports == nil || f.reports(ok)) && (f.mute == nil || !f.mute(h)) {
				r := flowReport{f.now + f.takes, h, ok, 0}
				if f.told {
					r.cost = f.takes
				}
				if f.lag != nil {
					r.at += f.lag()
				}
				f.expect(r)
			}
		} else {
			f.refused++
		}
		for _, e := range f.lb.TakeEvents(nil) {
			if e.State == balance.Overload && e.Reason.Cause != balance.Blackout {
				f.ejections++
			}
		}
	}
}

// expect has a report come in its time.
func (f *flow) expect(r flowReport) {
	i := len(f.pending)
	for i > 0 && f.pending[i-1].at > r.at {
		i--
	}
	f.pending = slices.Insert(f.pending, i, r)
}

func (f *flow) forget() { f.picked, f.refused, f.ejections = 0, 0, 0 }

func failuresOnly(ok bool) bool { return !ok }

// Where only failures are reported, an outage of most hosts or of all leaves
// nothing behind, also for an agent that was started in the middle of it.
func TestOutageWhereSuccessIsSilent(t *testing.T) {
	for _, dead := range []uint32{5, 4} {
		for _, calm := range []time.Duration{30 * time.Second, 0} {
			f := newFlow(nodes(manyHosts(5)), 5*ms, 10*ms)
			f.reports = failuresOnly
			f.run(calm)
			f.fails = func(h route.Host) bool { return uint32(h.Port-1000) < dead }
			f.run(30 * time.Second)
			f.fails = nil
			f.run(90 * time.Second)
			f.forget()
			f.run(20 * time.Second)
			if f.refused > 0 {
				t.Errorf("%d of 5 were down after %v of calm: %d of %d refused long after",
					dead, calm, f.refused, f.refused+f.picked)
			}
		}
	}
}

// Bursts and standstills in which hundreds of calls are under way without a
// report are no silence, and nobody is to blame.
func TestBurstsBlameNobody(t *testing.T) {
	random := rand.New(rand.NewPCG(7, 7))
	f := newFlow(nodes(manyHosts(10)), 200*time.Microsecond, 20*ms)
	f.fails = func(route.Host) bool { return random.Float64() < 0.02 }
	for range 20 {
		f.run(2 * time.Second)
		f.takes = 300 * ms // all that begins now ends with the standstill
		f.run(100 * ms)
		f.takes = 20 * ms
		f.now += 300 * ms
	}
	if f.ejections > 0 {
		t.Errorf("%d ejections", f.ejections)
	}
}

// A host whose calls do not come back is noticed before its callers give up,
// however many calls are under way, and however late they begin and are
// reported.
func TestHangingHostIsSeenAmongManyCalls(t *testing.T) {
	for _, takes := range []time.Duration{100 * time.Microsecond, ms, 20 * ms} {
		for _, lag := range []time.Duration{0, 50 * time.Microsecond, ms, 2 * ms} {
			for _, gap := range []time.Duration{20 * time.Microsecond, 200 * time.Microsecond, 5 * ms} {
				f := newFlow(nodes(manyHosts(5)), gap, takes)
				f.told, f.lag = true, func() time.Duration { return lag }
				f.run(5 * time.Second)
				if f.ejections > 0 {
					t.Errorf("calls of %v, lag %v, gap %v: %d ejections", takes, lag, gap, f.ejections)
				}
				f.mute = func(h route.Host) bool { return h.Port == 1000 }
				f.run(2 * time.Second)
				if f.ejections != 1 {
					t.Errorf("calls of %v, lag %v, gap %v: %d hosts were ejected, want the one that hangs", takes, lag, gap, f.ejections)
				}
			}
		}
	}
}

// Callers that begin and report their calls late, some far later than others,
// make no host hang, though a report in a hundred is lost; with very unequal
// weights, while that is a fraction of a millisecond.
func TestCallersThatLagBlameNobody(t *testing.T) {
	random := rand.New(rand.NewPCG(9, 9))
	for _, c := range []struct {
		weights []uint16
		lags    []time.Duration // means
	}{
		{[]uint16{100, 100, 100, 100}, []time.Duration{50 * time.Microsecond, 3 * ms, 20 * ms, 200 * ms}},
		{[]uint16{1000, 10, 10, 10}, []time.Duration{50 * time.Microsecond, 500 * time.Microsecond}},
	} {
		ns := nodes(manyHosts(len(c.weights)))
		for i, w := range c.weights {
			ns[i].Weight = w
		}
		for _, lag := range c.lags {
			for _, gap := range []time.Duration{200 * time.Microsecond, 5 * ms} {
				for _, takes := range []time.Duration{200 * time.Microsecond, 20 * ms} {
					f := newFlow(ns, gap, takes)
					f.told = true
					f.reports = func(bool) bool { return random.Float64() > 0.01 }
					f.lag = func() time.Duration { return time.Duration(random.ExpFloat64() * float64(lag)) }
					f.run(20_000 * gap)
					if f.ejections > 0 {
						t.Errorf("weights %v, lags of %v, gap %v, calls of %v: %d ejections", c.weights, lag, gap, takes, f.ejections)
					}
				}
			}
		}
	}
}

// A few picks that are never reported make no host hang, however many calls are
// under way and however unequal the weights.
func TestLostReportsBlameNobody(t *testing.T) {
	random := rand.New(rand.NewPCG(8, 8))
	for _, weights := range [][]uint16{{1000, 10, 10, 10}, {500, 10}, {200, 100, 100, 100}, {100, 100, 100, 100}} {
		ns := nodes(manyHosts(len(weights)))
		for i, w := range weights {
			ns[i].Weight = w
		}
		f := newFlow(ns, 200*time.Microsecond, 20*ms)
		f.reports = func(bool) bool { return random.Float64() > 0.01 }
		for _, f.told = range []bool{false, true} {
			f.run(time.Minute)
			if f.ejections > 0 {
				t.Errorf("weights %v, costs told %v: %d ejections", weights, f.told, f.ejections)
			}
			f.forget()
		}
	}
}

// The dark ends within a moment of the hosts' recovery, with any number of them.
func TestDarkEndsAtOnceWithManyHosts(t *testing.T) {
	for _, n := range []int{100, route.MaxHosts} {
		f := newFlow(nodes(manyHosts(n)), 10*ms, ms)
		f.run(time.Minute)
		f.fails = func(route.Host) bool { return true }
		f.run(3 * time.Minute)
		if f.refused == 0 {
			t.Fatalf("%d hosts: nothing was refused", n)
		}
		f.fails = nil
		f.forget()
		f.run(time.Second)
		if f.refused > 20 {
			t.Errorf("%d hosts: %d of 100 refused after the recovery", n, f.refused)
		}
	}
}

// A host that stays dead when all others are well again is out again soon.
func TestDeadHostAfterTheDark(t *testing.T) {
	f := newFlow(nodes(manyHosts(4)), 2*ms, ms)
	f.run(10 * time.Second)
	f.fails = func(route.Host) bool { return true }
	f.run(30 * time.Second)
	lost := 0
	f.fails = func(h route.Host) bool {
		if h.Port == 1000 {
			lost++
		}
		return h.Port == 1000
	}
	f.run(20 * time.Second)
	if lost > 60 {
		t.Errorf("%d of 10000 calls went to the dead host", lost)
	}
}

// Where calls are few a dead host gets few of them all the same.
func TestDeadHostWhereCallsAreFew(t *testing.T) {
	for _, gap := range []time.Duration{10 * time.Second, 2 * time.Minute, time.Hour} {
		w := newTown(t, "ABC", noCheck)
		w.run(100*gap, gap)
		w.bad = "B"
		w.run(100*gap, gap)
		w.forget()
		w.run(300*gap, gap)
		if w.picks['B'] > 10 {
			t.Errorf("a call each %v: %d of 300 to the dead host", gap, w.picks['B'])
		}
	}
}

// Blips in which nobody was ejected do not make truces longer; and a host that
// refuses connections is out even in a truce.
func TestTruceDoesNotShelterADeadHost(t *testing.T) {
	w := newTown(t, "ABCD")
	w.run(10*time.Second, 2*ms)
	for range 6 {
		for range 150 {
			w.bad = ""
			if w.now/ms%10 != 0 {
				w.bad = "ABCD"
			}
			w.run(2*ms, 2*ms)
		}
		w.bad = ""
		w.run(15*time.Second, 10*ms)
	}
	w.bad, w.deaf = "A", "A"
	w.forget()
	w.run(20*time.Second, 10*ms)
	if w.picks['A'] > 30 {
		t.Errorf("%d of 2000 calls went to the dead host", w.picks['A'])
	}
}
