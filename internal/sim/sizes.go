package sim

import "time"

func sizes() []Scenario {
	refuses := State{Mode: Refusing}
	return []Scenario{
		newScenario("refuse-1of1-30s", "1 of 1 refuses for 30 s, 100/s",
			"There is no other host to turn to, so what counts is to use it again as soon as it is back.",
			1, 100, faultFor(1, refuses, 30*time.Second)),
		newScenario("refuse-1of3", "1 of 3 refuses, 100/s",
			"A small service loses a third of its hosts.",
			3, 100, fault(1, refuses)),
		newScenario("refuse-2of3", "2 of 3 refuse, 100/s",
			"Most hosts of a small service die: what most hosts do is no longer what is normal.",
			3, 100, fault(2, refuses)),
		newScenario("refuse-1of12", "1 of 12 refuses, 1000/s",
			"From twelve hosts on, one probe in eleven picks gives a dead host more than its fair share.",
			12, 1000, fault(1, refuses)),
		newScenario("refuse-10of1000", "10 of 1000 refuse, 5000/s",
			"A large service: each host gets five calls a second, and deciding must not slow down with their number.",
			1000, 5000, fault(10, refuses)),
		newScenario("refuse-1of10-50k", "1 of 10 refuses, 50000/s",
			"Much traffic: a rule that lets a share of it through for probing lets very many calls through.",
			10, 50_000, fault(1, refuses), length(20*time.Second)),
		newScenario("refuse-1of10-slow-traffic", "1 of 10 refuses, 1/s",
			"A host is called once in ten seconds, so it is long before it has failed often.",
			10, 1, fault(1, refuses), fewCalls),
		newScenario("refuse-1of10-after-calm", "1 of 10 refuses after 5 min, 1000/s",
			"Minutes of calm must not slow the reaction, nor use up the places that a rule has for hosts kept out.",
			10, 1000, fault(1, refuses), warmup(5*time.Minute)),
		newScenario("refuse-9of10", "9 of 10 refuse, 1000/s",
			"One host is left, and it is the only one worth calling.",
			10, 1000, fault(9, refuses)),
		newScenario("refuse-all-20s", "all 10 refuse for 20 s, 1000/s",
			"No call can succeed for a while; then all hosts are back and must be found at once.",
			10, 1000, faultFor(10, refuses, 20*time.Second)),
		newScenario("zone-gone", "10 of 30 hang 1 s, 1000/s",
			"One zone of three is cut off: ten hosts vanish at the same moment.",
			30, 1000, fault(10, State{Mode: Hanging})),
	}
}
