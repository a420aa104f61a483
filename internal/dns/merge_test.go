package dns_test

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/dns"
	"github.com/lars-lb/lars/internal/route"
)

// randomRoutes has a few hosts, with different weights, of a few modules.
func randomRoutes(rng *rand.Rand) routes {
	r := make(routes)
	for range rng.IntN(8) {
		m := module(int32(rng.IntN(3)), int32(rng.IntN(4)))
		for range rng.IntN(5) {
			h := hostN(rng.IntN(6))
			h.Weight = uint16(rng.IntN(3))
			if !slices.ContainsFunc(r[m], func(o route.Node) bool { return o.Host() == h.Host() }) {
				r[m] = append(r[m], h)
			}
		}
		slices.SortFunc(r[m], route.Node.Compare)
	}
	maps.DeleteFunc(r, func(_ route.Module, hosts []route.Node) bool { return len(hosts) == 0 })
	return r
}

func (r routes) has(m route.Module, h route.Host) bool {
	return slices.ContainsFunc(r[m], func(n route.Node) bool { return n.Host() == h })
}

// Union and Lost, compared with plain maps; some Tables have overlays.
func TestUnionAndLost(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 3000 {
		ours, kept := randomRoutes(rng), randomRoutes(rng)
		t1, t2 := ours.table(), kept.table()
		if rng.IntN(2) == 0 {
			t1 = randomRoutes(rng).table()
			changed := maps.Clone(map[route.Module][]route.Node(ours))
			for m := range t1.All() {
				if _, ok := changed[m]; !ok {
					changed[m] = nil
				}
			}
			t1 = t1.With(changed)
		}
		want, lost := make(routes), 0
		for m, hosts := range ours {
			want[m] = slices.Clone(hosts)
		}
		for m, hosts := range kept {
			for _, h := range hosts {
				if !ours.has(m, h.Host()) {
					want[m] = append(want[m], h)
					lost++
				}
			}
			slices.SortFunc(want[m], route.Node.Compare)
		}
		want.check(t, dns.Union(t1, t2))
		if n := dns.Lost(t2, t1); n != lost {
			t.Fatalf("lost %d, want %d: %v, %v", n, lost, kept, ours)
		}
	}
}

// A module that would have too many hosts keeps what the database says.
func TestUnionOfFullModules(t *testing.T) {
	now, before := routes{m11: hostRange(1, 2000)}, routes{m11: hostRange(1501, 2000)}
	u := dns.Union(now.table(), before.table())
	if got := u.Lookup(m11); !slices.Equal(got, hostRange(1, route.MaxHosts)) {
		t.Errorf("%d hosts, the last is %v", len(got), got[len(got)-1])
	}
}

// Read in the order of a Table or in any other, it is the same Table.
func TestTableReader(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 500 {
		want := randomRoutes(rng)
		var sorted, shuffled dns.TableReader
		for m, hosts := range want.table().All() {
			reused := slices.Clone(hosts)
			sorted.Add(m, reused)
			clear(reused) // it is not the reader's
		}
		for m, hosts := range want { // in no order
			hosts = slices.Clone(hosts)
			rng.Shuffle(len(hosts), func(i, j int) { hosts[i], hosts[j] = hosts[j], hosts[i] })
			shuffled.Add(m, hosts)
		}
		if !sorted.InOrder() {
			t.Fatalf("a Table is not in order: %v", want)
		}
		want.check(t, sorted.Table())
		want.check(t, shuffled.Table())
	}
	for name, add := range map[string]func(*dns.TableReader){
		"a module twice":    func(r *dns.TableReader) { r.Add(m11, hostRange(2, 1)); r.Add(m11, hostRange(1, 1)) },
		"modules backwards": func(r *dns.TableReader) { r.Add(m12, nil); r.Add(m11, hostRange(1, 2)) },
		"hosts backwards":   func(r *dns.TableReader) { r.Add(m11, []route.Node{hostN(2), hostN(1)}) },
		"a host twice":      func(r *dns.TableReader) { r.Add(m11, []route.Node{hostN(1), hostN(1), hostN(2)}) },
	} {
		var r dns.TableReader
		add(&r)
		if r.InOrder() {
			t.Errorf("%s is taken for in order", name)
		}
		routes{m11: hostRange(1, 2)}.check(t, r.Table())
	}
}

// HighWater, compared with all numbers that were noted.
func TestHighWater(t *testing.T) {
	const window = time.Minute
	rng := rand.New(rand.NewPCG(5, 6))
	start := time.Unix(1000, 0)
	for range 100 {
		h := dns.NewHighWater(window)
		type noted struct {
			at time.Time
			n  int
		}
		var all []noted
		now := start
		step := time.Duration(1 + rng.Int64N(int64(5*time.Second)))
		for range 500 {
			now = now.Add(time.Duration(rng.Int64N(int64(step))))
			n := rng.IntN(1000)
			h.Note(now, n)
			all = append(all, noted{now, n})
			now = now.Add(time.Duration(rng.Int64N(int64(step))))
			least, most := 0, 0 // by a number that is remembered a little longer
			for _, x := range all {
				if age := now.Sub(x.at); age <= window {
					least = max(least, x.n)
				}
				if age := now.Sub(x.at); age <= window+window/64 {
					most = max(most, x.n)
				}
			}
			if got := h.Max(now); got < least || got > most {
				t.Fatalf("%d, want %d to %d", got, least, most)
			}
			if h.Marks() > 66 {
				t.Fatalf("%d marks", h.Marks())
			}
		}
	}
}
