package balance_test

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/balance"
	"github.com/lars-lb/lars/internal/route"
)

// trial drives a LoadBalance and the model with the same operations, read
// from bytes, and compares them after each.
type trial struct {
	t     *testing.T
	input []byte
	lb    *balance.LoadBalance
	m     *model
	now   time.Duration
	taken []balance.Count // not yet settled
}

func (b *trial) next() int {
	if len(b.input) == 0 {
		return 0
	}
	n := b.input[0]
	b.input = b.input[1:]
	return int(n)
}

func (b *trial) host() route.Host { return route.Host{IP: uint32(b.next() % 12), Port: 80} } // 0 is not Valid

func newTrial(t *testing.T, input []byte) *trial {
	b := &trial{t: t, input: input}
	b.m = &model{
		probeNum: 1 + b.next()%12, initSucc: b.next() % 40, initErr: b.next() % 8,
		errRate: b.next() * 4 % 1001, succRate: b.next() * 4 % 1001, windowRate: 1 + b.next()*4%1000,
		succLimit: 1 + b.next()%20, errLimit: 1 + b.next()%20,
		idleTimeout:     time.Duration(1+b.next()%20) * time.Second,
		overloadTimeout: time.Duration(1+b.next()%20) * time.Second,
		unsentSucc:      make(map[route.Host]int), unsentErr: make(map[route.Host]int),
	}
	cfg := b.m.config()
	if err := cfg.Validate(); err != nil {
		t.Fatal(err)
	}
	b.lb = balance.New(route.Module{}, &cfg)
	return b
}

func (b *trial) step() {
	switch op := b.next(); {
	case op < 90:
		gotHost, got := b.lb.Pick(b.now)
		wantHost, want := b.m.pick()
		if gotHost != wantHost || got != want {
			b.t.Fatalf("pick is %v %v, want %v %v", gotHost, got, wantHost, want)
		}
		if got == balance.Picked && !slices.Contains(hostsOf(b.lb), gotHost) {
			b.t.Fatalf("%v was picked and is not in the route", gotHost)
		}
	case op < 200:
		// Runs of one result, so that runs and rates get to decide.
		addr, succeeded := b.host(), op < 145
		for range 1 + b.next()%6 {
			if got, want := b.lb.Report(addr, succeeded, 0, b.now), b.m.report(addr, succeeded, b.now); got != want {
				b.t.Fatalf("report of %v is accepted: %v, want %v", addr, got, want)
			}
		}
	case op < 230:
		b.now += time.Duration(b.next()%24) * 500 * time.Millisecond
	case op < 240:
		addrs := make([]route.Host, b.next()%14)
		for i := range addrs {
			addrs[i] = b.host()
		}
		b.lb.Update(nodes(addrs), b.now)
		b.m.update(addrs, b.now)
	case op < 252:
		b.settle()
		b.taken = b.lb.TakeCounts(nil)
	default:
		b.m.probeNum, b.m.errRate = 1+b.next()%12, b.next()*4%1001
		cfg := b.m.config()
		b.lb.SetConfig(&cfg, b.now)
	}
}

// settle takes the counts that were delivered off what the model expects.
func (b *trial) settle() {
	for _, c := range b.taken {
		b.m.unsentSucc[c.Host] -= int(c.Succ)
		b.m.unsentErr[c.Host] -= int(c.Err)
	}
	b.taken = nil
}

func (b *trial) run() {
	for len(b.input) > 0 {
		b.step()
		if err := b.lb.Check(); err != nil {
			b.t.Fatal(err)
		}
		if got, want := b.lb.View(nil, b.now), b.m.view(); !slices.Equal(got, want) {
			b.t.Fatalf("at %v\n got %+v\nwant %+v", b.now, got, want)
		}
	}
	b.settle()
	b.taken = b.lb.TakeCounts(nil)
	b.settle()
	isZero := func(_ route.Host, n int) bool { return n == 0 }
	maps.DeleteFunc(b.m.unsentSucc, isZero)
	maps.DeleteFunc(b.m.unsentErr, isZero)
	if len(b.m.unsentSucc)+len(b.m.unsentErr) != 0 || b.lb.LostCounts() != 0 || b.lb.HasCounts() {
		b.t.Fatalf("sums are off by %v %v, lost %d", b.m.unsentSucc, b.m.unsentErr, b.lb.LostCounts())
	}
}

func FuzzAgainstModel(f *testing.F) {
	for seed := range uint64(8) {
		f.Add(randomInput(seed))
	}
	f.Fuzz(func(t *testing.T, input []byte) { newTrial(t, input).run() })
}

func TestRandomSequences(t *testing.T) {
	for seed := range uint64(150) {
		newTrial(t, randomInput(seed)).run()
	}
}

func randomInput(seed uint64) []byte {
	r := rand.New(rand.NewPCG(seed, 1))
	input := make([]byte, 4000)
	for i := range input {
		input[i] = byte(r.Uint32())
	}
	return input
}
