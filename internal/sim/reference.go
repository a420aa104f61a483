package sim

import "time"

// references are the scenarios that balancers are compared in most often.
func references() []Scenario {
	refuses, hangs := State{Mode: Refusing}, State{Mode: Hanging}
	return []Scenario{
		newScenario("refuse-1of10", "1 of 10 refuses, 1000/s",
			"A process died: its machine refuses connections at once, so a dead host looks like a quick one.",
			10, 1000, fault(1, refuses)),
		newScenario("hang-1of10", "1 of 10 hangs 1 s, 200/s",
			"A machine is gone: every call to it costs its caller a second, and is known to be lost only then.",
			10, 200, fault(1, hangs)),
		newScenario("hang-1of5-slow-traffic", "1 of 5 hangs 1 s, 1/s",
			"With a call a second each failure counts: rules that wait for several in a row wait for minutes.",
			5, 1, fault(1, hangs), fewCalls),
		newScenario("refuse-1of2", "1 of 2 refuses, 100/s",
			"Half of the hosts are gone: rules that keep out a small share of the hosts only cannot help.",
			2, 100, fault(1, refuses)),
		newScenario("refuse-1of100", "1 of 100 refuses, 1000/s",
			"Among many hosts a dead one gets few calls, and probes that are a share of the traffic give it more than its own.",
			100, 1000, fault(1, refuses)),
		newScenario("refuse-3of10", "3 of 10 refuse, 1000/s",
			"Several hosts die at once, as a rack does.",
			10, 1000, fault(3, refuses)),
		newScenario("fail-100pct", "1 of 10 fails 100%, 1000/s",
			"A host accepts connections and fails every call: a TCP check finds nothing wrong with it.",
			10, 1000, fault(1, State{Fail: 1})),
		newScenario("fail-30pct", "1 of 10 fails 30%, 1000/s",
			"A host fails now and then: there are hardly any long runs of failures to go by.",
			10, 1000, fault(1, State{Fail: 0.3})),
		newScenario("fail-10pct", "1 of 10 fails 10%, 1000/s",
			"A host fails seldom, yet two hundred times as often as its peers.",
			10, 1000, fault(1, State{Fail: 0.1})),
		newScenario("slow-10x", "1 of 10 is 10x slower, 500/s",
			"A host answers correctly and much too late: rules that look at failures alone see none.",
			10, 500, fault(1, State{Slow: 10}), slowLost),
		newScenario("flap-5s", "1 of 10 flaps 5 s / 5 s, 1000/s",
			"A host dies and comes back over and over: trusting it at once each time costs calls.",
			10, 1000, flapping(1, refuses, 5*time.Second)),
		newScenario("down-20s", "1 of 10 down 20 s, 1000/s",
			"A restart: a host is gone for a while and then well for good.",
			10, 1000, faultFor(1, refuses, 20*time.Second)),
		newScenario("all-fail-50pct", "all 10 fail 50% for 30 s, 1000/s",
			"What all hosts call is broken: none is worse than another, and refusing to name one loses more calls.",
			10, 1000, faultFor(10, State{Fail: 0.5}, 30*time.Second), blameless),
		newScenario("well-1pct", "all well, 1% errors, 1000/s",
			"Nothing is wrong: a host that is kept out is kept out by mistake.",
			10, 1000, well, natural(0.01)),
	}
}
