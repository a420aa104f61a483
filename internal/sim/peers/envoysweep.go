package peers

import (
	"math"
	"time"
)

// advance runs the sweeps that are due. The timer starts with the first call.
func (e *envoy) advance(now time.Duration) {
	if !e.started {
		e.started = true
		e.nextSweep = now + envoyInterval
	}
	for now >= e.nextSweep {
		e.sweep(e.nextSweep)
		e.nextSweep += envoyInterval
	}
}

// sweep is DetectorImpl::onIntervalTimer, except that outliers are ejected
// before hosts return. The documentation leaves the order open; the source has
// it the other way round. There, a healthy host with two failures more than
// most takes the place that a dead host leaves, and bars it from being ejected
// again: of 1000 calls a second to ten hosts, thousands are lost where it
// happens and a dozen where it does not. The order here is the one in which
// Envoy loses fewer.
func (e *envoy) sweep(now time.Duration) {
	e.ejectOutliers(now)
	for _, i := range e.order {
		h := &e.hosts[i]
		if h.ejected && now-h.since >= min(time.Duration(h.multiplier)*envoyBaseEjection, envoyMaxEjection) {
			h.ejected = false
			h.returned = true
			h.since = now
			h.run = 0
			e.healthy.join(i)
		}
	}
	for i := range e.hosts {
		h := &e.hosts[i]
		if !h.ejected && h.returned && now-h.since >= envoyInterval && h.multiplier > 0 {
			h.multiplier--
		}
		h.calls, h.ok = 0, 0
	}
}

// ejectOutliers ejects the hosts whose success rate since the last sweep is
// low beside that of the others.
func (e *envoy) ejectOutliers(now time.Duration) {
	var n int
	var sum, squares float64
	for i := range e.hosts {
		if h := &e.hosts[i]; h.rated() {
			n++
			sum += h.rate()
		}
	}
	if n < envoyRateHosts {
		return
	}
	mean := sum / float64(n)
	for i := range e.hosts {
		if h := &e.hosts[i]; h.rated() {
			squares += (h.rate() - mean) * (h.rate() - mean)
		}
	}
	threshold := mean - envoyRateStdev*math.Sqrt(squares/float64(n))
	for _, i := range e.order {
		if h := &e.hosts[i]; h.rated() && h.rate() < threshold {
			e.eject(i, now)
		}
	}
}

// rated reports whether h takes part in the comparison of success rates.
func (h *envoyHost) rated() bool { return !h.ejected && h.calls >= envoyRateVolume }

// rate is in percent, as in Envoy: the scale has a part in the rounding.
func (h *envoyHost) rate() float64 { return float64(h.ok) * 100 / float64(h.calls) }
