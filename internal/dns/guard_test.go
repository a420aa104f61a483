package dns_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/lars-lb/lars/internal/dns"
	"github.com/lars-lb/lars/internal/route"
)

const confirm = time.Minute // dns.Config.ShrinkConfirm

// town is a Source with 100 hosts, 10 of each module (7,0) to (7,9).
func town() *memory {
	s := &memory{version: 1000}
	fill(s, 0, 10)
	return s
}

// fill adds the town's modules from one to another, without a word.
func fill(s *memory, from, to int32) {
	for i := from; i < to; i++ {
		s.insertHosts(module(7, i), hostRange(100*int(i), 10)...)
	}
}

// empty removes the town's modules from one to another, without a word.
func empty(s *memory, from, to int32) {
	for i := from; i < to; i++ {
		s.remove(module(7, i))
	}
}

func allOf(from, to int32) (mods []route.Module) {
	for i := from; i < to; i++ {
		mods = append(mods, module(7, i))
	}
	return mods
}

// edit changes the source and raises the version.
func (w *watched) edit(f func(*memory)) {
	w.source.do(func(s *memory) { f(s); s.version++ })
}

// serves compares the number of hosts that are served, and of those of them
// that are held back.
func (w *watched) serves(hosts, held int) {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	n := 0
	if h, _ := w.counters.Held(); h != nil {
		n = h.Hosts
	}
	if w.table.Hosts() != hosts || n != held {
		w.t.Fatalf("%d hosts are served, %d of them held back; want %d and %d\n%s", w.table.Hosts(), n, hosts, held, w.log.buf.String())
	}
}

// What empties most of the table is served only when it has stood for a while,
// whatever it was and however it is noticed.
func TestShrinkIsHeldUntilItHasStood(t *testing.T) {
	for name, c := range map[string]struct {
		shrink func(*memory)
		left   int
	}{
		"truncated":         {func(s *memory) { s.rows = nil; s.version++ }, 0},
		"without a version": {func(s *memory) { s.rows = nil }, 0}, // found by the next reading of all
		"announced":         {func(s *memory) { empty(s, 0, 6); s.announce(allOf(0, 6)...) }, 40},
		"restored empty":    {func(s *memory) { s.rows, s.changes, s.version = nil, nil, 1 }, 0},
		"other hosts": {func(s *memory) {
			s.rows = nil
			s.insertHosts(m11, hostRange(5000, 100)...)
			s.version++
		}, 100},
		"bad rows": {func(s *memory) {
			for i := range s.rows {
				s.rows[i].Port = 0
			}
			s.version++
		}, 0},
	} {
		for _, size := range []string{"small", "large"} {
			t.Run(name+" "+size, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					w := watchWith(t, town(), func(cfg *dns.Config) {
						if size == "small" {
							cfg.SmallTable = 1000
						}
					})
					w.after(time.Millisecond)
					w.source.do(c.shrink)
					for held, _ := w.counters.Held(); held == nil; held, _ = w.counters.Held() {
						w.after(poll)
						if w.fewest < 100 {
							t.Fatal("it is believed at once")
						}
					}
					w.after(confirm - poll)
					if w.fewest < 100 {
						t.Fatal("it is believed early")
					}
					if n := w.log.count("most hosts are gone"); n != 6 {
						t.Errorf("logged %d times a minute", n)
					}
					w.after(2 * poll)
					w.serves(c.left, 0)
					w.after(time.Hour)
					w.serves(c.left, 0)
					if _, n := w.counters.Held(); n != 1 || w.log.count("they are removed") != 1 {
						t.Errorf("held %d times:\n%s", n, w.log.buf.String())
					}
				})
			})
		}
	}
}

