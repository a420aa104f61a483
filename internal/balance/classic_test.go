package balance_test

import (
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/balance"
)

// The defaults matter to the numbers below: probe_num 10, init_succ_cnt 180,
// init_err_cnt 5, err_rate 0.1, succ_rate 0.5, limits of runs 15, window
// error rate 0.7, both timeouts 15 s.

const (
	window = 15 * time.Second
	tick   = time.Nanosecond
)

// noRuns keeps runs from deciding, so that rates do.
func noRuns(c *balance.Config) { c.ContinErrLimit, c.ContinSuccLimit = 1_000_000, 1_000_000 }

// noRates keeps the shares from deciding, so that runs and windows do.
func noRates(c *balance.Config) { c.ErrRate, c.SuccRate = 1, 1 }

func onlyWindows(c *balance.Config) { noRuns(c); noRates(c) }

func TestClassicPick(t *testing.T) {
	for _, s := range []scenario{
		{name: "no hosts", steps: []step{picks("000")}},
		{name: "one idle host", hosts: "A", steps: []step{picks("AAA")}},
		{name: "idle hosts in turn", hosts: "ABC", steps: []step{picks("ABCABCA")}},
		{name: "hosts in the order of the route, not of addresses", hosts: "CAB", steps: []step{picks("CABCAB")}},
		{name: "no probe while nothing is overloaded, however many picks", hosts: "AB", steps: []step{
			picks("ABABABABABABABABABABABABAB"),
			fail(15, 'B', "Ab"),
			picks("AAAAAAAAAA" + "B"),
		}},
		{name: "a probe each 11th pick, and only the probe", hosts: "AB", steps: []step{
			fail(15, 'A', "aB"),
			picks("BBBBBBBBBB" + "A" + "BBBBBBBBBB" + "A" + "B"),
		}},
		{name: "probes take overloaded hosts in turn", hosts: "ABC", steps: []step{
			fail(15, 'A', "aBC"),
			fail(15, 'C', "aBc"),
			picks("BBBBBBBBBB" + "A" + "BBBBBBBBBB" + "C" + "BBBBBBBBBB" + "A"),
		}},
		{name: "idle hosts keep their turn across a probe", hosts: "ABC", steps: []step{
			fail(15, 'C', "ABc"),
			picks("ABABABABAB" + "C" + "AB"),
		}},
		{name: "all overloaded: refused until a probe is due", hosts: "AB", steps: []step{
			fail(15, 'A', "aB"),
			fail(15, 'B', "ab"),
			picks("----------" + "A" + "----------" + "B" + "----------" + "A" + "-"),
		}},
		{name: "access goes on counting when the last idle host falls", hosts: "AB", steps: []step{
			fail(15, 'A', "aB"),
			picks("BBBBBB"),
			fail(15, 'B', "ab"),
			picks("----" + "A"),
		}},
		{name: "access goes on counting when a host comes back", hosts: "AB", steps: []step{
			fail(15, 'A', "aB"),
			fail(15, 'B', "ab"),
			picks("-------"),
			ok(6, 'B', "aB"),
			picks("BBB" + "A"),
		}},
		{name: "access stands still while nothing is overloaded", hosts: "AB", steps: []step{
			fail(15, 'A', "aB"),
			picks("BBBB"),
			ok(6, 'A', "AB"),
			picks("BABABABABABABABABA"),
			fail(15, 'A', "aB"),
			picks("BBBBBB" + "A"),
		}},
		{name: "a probe that was due waits for the next overloaded host", hosts: "AB", steps: []step{
			fail(15, 'A', "aB"),
			picks("BBBBBBBBBB"),
			ok(6, 'A', "AB"),
			picks("BABA"),
			fail(15, 'B', "Ab"),
			picks("B" + "AAAAAAAAAA" + "B"),
		}},
		{name: "probe_num 1", hosts: "AB", set: func(c *balance.Config) { c.ProbeNum = 1 }, steps: []step{
			fail(15, 'A', "aB"),
			picks("BABABA"),
			fail(15, 'B', "ab"),
			picks("-A-B-A"),
		}},
		{name: "a host that falls goes to the tail of the overload list", hosts: "ABC", steps: []step{
			fail(15, 'B', "AbC"),
			fail(15, 'A', "abC"),
			fail(15, 'C', "abc"),
			picks("----------B----------A----------C"),
		}},
		{name: "a host that returns goes to the tail of the idle list", hosts: "ABC", steps: []step{
			fail(15, 'A', "aBC"),
			ok(6, 'A', "ABC"),
			picks("BCA"),
		}},
		{name: "a report moves no host within its list", hosts: "ABC", steps: []step{
			fail(3, 'A', "ABC"), ok(3, 'B', "ABC"), picks("ABC"),
		}},
		{name: "a new window moves no host within its list", hosts: "ABC", steps: []step{
			at(window), ok(1, 'A', "ABC"), stats('A', window, 180, 0, 0, 0, 0, 0), picks("ABC"),
		}},
	} {
		t.Run(s.name, s.run)
	}
}

