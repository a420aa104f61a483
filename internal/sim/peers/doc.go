// Package peers holds the balancing rules that Lars is compared with: those of
// other load balancers, each written from its own documentation with its own
// documented defaults, and an oracle that knows the truth. They exist for
// comparison only; no daemon uses them.
//
// Every algorithm has the same two methods, the shape of what Lars offers its
// callers; those that keep hosts out of the traffic also have an Out that says
// which. Hosts are numbered from 0. Time is a parameter: now never decreases.
// Nothing here does I/O, reads a clock or is safe for concurrent use; what is
// random comes from a seed.
package peers

import "time"

// Balancer is one algorithm that decides for one module on one machine.
type Balancer interface {
	// Pick returns the host of the next call, or false when it refuses to
	// name one.
	Pick(now time.Duration) (host int, ok bool)
	// Report tells how a call to host ended. cost is how long it took.
	Report(host int, ok bool, cost, now time.Duration)
}
