package peers

import "time"

// oracle is the bound of what a balancer can reach: it takes in turn the hosts
// that are good, which no balancer can know.
type oracle struct {
	n, next int
	good    func(host int, now time.Duration) bool
}

// NewOracle takes in turn those of n hosts that good reports to be good at the
// time of the pick, and all of them when none is. A pick asks good about every
// host at most once.
func NewOracle(n int, good func(host int, now time.Duration) bool) Balancer {
	return &oracle{n: n, good: good}
}

func (o *oracle) Pick(now time.Duration) (int, bool) {
	if o.n == 0 {
		return 0, false
	}
	for range o.n {
		if h := o.turn(); o.good(h, now) {
			return h, true
		}
	}
	return o.turn(), true
}

func (*oracle) Report(int, bool, time.Duration, time.Duration) {}

func (o *oracle) turn() int {
	h := o.next
	o.next = (o.next + 1) % o.n
	return h
}
