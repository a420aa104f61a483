package sim

import "time"

func hangs() []Scenario {
	gone, frozen := State{Mode: Hanging}, State{Mode: Frozen}
	return []Scenario{
		newScenario("hang-1of10-3s", "1 of 10 hangs 3 s, 200/s",
			"The longer callers wait, the more calls are under way to a dead host before the first one has failed.",
			10, 200, fault(1, gone), timeout(3*time.Second)),
		newScenario("freeze-1of10", "1 of 10 accepts and hangs 1 s, 200/s",
			"A stuck process: connections are made, answers never come, and a TCP check finds nothing.",
			10, 200, fault(1, frozen)),
		newScenario("freeze-1of10-3s", "1 of 10 accepts and hangs 3 s, 200/s",
			"The same with patient callers.",
			10, 200, fault(1, frozen), timeout(3*time.Second)),
		newScenario("freeze-1of5-slow-traffic", "1 of 5 accepts and hangs 1 s, 1/s",
			"A stuck process at a call a second, where each probe is a call lost.",
			5, 1, fault(1, frozen), fewCalls),
	}
}
