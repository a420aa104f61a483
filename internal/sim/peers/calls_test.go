package peers

import (
	"slices"
	"time"
)

// report reports quick calls to host: '.' is a success, 'x' a failure.
func report(b Balancer, host int, results string, now time.Duration) {
	for _, r := range results {
		b.Report(host, r == '.', time.Millisecond, now)
	}
}

// picked are the hosts that n picks name, in order of their numbers. Refusals
// are left out.
func picked(b Balancer, n int, now time.Duration) []int {
	var hosts []int
	for range n {
		if h, ok := b.Pick(now); ok {
			hosts = append(hosts, h)
		}
	}
	slices.Sort(hosts)
	return slices.Compact(hosts)
}

// uses reports whether b names host within n picks.
func uses(b Balancer, host, n int, now time.Duration) bool {
	return slices.Contains(picked(b, n, now), host)
}
