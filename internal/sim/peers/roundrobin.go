package peers

import "time"

// roundRobin takes every host in turn, whatever becomes of the calls.
type roundRobin struct{ hosts rotation }

// NewRoundRobin takes n hosts in turn and learns nothing.
func NewRoundRobin(n int) Balancer { return &roundRobin{newRotation(n)} }

func (r *roundRobin) Pick(time.Duration) (int, bool) { return r.hosts.pick() }

func (*roundRobin) Report(int, bool, time.Duration, time.Duration) {}
