package sim

import "time"

func comings() []Scenario {
	const (
		s      = time.Second
		minute = time.Minute
	)
	refuses, gone, fails := State{Mode: Refusing}, State{Mode: Hanging}, State{Fail: 1}
	return []Scenario{
		newScenario("flap-1s", "1 of 10 flaps 1 s / 1 s, 1000/s",
			"A host that is up for a second at a time passes a few probes and is dead again.",
			10, 1000, flapping(1, refuses, s)),
		newScenario("flap-30s", "1 of 10 flaps 30 s / 30 s, 1000/s",
			"A host that is well for half a minute each time is worth using.",
			10, 1000, flapping(1, refuses, 30*s), length(4*minute)),
		newScenario("fail-20s", "1 of 10 fails 100% for 20 s, 1000/s",
			"A short outage that only calls can see the end of.",
			10, 1000, faultFor(1, fails, 20*s)),
		newScenario("hang-20s", "1 of 10 hangs 1 s for 20 s, 200/s",
			"A short outage in which each try costs a second.",
			10, 200, faultFor(1, gone, 20*s)),
		newScenario("down-10min", "1 of 10 refuses for 10 min, 200/s",
			"Tries become rare during a long outage; the host must still be found soon after.",
			10, 200, faultFor(1, refuses, 10*minute), length(13*minute)),
		newScenario("hang-10min", "1 of 10 hangs 1 s for 10 min, 200/s",
			"A long outage in which each try costs a second.",
			10, 200, faultFor(1, gone, 10*minute), length(13*minute)),
		newScenario("fail-10min", "1 of 10 fails 100% for 10 min, 200/s",
			"A long outage in which each try is a call lost.",
			10, 200, faultFor(1, fails, 10*minute), length(13*minute)),
		newScenario("rolling-restart", "all 10 restart in turn, 3 s each, 1000/s",
			"Each host is gone for three seconds, five seconds after the one before: a deploy.",
			10, 1000, rolling(refuses, 3*s, 5*s)),
	}
}