func TestClassicReportIdle(t *testing.T) {
	for _, s := range []scenario{
		{name: "successes are counted", hosts: "A", steps: []step{
			ok(3, 'A', "A"), stats('A', 0, 183, 0, 3, 0, 3, 0),
		}},
		{name: "failures are counted and break a run", hosts: "A", steps: []step{
			ok(3, 'A', "A"), fail(2, 'A', "A"), stats('A', 0, 183, 2, 3, 2, 0, 2),
			ok(1, 'A', "A"), stats('A', 0, 184, 2, 4, 2, 1, 0),
		}},
		// 20/(180+20) is exactly 0.1.
		{name: "exactly at err_rate stays, above falls", set: noRuns, hosts: "AB", steps: []step{
			fail(20, 'A', "AB"), fail(1, 'A', "aB"), stats('A', 0, 0, 5, 0, 0, 0, 0),
		}},
		{name: "a success between failures counts against the rate", set: noRuns, hosts: "AB", steps: []step{
			ok(9, 'A', "AB"), fail(21, 'A', "AB"), stats('A', 0, 189, 21, 9, 21, 0, 21), fail(1, 'A', "aB"),
		}},
		// A rate with no exact binary form: 30/(70+30) is exactly 0.3.
		{name: "exactly at a rate of 0.3", hosts: "A", set: func(c *balance.Config) {
			noRuns(c)
			c.InitSuccCnt, c.ErrRate = 70, 0.3
		}, steps: []step{fail(30, 'A', "A"), fail(1, 'A', "a")}},
		{name: "no credit: the first failure decides", hosts: "A", set: func(c *balance.Config) { c.InitSuccCnt = 0 },
			steps: []step{fail(1, 'A', "a")}},
		{name: "err_rate 1 never decides", hosts: "A", set: func(c *balance.Config) { onlyWindows(c); c.InitSuccCnt = 0 },
			steps: []step{fail(1000, 'A', "A")}},
		{name: "err_rate 0: any failure decides", hosts: "A", set: func(c *balance.Config) { c.ErrRate = 0 },
			steps: []step{fail(1, 'A', "a")}},

		{name: "one below contin_err_limit stays, at the limit falls", hosts: "AB", steps: []step{
			fail(14, 'A', "AB"), stats('A', 0, 180, 14, 0, 14, 0, 14), fail(1, 'A', "aB"),
		}},
		{name: "a success starts the run again", set: noRates, hosts: "AB", steps: []step{
			fail(14, 'A', "AB"), ok(1, 'A', "AB"), fail(14, 'A', "AB"), ok(1, 'A', "AB"), fail(14, 'A', "AB"), fail(1, 'A', "aB"),
		}},
		{name: "contin_err_limit 1", hosts: "A", set: func(c *balance.Config) { c.ContinErrLimit = 1 }, steps: []step{
			fail(1, 'A', "a"),
		}},

		// The window decides on real calls alone.
		{name: "a window that has not expired decides nothing", set: onlyWindows, hosts: "A", steps: []step{
			fail(9, 'A', "A"), at(window - tick), fail(1, 'A', "A"), stats('A', 0, 180, 10, 0, 10, 0, 10),
		}},
		{name: "just expired, exactly at window_err_rate: falls", set: onlyWindows, hosts: "A", steps: []step{
			ok(3, 'A', "A"), fail(6, 'A', "A"), at(window), fail(1, 'A', "a"), stats('A', window, 0, 5, 0, 0, 0, 0),
		}},
		{name: "a success can end a bad window too", set: onlyWindows, hosts: "A", steps: []step{
			ok(2, 'A', "A"), fail(7, 'A', "A"), at(window), ok(1, 'A', "a"),
		}},
		{name: "just below window_err_rate: a new window", set: onlyWindows, hosts: "A", steps: []step{
			ok(30, 'A', "A"), fail(68, 'A', "A"), at(window), fail(1, 'A', "A"), stats('A', window, 180, 0, 0, 0, 0, 0),
		}},
		{name: "a new window forgets the run", hosts: "A", steps: []step{
			ok(20, 'A', "A"), fail(13, 'A', "A"), at(window), fail(1, 'A', "A"), stats('A', window, 180, 0, 0, 0, 0, 0), fail(14, 'A', "A"), fail(1, 'A', "a"),
		}},
		{name: "the next window starts at the report, not at the multiple", set: onlyWindows, hosts: "A", steps: []step{
			at(window + 4*time.Second), ok(1, 'A', "A"), stats('A', window+4*time.Second, 180, 0, 0, 0, 0, 0),
			at(2*window + 4*time.Second - tick), fail(1, 'A', "A"), stats('A', window+4*time.Second, 180, 1, 0, 1, 0, 1),
			at(2*window + 4*time.Second), fail(1, 'A', "a"),
		}},
		{name: "the failure that decides by rate is not judged by the window again", set: noRuns, hosts: "A", steps: []step{
			fail(20, 'A', "A"), at(window), fail(1, 'A', "a"), stats('A', window, 0, 5, 0, 0, 0, 0),
		}},
		{name: "a window without calls decides nothing by itself", set: onlyWindows, hosts: "AB", steps: []step{
			at(100 * window), picks("ABAB"), stats('A', 0, 180, 0, 0, 0, 0, 0),
		}},
		{name: "a clock that goes back makes nothing due", set: onlyWindows, hosts: "A", steps: []step{
			at(-window), fail(5, 'A', "A"), stats('A', 0, 180, 5, 0, 5, 0, 5),
		}},
	} {
		t.Run(s.name, s.run)
	}
}

