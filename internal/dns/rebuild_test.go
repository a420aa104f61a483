package dns_test

import (
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lars-lb/lars/internal/dns"
	"github.com/lars-lb/lars/internal/route"
)

// While all routes are read, what is announced is published, and it stands when
// the reading ends: that saw an older state.
func TestChangesArePublishedDuringAReading(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := watch(t, oneHost())
		w.after(time.Millisecond)
		release := make(chan struct{})
		w.source.do(func(s *memory) {
			s.insertHosts(m12, hostN(5)) // which only the reading finds
			s.version++
			s.slow = release
		})
		w.after(poll) // it has begun, and its rows are those of now
		w.expect(m12, nil)
		w.source.do(func(s *memory) { s.insertHosts(m11, hostN(2)); s.announce(m11) })
		w.after(poll)
		w.expect(m11, hostRange(1, 2), mods(m11))
		close(release)
		w.after(poll)
		w.expect(m11, hostRange(1, 2), mods(m11), mods(m12))
		w.expect(m12, hostRange(5, 1), mods(m11), mods(m12))
	})
}

// What nobody names while all routes are read is found by reading them again.
func TestUnnamedChangeDuringAReadingIsFound(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := watch(t, oneHost())
		w.after(5 * time.Second)
		release := make(chan struct{})
		w.source.do(func(s *memory) { s.version++; s.slow = release })
		w.after(poll)
		w.source.do(func(s *memory) { s.insertHosts(m12, hostN(5)); s.version++ })
		w.after(5 * time.Second)
		w.expect(m12, nil)
		close(release)
		w.after(poll)
		w.expect(m12, hostRange(5, 1), mods(m12))
	})
}

// After many changes the Table is packed anew, and says the same.
func TestManyChangesArePacked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := watch(t, oneHost())
		w.after(time.Millisecond)
		want := routes{m11: hostRange(1, 1)}
		for n := 0; len(want) <= dns.WantOverlay+1; {
			var changed []route.Module
			for range 900 {
				m := module(7, int32(n))
				n++
				want[m] = hostRange(n, 2)
				changed = append(changed, m)
			}
			w.source.do(func(s *memory) {
				for _, m := range changed {
					s.insertHosts(m, want[m]...)
				}
				s.announce(changed...)
			})
			w.after(poll)
		}
		w.after(2 * poll)
		w.mu.Lock()
		defer w.mu.Unlock()
		if n := w.table.Overlay(); n != 0 {
			t.Errorf("%d modules are beside the packed part", n)
		}
		want.check(t, w.table)
	})
}

// More hosts than fit a run, in no order, with duplicates.
func TestBuilderMergesRuns(t *testing.T) {
	random := rand.New(rand.NewPCG(3, 4))
	first := map[route.Module]map[route.Host]route.Node{}
	var b dns.Builder
	for range 2*dns.RunLength + 1000 {
		m := module(random.Int32N(200), random.Int32N(300))
		n := weighing(uint16(random.IntN(3)), node(uint32(1+random.IntN(12)), 80))[0]
		b.Add(m, n)
		if first[m] == nil {
			first[m] = map[route.Host]route.Node{}
		}
		if _, has := first[m][n.Host()]; !has {
			first[m][n.Host()] = n
		}
	}
	want := routes{}
	for m, hosts := range first {
		for _, n := range hosts {
			want[m] = append(want[m], n)
		}
		slices.SortFunc(want[m], route.Node.Compare)
	}
	table, oversized := b.Table()
	want.check(t, table)
	if len(oversized) > 0 {
		t.Errorf("oversized: %v", oversized)
	}
}
