package balance_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/balance"
	"github.com/lars-lb/lars/internal/route"
)

// town is a module under the policy adaptive whose hosts are named by capital
// letters, with a clock that only the test moves. Calls end at once unless the
// test says otherwise.
type town struct {
	t    *testing.T
	lb   *balance.LoadBalance
	cfg  balance.Config
	now  time.Duration
	bad  string // hosts whose calls fail
	deaf string // hosts to which no TCP connection can be made
	mute string // hosts whose picks are never reported
	cost map[byte]time.Duration
	lag  time.Duration // of a call, beside its cost
	// untold says that callers do not report what a call cost.
	untold bool

	picks  map[byte]int
	checks map[byte]int
	events []string
	none   int // picks that got no host
}

func newTown(t *testing.T, letters string, set ...func(*balance.Config)) *town {
	w := &town{t: t, cfg: balance.DefaultConfig(), now: time.Hour, cost: map[byte]time.Duration{}}
	w.cfg.Policy = balance.Adaptive
	for _, f := range set {
		f(&w.cfg)
	}
	w.lb = balance.New(route.Module{ModID: 1, CmdID: 1}, &w.cfg)
	w.lb.Update(nodes(hosts(letters)), w.now)
	w.forget()
	return w
}

func noCheck(c *balance.Config) { c.Check = false }

// forget starts counting anew.
func (w *town) forget() {
	w.picks, w.checks, w.events, w.none = map[byte]int{}, map[byte]int{}, nil, 0
}

// run makes calls for a time, one each gap.
func (w *town) run(d, gap time.Duration) {
	w.t.Helper()
	for end := w.now + d; w.now < end; w.now += gap {
		w.call()
	}
}

func (w *town) call() {
	w.t.Helper()
	h, v := w.lb.Pick(w.now)
	w.answer()
	if v != balance.Picked {
		w.none++
		if idle, _, _ := w.lb.Count(); idle > 0 {
			w.t.Fatalf("at %v: %v with %d idle hosts", w.now, v, idle)
		}
		return
	}
	letter := byte(h.IP)
	w.picks[letter]++
	if !has(w.mute, letter) {
		cost := time.Millisecond
		if c, ok := w.cost[letter]; ok {
			cost = c
		}
		told := cost
		if w.untold {
			told = 0
		}
		w.lb.Report(h, !has(w.bad, letter), told, w.now+cost+w.lag)
	}
	w.answer()
	if err := w.lb.Check(); err != nil {
		w.t.Fatalf("at %v: %v", w.now, err)
	}
}

// answer does what the policy asks for.
func (w *town) answer() {
	for _, e := range w.lb.TakeEvents(nil) {
		text := fmt.Sprintf("%c %v: %v", byte(e.Host.IP), e.State, e.Reason.Cause)
		if e.Host == (route.Host{}) {
			text = fmt.Sprintf("all %v: %v", e.State, e.Reason.Cause)
		}
		w.events = append(w.events, text)
	}
	for _, h := range w.lb.TakeChecks(nil) {
		w.checks[byte(h.IP)]++
		w.lb.Checked(h, !has(w.deaf, byte(h.IP)), w.now)
	}
}

func has(letters string, letter byte) bool { return slices.Contains([]byte(letters), letter) }

func (w *town) states() string {
	f := fixture{lb: w.lb, now: w.now}
	return f.states()
}

func (w *town) want(states string, events ...string) {
	w.t.Helper()
	if got := w.states(); got != states {
		w.t.Errorf("at %v: states are %s, want %s", w.now, got, states)
	}
	if !slices.Equal(w.events, events) {
		w.t.Errorf("at %v: events are %q, want %q", w.now, w.events, events)
	}
}

const ms = time.Millisecond
