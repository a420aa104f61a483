package dns_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/lars-lb/lars/internal/dns"
	"github.com/lars-lb/lars/internal/route"
)

func TestImpossibleRowsAreLeftOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := oneHost()
		source.do(func(s *memory) {
			s.insert(m11, 0, 80, 100)
			s.insert(m11, 1<<32, 80, 100)
			s.insert(m12, 1, 0, 100)
			s.insert(m12, 1, 65536, 100)
		})
		w := watch(t, source)
		w.after(time.Millisecond)
		w.expect(m11, hostRange(1, 1))
		w.expect(m12, nil)
		w.source.do(func(s *memory) { s.insert(m12, -1, 5, 100); s.insertHosts(m12, hostN(1)); s.announce(m12) })
		w.after(poll)
		w.expect(m12, hostRange(1, 1), mods(m12))
		w.after(10 * reload)
		if n := w.log.count("row of RouteData left out"); n != 5 {
			t.Errorf("logged %d times, want once a row:\n%s", n, w.log.buf.String())
		}
		if w.log.count("id=3 ") != 1 || w.log.count("port=65536") != 1 {
			t.Errorf("the log does not name the rows:\n%s", w.log.buf.String())
		}
	})
}

// A host whose weight is impossible is served all the same.
func TestImpossibleWeightsAreBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := oneHost()
		source.do(func(s *memory) {
			s.insert(m12, 1, 80, -1)
			s.insert(m12, 2, 80, route.MaxWeight)
			s.insert(m12, 3, 80, route.MaxWeight+1)
		})
		w := watch(t, source)
		w.after(time.Millisecond)
		want := []route.Node{{IP: 1, Port: 80}, {IP: 2, Port: 80, Weight: route.MaxWeight}, {IP: 3, Port: 80, Weight: route.MaxWeight}}
		w.expect(m12, want)
		w.source.do(func(s *memory) { s.insert(m12, 4, 80, 1<<40); s.announce(m12) })
		w.after(poll)
		w.expect(m12, append(want, route.Node{IP: 4, Port: 80, Weight: route.MaxWeight}), mods(m12))
		w.after(10 * reload)
		if n := w.log.count("served with another weight"); n != 3 {
			t.Errorf("logged %d times, want once a row:\n%s", n, w.log.buf.String())
		}
		if w.log.count("host=0.0.0.3:80 weight=10001 served=10000") != 1 || w.log.count("weight=-1 served=0") != 1 {
			t.Errorf("the log does not name the rows:\n%s", w.log.buf.String())
		}
	})
}

func TestLogOfImpossibleRowsIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := oneHost()
		source.do(func(s *memory) {
			for range 10_100 {
				s.insert(m12, 0, 0, 100)
			}
		})
		w := watch(t, source)
		w.after(2 * reload)
		if n := w.log.count("row of RouteData left out"); n != 10_000 {
			t.Errorf("%d rows are logged", n)
		}
		if n := w.log.count("more impossible rows"); n != 1 {
			t.Errorf("the bound is logged %d times", n)
		}
	})
}

func TestOversizedModuleIsServedInPart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := oneHost()
		source.do(func(s *memory) { s.insertHosts(m12, hostRange(1, route.MaxHosts+1)...) })
		w := watch(t, source)
		w.after(3 * reload)
		w.expect(m12, hostRange(1, route.MaxHosts))
		const msg = "module has more hosts"
		if n := w.log.count(msg); n != 1 {
			t.Fatalf("logged %d times", n)
		}
		// Well again, and once more too large: that is new.
		for want := 1; want <= 2; want++ {
			w.source.do(func(s *memory) { s.remove(m12); s.insertHosts(m12, hostN(1)); s.announce(m12) })
			w.after(poll)
			if n := w.log.count(msg); n != want {
				t.Fatalf("logged %d times, want %d", n, want)
			}
			w.source.do(func(s *memory) { s.insertHosts(m12, hostRange(2, route.MaxHosts)...); s.announce(m12) })
			w.after(poll)
		}
	})
}

func TestFaultLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		log := new(logBuffer)
		warn := dns.FaultLog(log.logger())
		logged := 0
		for range 1000 {
			if warn("oh", "err", errDown) {
				logged++
			}
			time.Sleep(50 * time.Millisecond)
		}
		if logged != 5 || log.count("msg=oh") != 5 || log.count("omitted=199") != 4 {
			t.Errorf("%d of 1000 in 50 s are logged:\n%s", logged, log.buf.String())
		}
	})
}
