package inspect_test

import (
	"testing"

	"github.com/lars-lb/lars/internal/inspect"
)

func TestExplain(t *testing.T) {
	calm := inspect.Module{Policy: "adaptive", Mood: inspect.Calm}
	out := func(r inspect.Reason) inspect.Host { return inspect.Host{State: inspect.Overload, Reason: r} }
	in := func(change func(*inspect.Host)) inspect.Host {
		h := inspect.Host{State: inspect.Idle, TrafficShare: 1, RecentCalls: 50, Reason: inspect.Reason{Cause: "fresh"}}
		if change != nil {
			change(&h)
		}
		return h
	}
	for _, c := range []struct {
		host inspect.Host
		want string
	}{
		{inspect.Host{Drained: true, State: inspect.Overload}, "drained: weight 0"},
		{out(inspect.Reason{Cause: "failing", Bad: 5, Calls: 5, NormalBadShare: 0.002}), "failing: 5 of 5 calls bad, peers 0.2%"},
		{out(inspect.Reason{Cause: "failing", Bad: 1, Calls: 1, NormalBadShare: 0.1234}), "failing: 1 of 1 call bad, peers 12.3%"},
		{
			out(inspect.Reason{Cause: "degraded", Bad: 9, Calls: 71, NormalBadShare: 0.002, CostUS: 4000, PeerCostUS: 3000}),
			"degraded: 9 of 71 calls bad, peers 0.2%",
		},
		{
			out(inspect.Reason{Cause: "degraded", Bad: 20, Calls: 20, NormalBadShare: 0.0001, CostUS: 41_300, PeerCostUS: 3000}),
			"degraded: 20 of 20 calls bad, peers <0.1%; a call takes 41ms, peers 3ms",
		},
		{out(inspect.Reason{Cause: "hanging"}), "hanging: picks stay without report while peers' do not"},
		{out(inspect.Reason{Cause: "unreachable", Bad: 2, Calls: 2}), "unreachable: 2 of 2 calls bad and TCP connect failed"},
		{out(inspect.Reason{Cause: "blackout"}), "every host of the module fails: only a trickle is let through"},
		{out(inspect.Reason{Cause: "something new"}), "something new"},
		{
			inspect.Host{State: inspect.Overload, Reason: inspect.Reason{Cause: "failing", Bad: 5, Calls: 5}, TCPRefused: true},
			"failing: 5 of 5 calls bad, peers 0%; TCP connect fails",
		},
		{
			inspect.Host{State: inspect.Overload, Reason: inspect.Reason{Cause: "hanging"}, GoodProbes: 2, NeedProbes: 3},
			"hanging: picks stay without report while peers' do not; 2 of 3 good probes to return",
		},
		{in(nil), "ok"},
		{in(func(h *inspect.Host) { h.RecentCalls = 0 }), "ok: no calls reported yet"},
		{in(func(h *inspect.Host) { h.Reason.Cause = "recovered" }), "ok: back since its probes were good"},
		{in(func(h *inspect.Host) { h.Reason.Cause = "pardoned" }), "ok: let back in with the others, as most looked bad at once"},
		{in(func(h *inspect.Host) { h.Suspicion, h.Suspected, h.RunBad, h.RunCalls = 0.12, "failing", 1, 1 }), "ok"},
		{in(func(h *inspect.Host) { h.Suspicion, h.Suspected, h.RunBad, h.RunCalls = 0.453, "degraded", 3, 20 }), "suspicious 45%: 3 of 20 calls bad"},
		{
			in(func(h *inspect.Host) {
				h.Suspicion, h.Suspected, h.RunBad, h.RunCalls, h.TCPRefused = 0.6, "failing", 3, 3, true
			}),
			"suspicious 60%: 3 of 3 calls bad; TCP connect failed",
		},
		{in(func(h *inspect.Host) { h.Suspicion, h.Suspected = 0.5, "hanging" }), "suspicious 50%: picks stay without report"},
		{
			in(func(h *inspect.Host) { h.Suspicion, h.Suspected, h.RunCalls, h.TrafficShare = 0.42, "failing", 4, 0.4 }),
			"back: probes were good, its share grows; watched since its return",
		},
		{inspect.Host{State: inspect.Idle, Classic: &inspect.Classic{Succ: 117, Err: 3}}, "ok: 3 of 120 calls bad in this window"},
		{inspect.Host{State: inspect.Overload, Classic: &inspect.Classic{}}, "too many calls failed; since then no call was reported"},
		{inspect.Host{State: inspect.Overload, Classic: &inspect.Classic{Succ: 3, Err: 1}}, "too many calls failed; since then 1 of 4 calls failed"},
	} {
		if got := inspect.Explain(&calm, &c.host); got != c.want {
			t.Errorf("%q, want %q", got, c.want)
		}
	}
	shared := inspect.Module{Mood: inspect.SharedCause}
	h := in(func(h *inspect.Host) { h.Suspicion, h.Suspected, h.RunBad, h.RunCalls = 1, "failing", 30, 30 })
	if got, want := inspect.Explain(&shared, &h), "suspicious 100%: 30 of 30 calls bad; not ejected, as most hosts looked bad at once"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

func TestFormats(t *testing.T) {
	for us, want := range map[int64]string{
		-1: "-", 0: "-", 7: "7µs", 999: "999µs", 1234: "1.23ms", 12_345: "12ms", 999_499: "999ms", 1_234_567: "1.23s",
	} {
		if got := inspect.Micros(us); got != want {
			t.Errorf("%d µs is %q, want %q", us, got, want)
		}
	}
	for ms, want := range map[int64]string{
		0: "0s", 5: "5ms", 999: "999ms", 1234: "1.2s", 12_345: "12s", 754_321: "12m34s", 5 * 3_600_000: "5h0m",
		49 * 3_600_000: "2d",
	} {
		if got := inspect.Millis(ms); got != want {
			t.Errorf("%d ms is %q, want %q", ms, got, want)
		}
	}
	for share, want := range map[float64]string{0: "0%", 0.0001: "<0.1%", 0.002: "0.2%", 0.4567: "45.7%", 1: "100%"} {
		if got := inspect.Percent(share); got != want {
			t.Errorf("%v is %q, want %q", share, got, want)
		}
	}
}
