package sim

import "time"

func errorScenarios() []Scenario {
	return []Scenario{
		newScenario("fail-5pct", "1 of 10 fails 5%, 1000/s",
			"The less a host differs from its peers, the more calls it takes to be sure.",
			10, 1000, fault(1, State{Fail: 0.05})),
		newScenario("fail-10pct-slow-traffic", "1 of 10 fails 10%, 20/s",
			"Two calls a second tell little about a host that fails one in ten.",
			10, 20, fault(1, State{Fail: 0.1}), fewCalls),
		newScenario("fail-10pct-2of10", "2 of 10 fail 10%, 1000/s",
			"Two bad hosts raise what looks normal.",
			10, 1000, fault(2, State{Fail: 0.1})),
		newScenario("fail-30pct-stalls", "1 of 10 fails 30%, all stall at times, 1000/s",
			"All hosts are 10x slower for 100 ms each 10 s, say by what they share: one that is out for a reason of its own should stay out.",
			10, 1000, stalling(fault(1, State{Fail: 0.3}), 10, 100*time.Millisecond, 10*time.Second)),
		newScenario("slow-2x", "1 of 10 is 2x slower, 500/s",
			"Twice as slow as its peers, a host is hardly ever slow enough to matter.",
			10, 500, fault(1, State{Slow: 2}), slowLost),
		newScenario("slow-3x", "1 of 10 is 3x slower, 500/s",
			"At three times the usual latency, a third of a host's calls are slow ones.",
			10, 500, fault(1, State{Slow: 3}), slowLost),
		newScenario("slow-10x-2of10", "2 of 10 are 10x slower, 500/s",
			"Two slow hosts at once.",
			10, 500, fault(2, State{Slow: 10}), slowLost),
		newScenario("slow-10x-1of2", "1 of 2 is 10x slower, 50/s",
			"With two hosts there is no majority that says what is slow.",
			2, 50, fault(1, State{Slow: 10}), slowLost),
		newScenario("fail-100pct-no-tcp", "no TCP, 1 of 10 is gone, 1000/s",
			"Hosts that do not listen on TCP at all: checks of connections say nothing and must not be believed.",
			10, 1000, fault(1, State{Mode: Refusing}), noTCP),
		newScenario("fail-20s-no-tcp", "no TCP, 1 of 10 fails 100% for 20 s, 1000/s",
			"Without TCP a host that is back must be found by calls alone.",
			10, 1000, faultFor(1, State{Fail: 1}, 20*time.Second), noTCP),
	}
}
