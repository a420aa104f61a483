package balance

import "time"

// policy decides which host a pick gets and which list a host is on. It owns
// what is known about the hosts; the LoadBalance owns everything else. One
// policy value serves one LoadBalance and may keep state about the module as a
// whole. Hosts are named by their slots.
type policy interface {
	// relocate learns that the hosts have got other slots: to has the new one
	// of each old slot, none for a host that is gone, and there are n now.
	relocate(to []slot, n int)
	// join prepares the statistics of a host that is idle and on no list yet.
	join(i slot, now time.Duration)
	// leave forgets a host that is about to be taken off its list.
	leave(i slot)
	// settle is called after the route or the weights have changed.
	settle(now time.Duration)
	// pick chooses a host and puts it where it belongs for the next pick. It
	// is called with at least one host in the route and returns none when none
	// of them may be called now.
	pick(now time.Duration) slot
	// report learns how a call to a host went, and may move hosts between the
	// lists. A cost of 0 is unknown.
	report(i slot, ok bool, cost, now time.Duration)
	// checked learns whether a TCP connection to a host could be made.
	checked(i slot, ok bool, now time.Duration)
	// unchecked learns that a check of a host came to nothing.
	unchecked(i slot, now time.Duration)
	// describe fills in what the policy knows about a host.
	describe(i slot, v *HostView, now time.Duration)
	// mood is what the policy thinks of the module as a whole.
	mood(now time.Duration) Mood
	// configure learns that there are other settings for all later decisions.
	configure()
}

// shared is what a LoadBalance shares with its policy.
type shared struct {
	lists lists
	out   *outbox // nil while there was nothing to put in
	cfg   *Config
}

// newPolicy makes the policy that the settings name, for the hosts of s.
func newPolicy(s *shared, seed uint64) policy {
	if s.cfg.Policy == Adaptive {
		return newAdaptive(s, seed)
	}
	return newClassic(s)
}
