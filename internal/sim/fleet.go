package sim

import "time"

// Where capacity is limited the oracle is no bound: it never calls a host that
// is not well, even if the others cannot take more.
func fleet() []Scenario {
	refuses := State{Mode: Refusing}
	return []Scenario{
		newScenario("agents-20", "20 agents, 1 of 10 refuses, 2000/s",
			"Each agent has to find out by itself, with a twentieth of the calls.",
			10, 2000, fault(1, refuses), agents(20)),
		newScenario("agents-100-start", "100 agents start at once, 2000/s",
			"Agents that begin at the same host would overrun it.",
			10, 2000, well, agents(100), warmup(0), length(time.Minute)),
		newScenario("agents-100-recovery", "100 agents, 1 of 10 down 20 s, 2000/s",
			"Agents that all find a host to be back must not all call it at once.",
			10, 2000, faultFor(1, refuses, 20*time.Second), agents(100)),
		newScenario("capacity-75pct", "20 agents, hosts at 75% of capacity, 2000/s",
			"Hosts that queue: agents that take turns out of step must not overload one.",
			10, 2000, well, agents(20), capacity(267)),
		newScenario("capacity-75pct-down-20s", "20 agents, 75% of capacity, 1 of 10 down 20 s, 2000/s",
			"The others are at 83% of their capacity meanwhile, and the host that is back must not be flooded.",
			10, 2000, faultFor(1, refuses, 20*time.Second), agents(20), capacity(267)),
		newScenario("capacity-exceeded", "75% of capacity, 3 of 10 refuse, 1000/s",
			"The hosts that are left cannot take all calls: what is overloaded must not be taken for dead.",
			10, 1000, fault(3, refuses), capacity(133)),
		newScenario("capacity-95pct", "95% of capacity, 1 of 10 fails 30%, 1000/s",
			"Keeping a bad host out overloads the others: it would be better to use it.",
			10, 1000, fault(1, State{Fail: 0.3}), capacity(105)),
	}
}
