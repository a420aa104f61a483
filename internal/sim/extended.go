package sim

import "time"

// Extended are scenarios beyond the reference ones: other sizes, other
// traffic, other faults, callers that report little, and differences between
// hosts that are no fault at all.
func Extended() []Scenario {
	const s, minute = time.Second, time.Minute
	refuses, hangs, frozen := State{Mode: Refusing}, State{Mode: Hanging}, State{Mode: Frozen}
	make := func(name string, hosts int, rate float64, state func(int, time.Duration) State, more func(*Scenario)) Scenario {
		sc := Scenario{Name: name, Hosts: hosts, Rate: rate, State: state, Warmup: 20 * s, Length: 2 * minute, Timeout: s}
		if more != nil {
			more(&sc)
		}
		return sc
	}
	return []Scenario{
		// Sizes and traffic.
		make("1 of 1 refuses for 30 s, 100/s", 1, 100, faultFor(1, refuses, 30*s), nil),
		make("1 of 3 refuses, 100/s", 3, 100, fault(1, refuses), nil),
		make("2 of 3 refuse, 100/s", 3, 100, fault(2, refuses), nil),
		make("1 of 12 refuses, 1000/s", 12, 1000, fault(1, refuses), nil),
		make("10 of 1000 refuse, 5000/s", 1000, 5000, fault(10, refuses), nil),
		make("1 of 10 refuses, 50000/s", 10, 50_000, fault(1, refuses), func(c *Scenario) { c.Warmup, c.Length = 5*s, 20*s }),
		make("1 of 10 refuses, 1/s", 10, 1, fault(1, refuses), func(c *Scenario) { c.Warmup, c.Length = minute, 10*minute }),
		make("9 of 10 refuse, 1000/s", 10, 1000, fault(9, refuses), nil),
		make("all refuse for 20 s, 1000/s", 10, 1000, faultFor(10, refuses, 20*s), nil),
		make("one zone of three gone, 1000/s", 30, 1000, fault(10, hangs), nil),

		// Errors and slowness.
		make("1 of 10 fails 5%, 1000/s", 10, 1000, fault(1, State{Fail: 0.05}), nil),
		make("1 of 10 fails 10%, 20/s", 10, 20, fault(1, State{Fail: 0.1}), func(c *Scenario) { c.Length = 10 * minute }),
		make("2 of 10 fail 10%, 1000/s", 10, 1000, fault(2, State{Fail: 0.1}), nil),
		make("1 of 10 is 2x slower, 500/s", 10, 500, fault(1, State{Slow: 2}), func(c *Scenario) { c.SlowLost = true }),
		make("1 of 10 is 3x slower, 500/s", 10, 500, fault(1, State{Slow: 3}), func(c *Scenario) { c.SlowLost = true }),
		make("2 of 10 are 10x slower, 500/s", 10, 500, fault(2, State{Slow: 10}), func(c *Scenario) { c.SlowLost = true }),
		make("1 of 2 is 10x slower, 50/s", 2, 50, fault(1, State{Slow: 10}), func(c *Scenario) { c.SlowLost = true }),

		// Hangs.
		make("1 of 10 hangs 3 s, 200/s", 10, 200, fault(1, hangs), func(c *Scenario) { c.Timeout = 3 * s }),
		make("1 of 10 accepts and hangs 1 s, 200/s", 10, 200, fault(1, frozen), nil),
		make("1 of 10 accepts and hangs 3 s, 200/s", 10, 200, fault(1, frozen), func(c *Scenario) { c.Timeout = 3 * s }),
		make("1 of 5 accepts and hangs 1 s, 1/s", 5, 1, fault(1, frozen), func(c *Scenario) { c.Warmup, c.Length = minute, 10*minute }),
		make("10 processes in turn, 1 of 10 hangs 1 s", 10, 0, fault(1, frozen), func(c *Scenario) { c.Workers, c.Think = 10, 10*time.Millisecond }),

		// Comings and goings.
		make("1 of 10 flaps 1 s / 1 s, 1000/s", 10, 1000, flapping(1, refuses, s), nil),
		make("1 of 10 flaps 30 s / 30 s, 1000/s", 10, 1000, flapping(1, refuses, 30*s), func(c *Scenario) { c.Length = 4 * minute }),
		make("1 of 10 fails 100% for 20 s, 1000/s", 10, 1000, faultFor(1, State{Fail: 1}, 20*s), nil),
		make("1 of 10 refuses for 10 min, 200/s", 10, 200, faultFor(1, refuses, 10*minute), func(c *Scenario) { c.Length = 13 * minute }),
		make("1 of 10 fails 100% for 10 min, 200/s", 10, 200, faultFor(1, State{Fail: 1}, 10*minute), func(c *Scenario) { c.Length = 13 * minute }),
		make("rolling restart, 3 s each, 1000/s", 10, 1000, rolling(State{Mode: Refusing}, 3*s, 5*s), nil),

		// Differences that are no fault.
		make("deploy makes all 2x slower, 500/s", 10, 500, rollout(State{Slow: 2}, 5*s), nil),
		make("latency bimodal by nature, 500/s", 10, 500, well, func(c *Scenario) { c.Bimodal = true }),
		make("20% errors by nature, 1000/s", 10, 1000, well, func(c *Scenario) { c.Natural = 0.2 }),
		make("20% errors by nature, 5/s", 10, 5, well, func(c *Scenario) { c.Natural, c.Length = 0.2, time.Hour }),
		make("all become 5x slower at once, 500/s", 10, 500, fault(10, State{Slow: 5}), nil),
		make("all fail 10% for 60 s, 1000/s", 10, 1000, faultFor(10, State{Fail: 0.1}, minute), nil),

		// What callers do.
		make("callers report only failures, 1 of 10 refuses, 1000/s", 10, 1000, fault(1, refuses), func(c *Scenario) { c.FailuresOnly = true }),
		make("callers report only failures, 5% errors by nature, 1000/s", 10, 1000, well, func(c *Scenario) { c.FailuresOnly, c.Natural = true, 0.05 }),
		make("callers report only failures, 1 of 10 accepts and hangs 1 s, 200/s", 10, 200, fault(1, frozen), func(c *Scenario) { c.FailuresOnly = true }),
		make("no cost reported, 1 of 10 is 10x slower, 500/s", 10, 500, fault(1, State{Slow: 10}), func(c *Scenario) { c.NoCost, c.SlowLost = true, true }),
		make("reports come 3 s late, 1 of 10 refuses, 1000/s", 10, 1000, fault(1, refuses), func(c *Scenario) { c.ReportDelay = 3 * s }),
		make("reports come 3 s late, 1 of 10 hangs 1 s, 200/s", 10, 200, fault(1, hangs), func(c *Scenario) { c.ReportDelay = 3 * s }),
		make("no TCP, 1 of 10 is gone, 1000/s", 10, 1000, fault(1, refuses), func(c *Scenario) { c.NoTCP = true }),
		make("no TCP, 1 of 10 down 20 s, 1000/s", 10, 1000, faultFor(1, State{Fail: 1}, 20*s), func(c *Scenario) { c.NoTCP = true }),

		// Many agents, and hosts that can do no more.
		make("20 agents, 1 of 10 refuses, 2000/s", 10, 2000, fault(1, refuses), func(c *Scenario) { c.Agents = 20 }),
		make("20 agents, hosts at 75% of capacity, 2000/s", 10, 2000, well, func(c *Scenario) { c.Agents, c.Capacity = 20, 267 }),
		make("20 agents, at 75%, 1 of 10 down 20 s, 2000/s", 10, 2000, faultFor(1, refuses, 20*s), func(c *Scenario) { c.Agents, c.Capacity = 20, 267 }),
		make("hosts at 75% of capacity, 3 of 10 refuse, 1000/s", 10, 1000, fault(3, refuses), func(c *Scenario) { c.Capacity = 133 }),
		make("hosts at 95% of capacity, 1 of 10 fails 30%, 1000/s", 10, 1000, fault(1, State{Fail: 0.3}), func(c *Scenario) { c.Capacity = 105 }),
	}
}

// rolling puts one host after another into a state for down, each every later.
func rolling(st State, down, every time.Duration) func(int, time.Duration) State {
	return func(host int, at time.Duration) State {
		if from := time.Duration(host) * every; at >= from && at < from+down {
			return st
		}
		return State{}
	}
}

// rollout puts one host after another into a state for good.
func rollout(st State, every time.Duration) func(int, time.Duration) State {
	return func(host int, at time.Duration) State {
		if at >= time.Duration(host)*every {
			return st
		}
		return State{}
	}
}
