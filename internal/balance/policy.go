package balance

import "time"

// policy decides which host a pick gets and which list a host is on. It owns
// the statistics of a host; the LoadBalance owns everything else. One policy
// value serves one LoadBalance and may keep state about the module as a whole.
type policy interface {
	// join prepares the statistics of a host that was added to the route. The
	// host is idle and on no list yet.
	join(h *host, now time.Duration)
	// pick chooses a host and puts it where it belongs for the next pick. It
	// is called with at least one host on the lists and returns nil when none
	// of them may be called now.
	pick(ls *lists, now time.Duration) *host
	// report learns how a call to h went, and may move hosts between the
	// lists. A cost of 0 is unknown.
	report(ls *lists, h *host, ok bool, cost, now time.Duration)
	// configure replaces the settings of all later decisions.
	configure(cfg *Config)
}
