package balance_test

import (
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/balance"
	"github.com/lars-lb/lars/internal/route"
)

// ordeal drives the policy adaptive with operations read from bytes and looks,
// after each, for what may never happen.
type ordeal struct {
	*trial
	weights map[route.Host]uint16
	asked   []route.Host                 // checks without answer
	tried   map[route.Host]time.Duration // the last check or probe of a host that is out
	good    map[route.Host]bool          // a good report came since
}

func newOrdeal(t *testing.T, input []byte) *ordeal {
	o := &ordeal{
		trial:   &trial{t: t, input: input, now: time.Hour},
		weights: map[route.Host]uint16{},
		tried:   map[route.Host]time.Duration{}, good: map[route.Host]bool{},
	}
	cfg := o.config()
	o.lb = balance.New(route.Module{ModID: 7}, &cfg)
	return o
}

func (o *ordeal) config() balance.Config {
	cfg := balance.DefaultConfig()
	cfg.Policy, cfg.Seed, cfg.Check = balance.Adaptive, uint64(o.next()), o.next()%2 == 0
	return cfg
}

// pickOne picks and returns the host; false when there was none.
func (o *ordeal) pickOne() (route.Host, bool) {
	h, v := o.lb.Pick(o.now)
	idle, out, drained := o.lb.Count()
	switch {
	case v == balance.Empty && idle+out+drained > 0:
		o.t.Fatalf("empty with %d hosts", idle+out+drained)
	case v == balance.Overloaded && idle > 0:
		o.t.Fatalf("overloaded with %d idle hosts", idle)
	case v != balance.Picked:
		return h, false
	}
	if w, ok := o.weights[h]; !ok || w == 0 {
		o.t.Fatalf("%v was picked: in the route %v, weight %d", h, ok, w)
	}
	o.attempt(h, "probed")
	return h, true
}

// attempt notes a check or a probe of a host that is out.
func (o *ordeal) attempt(h route.Host, what string) {
	if o.lb.State(h) != balance.Overload {
		return
	}
	if last, ok := o.tried[h]; ok && o.now-last < time.Second && !o.good[h] {
		o.t.Fatalf("at %v: %v is %s %v after the last attempt", o.now, h, what, o.now-last)
	}
	o.tried[h], o.good[h] = o.now, false
}

func (o *ordeal) report(h route.Host, ok bool, cost time.Duration) {
	o.lb.Report(h, ok, cost, o.now)
	if ok { // a bad report that no probe waits for says nothing
		o.good[h] = true
	}
}

func (o *ordeal) step() {
	switch op := o.next(); {
	case op < 120: // a call, reported at once, or not
		h, ok := o.pickOne()
		if fate := o.next(); ok && fate < 230 {
			cost := time.Duration(o.next()%40) * time.Millisecond
			o.report(h, fate < 150 || h.IP%3 != 0, cost)
		}
	case op < 150: // a burst on one host, picked or not
		h, good := o.host(), o.next()%2 == 0
		for range o.next() % 8 {
			o.report(h, good, time.Duration(o.next())*time.Millisecond)
		}
	case op < 200:
		o.now += time.Duration(o.next()) * 5 * time.Millisecond
	case op < 205:
		o.now += time.Duration(o.next()) * 5 * time.Second
	case op < 220:
		o.update()
	case op < 245:
		if len(o.asked) > 0 {
			o.lb.Checked(o.asked[0], o.next()%2 == 0, o.now)
			o.asked = o.asked[1:]
		}
	case op < 248:
		o.lb.Checked(o.host(), op%2 == 0, o.now) // an answer that nobody asked for
	case op < 250:
		cfg := o.config()
		o.lb.SetConfig(&cfg, o.now)
	default: // everything fails for a while
		for range 40 {
			if h, ok := o.pickOne(); ok {
				o.report(h, false, 0)
			}
			o.answer()
			o.now += 20 * time.Millisecond
		}
	}
}

func (o *ordeal) update() {
	before := o.weights
	o.weights = map[route.Host]uint16{}
	ns := make([]route.Node, o.next()%14)
	for i := range ns {
		weight := []uint16{0, 1, 100, 100, 100, 101, route.MaxWeight}[o.next()%7]
		ns[i] = route.NodeOf(o.host(), weight)
		if h := ns[i].Host(); h.Valid() {
			if _, again := o.weights[h]; !again {
				o.weights[h] = weight
			}
		}
	}
	o.lb.Update(ns, o.now)
	for h := range before {
		if _, stays := o.weights[h]; !stays {
			delete(o.tried, h)
		}
	}
}

func (o *ordeal) answer() {
	o.lb.TakeEvents(nil)
	for _, h := range o.lb.TakeChecks(nil) {
		o.attempt(h, "checked")
		o.asked = append(o.asked, h)
	}
}

func (o *ordeal) run() {
	for len(o.input) > 0 {
		o.step()
		o.answer()
		if err := o.lb.Check(); err != nil {
			o.t.Fatalf("at %v: %v", o.now, err)
		}
		for _, v := range o.lb.View(nil, o.now) {
			if !(v.BadShare >= 0 && v.BadShare <= 1.001) || !(v.Normal >= 0 && v.Normal <= 1.001) || !(v.Suspicion >= 0 && v.Suspicion <= 1) ||
				!(v.Share > 0 && v.Share <= 1) || v.Cost < 0 || v.GoodProbes > v.NeedProbes {
				o.t.Fatalf("at %v: impossible: %+v", o.now, v)
			}
		}
	}
	o.allComeBack()
}

// allComeBack: once all calls are good, every host is back after some time,
// though TCP checks stay as bad as they may be.
func (o *ordeal) allComeBack() {
	_, _, drained := o.lb.Count()
	hosts := len(o.weights)
	for range 300_000 {
		if idle, _, _ := o.lb.Count(); idle == hosts-drained {
			return
		}
		if h, ok := o.pickOne(); ok {
			o.report(h, true, 5*time.Millisecond)
		}
		o.answer()
		o.now += 10 * time.Millisecond
		for _, h := range o.asked {
			o.lb.Checked(h, h.IP%2 == 0, o.now)
		}
		o.asked = nil
	}
	o.t.Fatalf("not all came back: %+v", o.lb.View(nil, o.now))
}

func FuzzAdaptive(f *testing.F) {
	for seed := range uint64(8) {
		f.Add(randomInput(seed))
	}
	f.Fuzz(func(t *testing.T, input []byte) { newOrdeal(t, input).run() })
}

func TestAdaptiveOrdeals(t *testing.T) {
	for seed := range uint64(200) {
		newOrdeal(t, randomInput(seed)).run()
	}
}
