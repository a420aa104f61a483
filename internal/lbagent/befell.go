package lbagent

import (
	"sync/atomic"

	"github.com/lars-lb/lars/internal/balance"
	"github.com/lars-lb/lars/internal/route"
)

// BefellStats counts what befell hosts and modules, by cause.
type BefellStats struct {
	Ejected  map[string]uint64 `json:"ejected"`  // hosts that get no more calls but for probes
	Returned map[string]uint64 `json:"returned"` // hosts that are back
	Modules  map[string]uint64 `json:"modules"`  // what befell modules as a whole
}

// befellCounters is BefellStats as RouteLBs write it, by balance.Cause.
type befellCounters struct {
	ejected, returned, modules [balance.Blackout + 1]atomic.Uint64
}

func (c *befellCounters) count(e *balance.Event) {
	switch {
	case e.Host == (route.Host{}):
		c.modules[e.Reason.Cause].Add(1)
	case e.State == balance.Overload:
		c.ejected[e.Reason.Cause].Add(1)
	default:
		c.returned[e.Reason.Cause].Add(1)
	}
}

func (c *befellCounters) snapshot() BefellStats {
	return BefellStats{
		Ejected:  byCause(&c.ejected, balance.Counted, balance.Failing, balance.Degraded, balance.Hanging, balance.Unreachable),
		Returned: byCause(&c.returned, balance.Counted, balance.Recovered, balance.Pardoned),
		Modules:  byCause(&c.modules, balance.SharedCause, balance.Blackout, balance.Recovered),
	}
}

// byCause names counters: the usual ones from the beginning, so that it is seen
// when one grows from 0, and whatever else was counted.
func byCause(counters *[balance.Blackout + 1]atomic.Uint64, usual ...balance.Cause) map[string]uint64 {
	named := make(map[string]uint64)
	for _, cause := range usual {
		named[cause.String()] = 0
	}
	for i := range counters {
		if n := counters[i].Load(); n > 0 {
			named[balance.Cause(i).String()] = n
		}
	}
	return named
}
