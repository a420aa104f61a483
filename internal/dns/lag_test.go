package dns_test

import (
	"testing"
	"testing/synctest"
	"time"
)

// behind puts s back to an older state, and returns what leads to the newer one.
func behind(s *memory) (ahead func(*memory)) {
	rows, version, changes := s.rows, s.version, s.changes
	s.rows, s.version, s.changes = nil, version-1, nil
	s.insertHosts(m11, hostN(1))
	return func(s *memory) { s.rows, s.version, s.changes = rows, version, changes }
}

func changed() *memory {
	s := oneHost()
	s.remove(m11)
	s.insertHosts(m11, hostN(2))
	s.announce(m11)
	return s
}

// A server that lags behind the one asked before does not take the routes back,
// whatever is due meanwhile.
func TestWatcherWaitsForAServerThatLags(t *testing.T) {
	for name, before := range map[string]time.Duration{"at any time": time.Millisecond, "when all is to be read": reload - time.Second} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := watch(t, changed())
				w.after(before)
				var ahead func(*memory)
				for range 3 { // each time anew
					w.source.do(func(s *memory) { ahead = behind(s) })
					w.after(4500 * time.Millisecond)
					w.expect(m11, hostRange(2, 1))
					w.source.do(func(s *memory) { ahead(s) })
					w.after(time.Second)
				}
				w.source.do(func(s *memory) { s.insertHosts(m11, hostN(3)); s.announce(m11) })
				w.after(poll)
				w.expect(m11, hostRange(2, 2), mods(m11))
				if n := w.counters.Behind(); n != 3 {
					t.Errorf("counted %d times", n)
				}
			})
		})
	}
}

// A database that stays at an older version was put back, and is believed.
func TestWatcherBelievesARestoredDatabase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := watch(t, changed())
		w.after(time.Millisecond)
		w.source.do(func(s *memory) { behind(s) })
		w.after(5*time.Second - poll)
		w.expect(m11, hostRange(2, 1))
		w.after(3 * poll)
		w.expect(m11, hostRange(1, 1), mods(m11))
		w.source.do(func(s *memory) { s.insertHosts(m11, hostN(3)); s.announce(m11) })
		w.after(poll)
		w.expect(m11, append(hostRange(1, 1), hostN(3)), mods(m11), mods(m11))
	})
}