func TestClassicReportOverloaded(t *testing.T) {
	for _, s := range []scenario{
		// 5/(5+5) is exactly 0.5.
		{name: "exactly at succ_rate stays, above returns", set: noRuns, hosts: "AB", steps: []step{
			fail(21, 'A', "aB"), ok(5, 'A', "aB"), stats('A', 0, 5, 5, 5, 0, 5, 0),
			at(time.Second), ok(1, 'A', "AB"), stats('A', time.Second, 180, 0, 0, 0, 0, 0),
		}},
		{name: "failures count against the rate", set: noRuns, hosts: "AB", steps: []step{
			fail(21, 'A', "aB"), fail(3, 'A', "aB"), ok(8, 'A', "aB"), stats('A', 0, 8, 8, 8, 3, 8, 0), ok(1, 'A', "AB"),
		}},
		{name: "no charge: the first success decides", hosts: "A", set: func(c *balance.Config) { c.InitErrCnt = 0 }, steps: []step{
			fail(15, 'A', "a"), ok(1, 'A', "A"),
		}},
		{name: "one below contin_succ_limit stays, at the limit returns", hosts: "A", set: func(c *balance.Config) { c.SuccRate = 1 }, steps: []step{
			fail(15, 'A', "a"), ok(14, 'A', "a"), ok(1, 'A', "A"),
		}},
		{name: "a failure starts the run again", hosts: "A", set: func(c *balance.Config) { c.SuccRate = 1 }, steps: []step{
			fail(15, 'A', "a"), ok(14, 'A', "a"), fail(1, 'A', "a"), stats('A', 0, 14, 6, 14, 1, 0, 1), ok(14, 'A', "a"), ok(1, 'A', "A"),
		}},
		{name: "a failure decides nothing by rate", hosts: "A", set: func(c *balance.Config) { c.SuccRate, c.InitErrCnt = 0, 0; c.ContinSuccLimit = 1 }, steps: []step{
			fail(15, 'A', "a"), fail(3, 'A', "a"), ok(1, 'A', "A"),
		}},
		{name: "not yet overload_timeout", set: onlyWindows, hosts: "A", steps: []step{
			fail(1, 'A', "A"), at(window), fail(1, 'A', "a"), at(2*window - tick), fail(1, 'A', "a"), stats('A', window, 0, 6, 0, 1, 0, 1),
		}},
		{name: "overload_timeout: a failure brings it back too", set: onlyWindows, hosts: "A", steps: []step{
			fail(1, 'A', "A"), at(window), fail(1, 'A', "a"), at(2 * window), fail(1, 'A', "A"), stats('A', 2*window, 180, 0, 0, 0, 0, 0),
		}},
		{name: "overload_timeout: a success", set: onlyWindows, hosts: "A", steps: []step{
			fail(1, 'A', "A"), at(window), fail(1, 'A', "a"), at(2 * window), ok(1, 'A', "A"), stats('A', 2*window, 180, 0, 0, 0, 0, 0),
		}},
		{name: "overload_timeout needs a report", hosts: "A", steps: []step{
			fail(15, 'A', "a"), at(100 * window), picks("----------A-"), fail(1, 'A', "A"), picks("A"),
		}},
		{name: "it falls again after a full count, not at once", hosts: "A", steps: []step{
			fail(15, 'A', "a"), at(window), fail(1, 'A', "A"), fail(14, 'A', "A"), fail(1, 'A', "a"),
		}},
	} {
		t.Run(s.name, s.run)
	}
}

