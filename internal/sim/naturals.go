package sim

import "time"

func naturals() []Scenario {
	return []Scenario{
		newScenario("deploy-2x-slower", "a deploy makes all 2x slower, 500/s",
			"Host after host becomes slower for good: what is normal has to move along.",
			10, 500, rollout(State{Slow: 2}, 5*time.Second), blameless),
		newScenario("all-5x-slower", "all become 5x slower at once, 500/s",
			"What all hosts wait for has become slow: no host is to blame.",
			10, 500, fault(10, State{Slow: 5}), blameless),
		newScenario("bimodal", "latency is bimodal, 500/s",
			"One call in seven misses a cache and takes eight times as long, at every host.",
			10, 500, well, bimodal),
		newScenario("natural-20pct", "20% errors by nature, 1000/s",
			"A service whose callers often ask for what is not there.",
			10, 1000, well, natural(0.2)),
		newScenario("natural-20pct-slow-traffic", "20% errors by nature, 5/s",
			"The same for an hour at few calls, where runs of failures come about by chance.",
			10, 5, well, natural(0.2), length(time.Hour)),
		newScenario("all-fail-10pct", "all 10 fail 10% for 1 min, 1000/s",
			"What all hosts call fails now and then, for a while.",
			10, 1000, faultFor(10, State{Fail: 0.1}, time.Minute), blameless),
		newScenario("well-10h", "all well, 1% errors, 10 h at 1000/s",
			"Chance alone, for 36 million calls.",
			10, 1000, well, natural(0.01), length(10*time.Hour), takesLong),
	}
}
