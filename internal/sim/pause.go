package sim

import "time"

// catchUp is how long a machine takes to do what it should have done while it
// stood still, as a part of that time.
const catchUp = 20

// awake is when something happens that is due at t: then, or soon after if the
// machine stands still. It never changes the order of things.
func (s *Scenario) awake(t time.Duration) time.Duration {
	if s.Pause == 0 || t < s.PauseEvery {
		return t
	}
	late := s.Pause / catchUp
	since := t % s.PauseEvery // the beginning of the last pause
	if since >= s.Pause+late {
		return t
	}
	return t - since + s.Pause + since*late/(s.Pause+late)
}
