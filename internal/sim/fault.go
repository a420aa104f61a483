package sim

import "time"

// States are what hosts are like, by host and by the time since the fault,
// which is negative before it.
type States func(host int, at time.Duration) State

func well(int, time.Duration) State { return State{} }

// fault puts the first hosts into a state for good.
func fault(first int, st State) States { return faultFor(first, st, 1<<62) }

// faultFor puts the first hosts into a state for some time.
func faultFor(first int, st State, d time.Duration) States {
	return func(host int, at time.Duration) State {
		if host < first && at >= 0 && at < d {
			return st
		}
		return State{}
	}
}

// flapping has the first hosts alternate between a state and being well, d
// each.
func flapping(first int, st State, d time.Duration) States {
	return func(host int, at time.Duration) State {
		if host < first && at >= 0 && at/d%2 == 0 {
			return st
		}
		return State{}
	}
}

// stalling has all hosts slow for d, once in every, beside what they are
// anyway.
func stalling(states States, slow float64, d, every time.Duration) States {
	return func(host int, at time.Duration) State {
		st := states(host, at)
		if at >= every && at%every < d {
			st.Slow = slow
		}
		return st
	}
}

// rolling puts one host after another into a state for down, the next one
// every later.
func rolling(st State, down, every time.Duration) States {
	return func(host int, at time.Duration) State {
		if from := time.Duration(host) * every; at >= from && at < from+down {
			return st
		}
		return State{}
	}
}

// rollout puts one host after another into a state for good, the next one
// every later.
func rollout(st State, every time.Duration) States {
	return func(host int, at time.Duration) State {
		if at >= time.Duration(host)*every {
			return st
		}
		return State{}
	}
}
