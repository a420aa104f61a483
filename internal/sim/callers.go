package sim

import "time"

func callers() []Scenario {
	refuses, gone, frozen := State{Mode: Refusing}, State{Mode: Hanging}, State{Mode: Frozen}
	return []Scenario{
		newScenario("failures-only", "only failures reported, 1 of 10 refuses, 1000/s",
			"Callers that report no success: a rule that goes by shares sees nothing but failures.",
			10, 1000, fault(1, refuses), failuresOnly),
		newScenario("failures-only-5pct", "only failures reported, 5% by nature, 1000/s",
			"The same while nothing is wrong.",
			10, 1000, well, failuresOnly, natural(0.05)),
		newScenario("failures-only-freeze", "only failures reported, 1 of 10 accepts and hangs, 200/s",
			"No report may mean a success or a call that hangs.",
			10, 200, fault(1, frozen), failuresOnly),
		newScenario("no-cost-slow-10x", "no cost reported, 1 of 10 is 10x slower, 500/s",
			"How long a call took is not reported, so it has to be seen by when reports come.",
			10, 500, fault(1, State{Slow: 10}), noCost, slowLost),
		newScenario("late-3s", "reports 3 s late, 1 of 10 refuses, 1000/s",
			"Callers that report in batches: three seconds of calls go to a dead host before any can tell.",
			10, 1000, fault(1, refuses), late(3*time.Second)),
		newScenario("late-3s-hang", "reports 3 s late, 1 of 10 hangs 1 s, 200/s",
			"Late reports on calls that hang: reports that stay away say less.",
			10, 200, fault(1, gone), late(3*time.Second)),
		newScenario("pauses", "callers' machine pauses 200 ms each 10 s, 1000/s",
			"All calls under way take longer at once because the callers stood still: no host is to blame.",
			10, 1000, well, pauses(200*time.Millisecond, 10*time.Second)),
		newScenario("pauses-fail-30pct", "callers' machine pauses, 1 of 10 fails 30%, 1000/s",
			"A pause must not bring back a host that is out for a reason of its own.",
			10, 1000, fault(1, State{Fail: 0.3}), pauses(200*time.Millisecond, 10*time.Second)),
		newScenario("ten-processes", "10 processes in turn, 1 of 10 accepts and hangs",
			"Ten processes of a machine, each making one call after another: a host that hangs slows them all.",
			10, 0, fault(1, frozen), workers(10, 10*time.Millisecond)),
	}
}