func TestClassicUpdate(t *testing.T) {
	for _, s := range []scenario{
		{name: "new hosts join the tail of the idle list", hosts: "AB", steps: []step{
			picks("A"), update("ABDC", "ABCD"), picks("BADCBADC"),
		}},
		{name: "a new host's window starts when it is added", set: onlyWindows, hosts: "A", steps: []step{
			at(window), update("AB", "AB"), stats('B', window, 180, 0, 0, 0, 0, 0), fail(1, 'B', "AB"), at(2 * window), fail(1, 'B', "Ab"),
		}},
		{name: "a known host keeps state, place and statistics", hosts: "ABC", steps: []step{
			fail(15, 'B', "AbC"), fail(2, 'A', "AbC"), picks("A"), at(time.Second), update("CBAD", "AbCD"),
			stats('A', 0, 180, 2, 0, 2, 0, 2), stats('B', 0, 0, 5, 0, 0, 0, 0), picks("CADCADCAD" + "B"),
		}},
		{name: "a removed idle host is not returned", hosts: "ABC", steps: []step{update("AC", "AC"), picks("ACAC")}},
		{name: "a removed overloaded host is not probed", hosts: "ABC", steps: []step{
			fail(15, 'B', "AbC"), update("AC", "AC"), picks("ACACACACACACACAC"),
		}},
		{name: "the head, the middle and the tail can go", hosts: "ABCDE", steps: []step{
			update("BCDE", "BCDE"), update("BDE", "BDE"), update("BD", "BD"), picks("BDBD"), update("", ""), picks("00"), update("E", "E"), picks("EE"),
		}},
		{name: "a host that returns starts afresh", hosts: "AB", steps: []step{
			fail(15, 'A', "aB"), update("B", "B"), at(time.Second), update("BA", "AB"), stats('A', time.Second, 180, 0, 0, 0, 0, 0), picks("BA"),
		}},
		{name: "the last idle host can go", hosts: "AB", steps: []step{
			fail(15, 'A', "aB"), update("A", "a"), picks("----------A"),
		}},
		{name: "settings apply to later decisions", hosts: "AB", steps: []step{
			fail(14, 'A', "AB"), config(func(c *balance.Config) { c.ContinErrLimit, c.ProbeNum, c.InitErrCnt = 30, 2, 9 }),
			stats('A', 0, 180, 14, 0, 14, 0, 14), fail(6, 'A', "AB"), fail(1, 'A', "aB"), stats('A', 0, 0, 9, 0, 0, 0, 0), picks("BBABBA"),
		}},
		{name: "a smaller probe_num makes a probe due at once", hosts: "AB", steps: []step{
			fail(15, 'A', "aB"), picks("BBBBB"), config(func(c *balance.Config) { c.ProbeNum = 3 }), picks("A" + "BBB" + "A"),
		}},
	} {
		t.Run(s.name, s.run)
	}
}
