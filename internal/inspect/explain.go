package inspect

import (
	"fmt"
	"math"
	"strings"
	"time"
)

// Causes, as the agent writes them.
const (
	causeFailing     = "failing"
	causeDegraded    = "degraded"
	causeHanging     = "hanging"
	causeUnreachable = "unreachable"
	causeRecovered   = "recovered"
	causePardoned    = "pardoned"
	causeBlackout    = "blackout"
)

// worthTelling is the suspicion from which on an idle host's is told of: two or
// three bad calls in a row.
const worthTelling = 0.25

// Explain says in words why a host gets calls or does not, with the numbers
// that decided.
func Explain(m *Module, h *Host) string {
	switch {
	case h.Drained:
		return "drained: weight 0"
	case h.Classic != nil && h.State == Overload:
		return explainOverload(h.Classic)
	case h.Classic != nil:
		return fmt.Sprintf("ok: %s in this window", ofCalls(h.Classic.Err, h.Classic.Succ+h.Classic.Err))
	case h.State == Overload:
		return explainOut(h)
	default:
		return explainIn(m, h)
	}
}

func explainOverload(c *Classic) string {
	why := "too many calls failed; since then "
	if c.Succ+c.Err == 0 {
		return why + "no call was reported"
	}
	return fmt.Sprintf("%s%d of %s failed", why, c.Err, count(c.Succ+c.Err))
}

// explainOut is why a host is out.
func explainOut(h *Host) string {
	r := &h.Reason
	why := r.Cause
	switch r.Cause {
	case causeFailing, causeDegraded:
		why = fmt.Sprintf("%s: %s, peers %s", r.Cause, ofCalls(r.Bad, r.Calls), Percent(r.NormalBadShare))
		if isSlow(r.CostUS, r.PeerCostUS) {
			why += fmt.Sprintf("; a call takes %s, peers %s", Micros(r.CostUS), Micros(r.PeerCostUS))
		}
	case causeHanging:
		why = "hanging: picks stay without report while peers' do not"
	case causeUnreachable:
		why = fmt.Sprintf("unreachable: %s and TCP connect failed", ofCalls(r.Bad, r.Calls))
	case causeBlackout:
		why = "every host of the module fails: only a trickle is let through"
	}
	switch {
	case h.GoodProbes > 0:
		why += fmt.Sprintf("; %d of %d good probes to return", h.GoodProbes, h.NeedProbes)
	case h.TCPRefused && r.Cause != causeUnreachable:
		why += "; TCP connect fails"
	}
	return why
}

// explainIn is why a host is in, and what may speak against it.
func explainIn(m *Module, h *Host) string {
	var why []string
	if h.TrafficShare < 1 {
		why = append(why, "back: probes were good, its share grows")
	}
	if h.Suspicion >= worthTelling {
		switch {
		case h.Suspected == causeHanging:
			why = append(why, fmt.Sprintf("suspicious %s: picks stay without report", whole(h.Suspicion)))
		case h.RunBad > 0:
			why = append(why, fmt.Sprintf("suspicious %s: %s", whole(h.Suspicion), ofCalls(h.RunBad, h.RunCalls)))
		default:
			why = append(why, "watched since its return")
		}
		if h.TCPRefused {
			why = append(why, "TCP connect failed")
		}
		if m.Mood == SharedCause {
			why = append(why, "not ejected, as most hosts looked bad at once")
		}
	}
	if len(why) > 0 {
		return strings.Join(why, "; ")
	}
	switch {
	case h.Reason.Cause == causeRecovered:
		return "ok: back since its probes were good"
	case h.Reason.Cause == causePardoned:
		return "ok: let back in with the others, as most looked bad at once"
	case h.RecentCalls == 0:
		return "ok: no calls reported yet"
	}
	return "ok"
}

// isSlow is the rule by which a call counts as bad for the time that it took.
func isSlow(us, peers int64) bool { return peers > 0 && us > 3*peers+5000 }

func ofCalls(bad, calls uint32) string { return fmt.Sprintf("%d of %s bad", bad, count(calls)) }

func count(calls uint32) string {
	if calls == 1 {
		return "1 call"
	}
	return fmt.Sprintf("%d calls", calls)
}

// whole formats a share without digits behind the point.
func whole(share float64) string { return fmt.Sprintf("%.0f%%", 100*share) }

// Percent formats a share with three significant digits at most.
func Percent(share float64) string {
	percent := math.Round(1000*share) / 10
	if percent == 0 && share > 0 {
		return "<0.1%"
	}
	return fmt.Sprintf("%g%%", percent)
}

// Micros formats a number of microseconds.
func Micros(us int64) string {
	d := time.Duration(us) * time.Microsecond
	switch {
	case us <= 0:
		return "-"
	case d < time.Millisecond:
		return d.String()
	case d < 10*time.Millisecond:
		return d.Round(10 * time.Microsecond).String()
	case d < time.Second:
		return d.Round(time.Millisecond).String()
	default:
		return d.Round(10 * time.Millisecond).String()
	}
}

// Millis formats a number of milliseconds, the finer the shorter it is.
func Millis(ms int64) string {
	d := time.Duration(ms) * time.Millisecond
	switch {
	case d < time.Second:
		return d.String()
	case d < 10*time.Second:
		return d.Round(100 * time.Millisecond).String()
	case d < time.Hour:
		return d.Round(time.Second).String()
	case d < 48*time.Hour:
		return strings.TrimSuffix(d.Round(time.Minute).String(), "0s")
	default:
		return fmt.Sprintf("%dd", d/(24*time.Hour))
	}
}