// These are believed at once.
func TestWhatIsNoShrink(t *testing.T) {
	for name, c := range map[string]struct {
		hosts, left int
		config      func(*dns.Config)
	}{
		"few hosts":      {10, 0, func(*dns.Config) {}},
		"half":           {24, 12, func(*dns.Config) {}},
		"no guard":       {100, 0, func(c *dns.Config) { c.ShrinkConfirm = 0 }},
		"no guard, all ": {100, 1, func(c *dns.Config) { c.ShrinkConfirm, c.SmallTable = 0, 1000 }},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				source := &memory{version: 1}
				source.insertHosts(m11, hostRange(1, c.hosts)...)
				w := watchWith(t, source, c.config)
				w.after(time.Millisecond)
				w.edit(func(s *memory) { s.rows = s.rows[:c.left] })
				w.after(poll)
				w.serves(c.left, 0)
			})
		})
	}
	t.Run("one more than half", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			source := &memory{version: 1}
			source.insertHosts(m11, hostRange(1, 24)...)
			w := watch(t, source)
			w.after(time.Millisecond)
			w.edit(func(s *memory) { s.rows = s.rows[:11] })
			w.after(poll)
			w.serves(24, 13)
		})
	})
	t.Run("a new database", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := watch(t, &memory{version: 1})
			w.after(time.Millisecond)
			w.serves(0, 0)
			w.edit(func(s *memory) { fill(s, 0, 10) })
			w.after(poll)
			w.serves(100, 0)
		})
	})
}

// A loop of statements that remove a few hosts each is an accident like one that
// removes them all; hosts that go one after the other over hours are none.
func TestShrinkInSteps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := watch(t, town())
		w.after(time.Millisecond)
		for i := range int32(5) {
			w.edit(func(s *memory) { empty(s, i, i+1) })
			w.after(5 * time.Second)
			w.serves(90-10*int(i), 0)
		}
		w.edit(func(s *memory) { empty(s, 5, 6) })
		w.after(poll)
		w.serves(50, 10)
		w.edit(func(s *memory) { empty(s, 6, 9) })
		w.after(confirm - poll)
		w.serves(50, 40)
		w.after(2 * poll)
		w.serves(10, 0)
	})
	synctest.Test(t, func(t *testing.T) {
		w := watch(t, town())
		w.after(time.Millisecond)
		for i := range int32(9) {
			w.edit(func(s *memory) { empty(s, i, i+1) })
			w.after(2 * confirm)
			w.serves(90-10*int(i), 0)
		}
	})
}

// While hosts are held back everything else goes on.
func TestOtherChangesDuringAHold(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := watch(t, town())
		w.after(time.Millisecond)
		w.edit(func(s *memory) { empty(s, 0, 9) })
		w.after(poll)
		w.serves(100, 90)
		w.source.do(func(s *memory) { s.insertHosts(m11, hostN(1)); s.announce(m11) })
		w.after(poll)
		w.serves(101, 90)
		last := module(7, 9)
		w.source.do(func(s *memory) {
			s.remove(last)
			s.insertHosts(last, weighing(7, hostRange(900, 9)...)...)
			s.announce(last)
		})
		w.after(poll)
		w.serves(101, 91) // what is removed beside the rest is held, too
		if got := w.table.Lookup(last); got[0].Weight != 7 || got[9].Weight != route.DefaultWeight {
			t.Errorf("the new weights are not served: %v", got)
		}
		w.source.do(func(s *memory) { s.remove(m11); s.announce(m11) })
		w.after(poll)
		w.serves(100, 91)    // it was not there before the hold
		w.after(confirm / 2) // which such small changes do not prolong
		w.after(confirm / 2)
		w.serves(9, 0)
	})
}

func TestAcceptedShrink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := watch(t, town())
		w.after(time.Millisecond)
		w.edit(func(s *memory) { s.rows = nil })
		w.after(poll)
		w.serves(100, 100)
		w.source.do(func(s *memory) { s.down = true })
		w.after(10 * time.Second)
		held, _ := w.counters.Held()
		if left := held.Left(time.Now()); held.Removed != 100 || held.Of != 100 || left < confirm-time.Second {
			t.Errorf("%+v, for %v more", held, left) // the time stands still without the database
		}
		held.Approve()
		w.after(0) // the database is not needed for that
		w.serves(0, 0)
		w.source.do(func(s *memory) { s.down = false; fill(s, 0, 10); s.version++ })
		w.after(5 * time.Second)
		w.serves(100, 0)
		w.edit(func(s *memory) { s.rows = nil }) // nobody accepts this one
		w.after(5 * time.Second)
		w.serves(100, 100)
		if held, _ := w.counters.Held(); held.Left(time.Now()).Round(time.Second) != confirm-5*time.Second {
			t.Errorf("for %v more", held.Left(time.Now()))
		}
		if _, n := w.counters.Held(); n != 2 {
			t.Errorf("held %d times", n)
		}
	})
}
