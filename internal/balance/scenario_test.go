package balance_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/balance"
	"github.com/lars-lb/lars/internal/route"
)

// A scenario is a sequence of steps on a module whose hosts are named by
// capital letters, and a clock that only the steps move.
type scenario struct {
	name  string
	set   func(*balance.Config) // changes to the default settings
	hosts string                // as of the start, "ABC"
	steps []step
}

type step struct {
	what string
	do   func(*fixture) error
}

type fixture struct {
	lb  *balance.LoadBalance
	cfg balance.Config
	now time.Duration
}

func host(letter byte) route.Host {
	return route.Host{IP: 10<<24 | uint32(letter), Port: 80}
}

func hosts(letters string) []route.Host {
	var hs []route.Host
	for i := range len(letters) {
		hs = append(hs, host(letters[i]))
	}
	return hs
}

// nodes gives hosts the default weight.
func nodes(hs []route.Host) []route.Node {
	ns := make([]route.Node, len(hs))
	for i, h := range hs {
		ns[i] = route.NodeOf(h, route.DefaultWeight)
	}
	return ns
}

func hostsOf(lb *balance.LoadBalance) []route.Host {
	var hs []route.Host
	for _, n := range lb.Nodes(nil) {
		hs = append(hs, n.Host())
	}
	return hs
}

func newFixture(set func(*balance.Config), letters string) *fixture {
	f := &fixture{cfg: balance.DefaultConfig()}
	if set != nil {
		set(&f.cfg)
	}
	f.lb = balance.New(route.Module{ModID: 1, CmdID: 1}, &f.cfg)
	f.lb.Update(nodes(hosts(letters)), f.now)
	return f
}

// states writes idle hosts as capitals and overloaded ones as small letters.
func (f *fixture) states() string {
	var b strings.Builder
	for _, v := range f.lb.View(nil, f.now) {
		letter := string(rune(v.Host.IP & 0xff))
		if v.State == balance.Overload {
			letter = strings.ToLower(letter)
		}
		b.WriteString(letter)
	}
	return b.String()
}

// picks expects one pick for each letter of want: the host's, '-' for
// Overloaded, '0' for Empty.
func picks(want string) step {
	return step{"picks " + want, func(f *fixture) error {
		for i := range len(want) {
			h, v := f.lb.Pick(f.now)
			got := byte(h.IP)
			switch v {
			case balance.Overloaded:
				got = '-'
			case balance.Empty:
				got = '0'
			}
			if v != balance.Picked && h != (route.Host{}) {
				return fmt.Errorf("pick %d: %v with %v", i+1, v, h)
			}
			if got != want[i] {
				return fmt.Errorf("pick %d is %c, want %c", i+1, got, want[i])
			}
		}
		return nil
	}}
}

// calls reports n results for one host. The states must be after once the
// last was reported, and unchanged until then.
func calls(n int, result string, letter byte, after string) step {
	return step{fmt.Sprintf("%d x %s %c -> %s", n, result, letter, after), func(f *fixture) error {
		before := f.states()
		for i := 1; i <= n; i++ {
			if !f.lb.Report(host(letter), result == "ok", 0, f.now) {
				return fmt.Errorf("report %d was not accepted", i)
			}
			want := before
			if i == n {
				want = after
			}
			if got := f.states(); got != want {
				return fmt.Errorf("report %d leaves %s, want %s", i, got, want)
			}
		}
		return nil
	}}
}

func ok(n int, letter byte, after string) step   { return calls(n, "ok", letter, after) }
func fail(n int, letter byte, after string) step { return calls(n, "fail", letter, after) }

func at(d time.Duration) step {
	return step{"at " + d.String(), func(f *fixture) error { f.now = d; return nil }}
}

func update(letters, after string) step {
	return step{"update " + letters, func(f *fixture) error {
		f.lb.Update(nodes(hosts(letters)), f.now)
		if got := f.states(); got != after {
			return fmt.Errorf("states are %s, want %s", got, after)
		}
		return nil
	}}
}

// stats expects a host's window start and counters.
func stats(letter byte, since time.Duration, vsucc, verr, rsucc, rerr, continSucc, continErr uint32) step {
	return step{fmt.Sprintf("stats %c", letter), func(f *fixture) error {
		for _, v := range f.lb.View(nil, f.now) {
			if v.Host != host(letter) {
				continue
			}
			want := balance.HostView{
				Host: v.Host, Weight: v.Weight, State: v.State, Since: since,
				VSucc: vsucc, VErr: verr, RSucc: rsucc, RErr: rerr, ContinSucc: continSucc, ContinErr: continErr,
			}
			if v != want {
				return fmt.Errorf("\n got %+v\nwant %+v", v, want)
			}
			return nil
		}
		return fmt.Errorf("no such host")
	}}
}

func config(set func(*balance.Config)) step {
	return step{"config", func(f *fixture) error {
		cfg := f.cfg
		set(&cfg)
		f.lb.SetConfig(&cfg, f.now)
		return nil
	}}
}

func (s scenario) run(t *testing.T) {
	f := newFixture(s.set, s.hosts)
	if err := f.cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	for i, st := range s.steps {
		if err := st.do(f); err != nil {
			t.Fatalf("step %d (%s): %v", i+1, st.what, err)
		}
	}
}
