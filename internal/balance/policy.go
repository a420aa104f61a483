package balance

import "time"

// policy decides which host a pick gets and which list a host is on. It owns
// the statistics of a host; the LoadBalance owns everything else. One policy
// value serves one LoadBalance and may keep state about the module as a whole.
type policy interface {
	// join prepares the statistics of a host that is idle and on no list yet.
	join(h *host, now time.Duration)
	// leave forgets a host that is about to be taken off its list.
	leave(h *host)
	// settle is called after the route or the weights have changed.
	settle(now time.Duration)
	// pick chooses a host and puts it where it belongs for the next pick. It
	// is called with at least one host in the route and returns nil when none
	// of them may be called now.
	pick(now time.Duration) *host
	// report learns how a call to h went, and may move hosts between the
	// lists. A cost of 0 is unknown.
	report(h *host, ok bool, cost, now time.Duration)
	// checked learns whether a TCP connection to h could be made.
	checked(h *host, ok bool, now time.Duration)
	// unchecked learns that a check of h came to nothing.
	unchecked(h *host, now time.Duration)
	// describe fills in what the policy knows about h.
	describe(h *host, v *HostView, now time.Duration)
	// mood is what the policy thinks of the module as a whole.
	mood(now time.Duration) Mood
	// configure replaces the settings of all later decisions.
	configure(cfg *Config)
}

// newPolicy makes the policy that cfg names, for the hosts on ls.
func newPolicy(cfg *Config, ls *lists, out *outbox, seed uint64) policy {
	if cfg.Policy == Adaptive {
		return newAdaptive(cfg, ls, out, seed)
	}
	return &classic{cfg: cfg, lists: ls, out: out}
}
