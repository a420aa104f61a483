package sim

import "time"

// Scenario is a module of some hosts, its callers, and what befalls it. It is
// never changed; many runs may share one.
type Scenario struct {
	Name string
	// About says what is to be learnt from it.
	About string

	Hosts  int
	Rate   float64 // calls a second, of all callers together
	Agents int     // that the calls are spread over by chance; 0 is one
	// Workers, if not 0, are callers in place of Rate: each makes one call
	// after another and thinks for Think, on average, between them.
	Workers int
	Think   time.Duration

	// Warmup is how long all is well before the fault, and Length what is
	// looked at from then on.
	Warmup, Length time.Duration
	// State is what a host is like at a time after the fault, which may be
	// negative.
	State func(host int, at time.Duration) State

	Timeout  time.Duration // when callers give up
	Natural  float64       // share of calls that fail at a host that is well; 0 is 0.05%
	Bimodal  bool          // some calls take much longer by nature
	SlowLost bool          // a slow call is a lost one
	Capacity float64       // calls a second that a host can do; 0 is no limit
	NoTCP    bool          // the hosts do not listen on TCP

	FailuresOnly bool          // callers report no success
	NoCost       bool          // callers do not report how long a call took
	ReportDelay  time.Duration // how much later than its end a call is reported
}

func (s *Scenario) agents() int { return max(1, s.Agents) }

// oracleGood is what the oracle goes by: it avoids hosts that are not well, if
// there are others that are.
func (st State) oracleGood(*Scenario) bool { return st.well() }

// fault puts the first hosts into a state from the fault on.
func fault(first int, st State) func(int, time.Duration) State {
	return faultFor(first, st, 1<<62)
}

// faultFor does so for some time.
func faultFor(first int, st State, d time.Duration) func(int, time.Duration) State {
	return func(host int, at time.Duration) State {
		if host < first && at >= 0 && at < d {
			return st
		}
		return State{}
	}
}

// flapping alternates between a state and being well, d each.
func flapping(first int, st State, d time.Duration) func(int, time.Duration) State {
	return func(host int, at time.Duration) State {
		if host < first && at >= 0 && at/d%2 == 0 {
			return st
		}
		return State{}
	}
}

func well(int, time.Duration) State { return State{} }

// Reference are the scenarios that balancers are compared in most often: one
// fault each, at plain traffic.
func Reference() []Scenario {
	const minute = time.Minute
	base := func(name string, hosts int, rate float64, state func(int, time.Duration) State) Scenario {
		return Scenario{Name: name, Hosts: hosts, Rate: rate, State: state,
			Warmup: 20 * time.Second, Length: 2 * minute, Timeout: time.Second}
	}
	list := []Scenario{
		base("1 of 10 refuses, 1000/s", 10, 1000, fault(1, State{Mode: Refusing})),
		base("1 of 10 hangs 1 s, 200/s", 10, 200, fault(1, State{Mode: Hanging})),
		base("1 of 5 hangs 1 s, 1/s", 5, 1, fault(1, State{Mode: Hanging})),
		base("1 of 2 refuses, 100/s", 2, 100, fault(1, State{Mode: Refusing})),
		base("1 of 100 refuses, 1000/s", 100, 1000, fault(1, State{Mode: Refusing})),
		base("3 of 10 refuse, 1000/s", 10, 1000, fault(3, State{Mode: Refusing})),
		base("1 of 10 fails 100%, 1000/s", 10, 1000, fault(1, State{Fail: 1})),
		base("1 of 10 fails 30%, 1000/s", 10, 1000, fault(1, State{Fail: 0.3})),
		base("1 of 10 fails 10%, 1000/s", 10, 1000, fault(1, State{Fail: 0.1})),
		base("1 of 10 is 10x slower, 500/s", 10, 500, fault(1, State{Slow: 10})),
		base("1 of 10 flaps 5 s / 5 s, 1000/s", 10, 1000, flapping(1, State{Mode: Refusing}, 5*time.Second)),
		base("1 of 10 down 20 s, 1000/s", 10, 1000, faultFor(1, State{Mode: Refusing}, 20*time.Second)),
		base("all 10 fail 50% for 30 s, 1000/s", 10, 1000, faultFor(10, State{Fail: 0.5}, 30*time.Second)),
		base("all well, 1% errors, 1000/s", 10, 1000, well),
	}
	for i := range list {
		s := &list[i]
		switch {
		case s.Rate == 1:
			s.Warmup, s.Length = minute, 10*minute
		case i == 9:
			s.SlowLost = true
		case i == len(list)-1:
			s.Natural = 0.01
		}
	}
	return list
}
