package dns_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/lars-lb/lars/internal/dns"
)

// truncated watches a town of which everything is held back.
func truncated(t *testing.T, change func(*dns.Config)) *watched {
	t.Helper()
	w := watchWith(t, town(), change)
	w.after(time.Millisecond)
	w.edit(func(s *memory) { s.rows = nil })
	w.after(poll)
	w.serves(100, 100)
	return w
}

func TestTablePutRight(t *testing.T) {
	for name, right := range map[string]func(*memory){
		"announced":      func(s *memory) { fill(s, 0, 10); s.announce(allOf(0, 10)...) },
		"by the version": func(s *memory) { fill(s, 0, 10); s.version++ },
		"without a word": func(s *memory) { fill(s, 0, 10) },
		"a backup":       func(s *memory) { fill(s, 0, 10); s.version = 1000 },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := truncated(t, func(*dns.Config) {})
				w.after(confirm / 2)
				w.source.do(right)
				w.after(11 * time.Second)
				w.serves(100, 0)
				w.after(time.Hour)
				w.expect(module(7, 3), hostRange(300, 10)) // and nothing was ever published
				if w.log.count("are back") != 1 {
					t.Errorf("log:\n%s", w.log.buf.String())
				}
			})
		})
	}
}

// Put right just before the time is over, without a word: nothing is believed
// that was not read just then.
func TestTablePutRightAtTheLastMoment(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := truncated(t, func(*dns.Config) {})
		w.after(confirm - poll - poll/2)
		w.source.do(func(s *memory) { fill(s, 0, 10) })
		w.after(time.Hour)
		w.expect(module(7, 3), hostRange(300, 10))
	})
}

// Nobody is told of what is missing between two steps of an import.
func TestImportInSteps(t *testing.T) {
	for _, steps := range []time.Duration{time.Second, 2500 * time.Millisecond} {
		synctest.Test(t, func(t *testing.T) {
			w := truncated(t, func(*dns.Config) {})
			for i := range int32(10) {
				w.after(steps)
				w.edit(func(s *memory) { fill(s, i, i+1) })
			}
			w.after(time.Hour)
			w.serves(100, 0)
			if w.fewest < 100 {
				t.Errorf("as few as %d hosts were served", w.fewest)
			}
		})
	}
}

// What was put right but for some hosts is believed when nobody works on it.
func TestTablePutRightInPart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := truncated(t, func(*dns.Config) {})
		w.edit(func(s *memory) { fill(s, 0, 8) })
		w.after(2 * time.Second)
		w.serves(100, 20)
		w.after(2 * time.Second)
		w.serves(80, 0)
		w.edit(func(s *memory) { empty(s, 0, 4) }) // half of these, but 60 fewer than a moment ago
		w.after(poll)
		w.serves(80, 40)
	})
}

// An import that fails and begins again, for as long as it likes, is no reason
// to believe it; nor is a database that comes and goes.
func TestFlappingDoesNotConfirmItself(t *testing.T) {
	for name, flap := range map[string]func(*memory, int){
		"half an import": func(s *memory, i int) {
			if s.version++; i%2 == 0 {
				fill(s, 0, 4)
			} else {
				s.rows = nil
			}
		},
		"other hosts": func(s *memory, i int) {
			s.rows = nil
			s.insertHosts(m11, hostRange(1000*i, 60)...)
			s.version++
		},
		"outages": func(s *memory, i int) { s.down = i%2 == 0 },
		"put right in passing": func(s *memory, i int) {
			if s.version++; i%2 == 0 {
				fill(s, 0, 6)
			} else {
				s.rows = nil
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := truncated(t, func(*dns.Config) {})
				step := 50 * time.Second
				if name == "put right in passing" {
					step = 2 * time.Second
				}
				for i := range 60 {
					w.source.do(func(s *memory) { flap(s, i) })
					w.after(step)
				}
				if w.fewest < 100 {
					t.Fatalf("as few as %d hosts were served", w.fewest)
				}
				w.source.do(func(s *memory) { s.down, s.rows = false, nil; s.version++ })
				w.after(confirm + 5*time.Second)
				w.serves(0, 0)
			})
		})
	}
}

// One host makes the difference: the time begins anew with it.
func TestTimeOfAShrinkIsWithoutGaps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := watch(t, town())
		w.after(time.Millisecond)
		one := module(7, 9)
		w.edit(func(s *memory) { empty(s, 0, 5); s.remove(one); s.insertHosts(one, hostRange(900, 9)...) })
		w.after(50 * time.Second)
		w.serves(100, 51)
		w.edit(func(s *memory) { s.insertHosts(one, hostN(909)) })
		w.after(2 * time.Second)
		w.serves(100, 50)
		w.edit(func(s *memory) { s.remove(one); s.insertHosts(one, hostRange(900, 9)...) })
		w.after(confirm - time.Second)
		w.serves(100, 51)
		w.after(2 * time.Second)
		w.serves(49, 0)
	})
}
