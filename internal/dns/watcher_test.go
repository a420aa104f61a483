package dns_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/lars-lb/lars/internal/dns"
	"github.com/lars-lb/lars/internal/route"
)

const (
	poll   = 100 * time.Millisecond
	reload = time.Minute
)

func mods(ms ...route.Module) []route.Module { return ms }

var (
	m11 = module(1, 1)
	m12 = module(1, 2)
)

func TestWatcherReadsOnlyWhatIsAnnounced(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := watch(t, oneHost())
		w.after(time.Millisecond)
		w.expect(m11, hostRange(1, 1))
		w.expectReads(1, 0)

		w.source.do(func(s *memory) {
			s.insertHosts(m12, hostN(7), hostN(5), hostN(7))
			s.announce(m12, m12, m11) // of which one has no other route
		})
		w.after(poll)
		w.expect(m12, []route.Node{hostN(5), hostN(7)}, mods(m12))
		w.expectReads(1, 1)

		w.source.do(func(s *memory) { s.remove(m11); s.announce(m11) })
		w.after(poll)
		w.expect(m11, nil, mods(m12), mods(m11))
		w.expectReads(1, 2)
		w.after(10 * poll)
		w.expectReads(1, 2)
	})
}

func TestWatcherSeesTwoChangesOfOneVersion(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := watch(t, oneHost())
		w.after(time.Millisecond)
		w.source.do(func(s *memory) { s.insertHosts(m11, hostN(2)); s.announce(m11) })
		w.after(poll)
		w.expect(m11, hostRange(1, 2), mods(m11))
		w.source.do(func(s *memory) { s.insertHosts(m11, hostN(3)); s.announce(m11); s.version-- })
		w.after(poll)
		w.expect(m11, hostRange(1, 3), mods(m11), mods(m11))
	})
}

func TestWatcherReadsAllWhenNothingIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := watch(t, oneHost())
		w.after(time.Millisecond)
		w.source.do(func(s *memory) { s.insertHosts(m12, hostN(2)); s.remove(m11); s.version++ })
		w.after(poll)
		w.expect(m12, []route.Node{hostN(2)}, mods(m11, m12))
		w.source.do(func(s *memory) { s.remove(m12) }) // by somebody who raised the version first
		w.after(5 * time.Second)
		w.expect(m12, nil, mods(m11, m12), mods(m12))
		w.expectReads(3, 0)
	})
}

// An edit that nobody named comes right after one that was.
func TestWatcherSeesAnUnnamedChangeBehindANamedOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := watch(t, oneHost())
		w.after(time.Millisecond)
		w.source.do(func(s *memory) {
			s.insertHosts(m11, hostN(2))
			s.announce(m11)
			s.insertHosts(m12, hostN(3))
			s.version++
		})
		w.after(poll)
		w.expect(m12, hostRange(3, 1), mods(m11, m12))
		w.source.do(func(s *memory) { s.remove(m12); s.announce(m12) })
		w.after(poll)
		w.expect(m12, nil, mods(m11, m12), mods(m12))
		w.expectReads(2, 1)
	})
}

// In a small table an edit that nobody named is found on either side of one
// that was, also when the version says nothing of it.
func TestWatcherReadsAllOfASmallTable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := watchWith(t, oneHost(), small)
		w.after(time.Millisecond)
		w.source.do(func(s *memory) {
			s.insertHosts(m12, hostN(3))
			s.version++
			s.insertHosts(m11, hostN(2))
			s.version = time.Now().Unix() - 1
			s.announce(m11)
		})
		w.after(poll)
		w.expect(m12, hostRange(3, 1), mods(m11, m12))
		w.source.do(func(s *memory) { s.remove(m12) }) // the version stays
		w.after(poll)
		w.expect(m12, nil, mods(m11, m12), mods(m12))
		w.after(10 * time.Second)
		w.expectReads(1+1+15, 0) // at the start, then, and at each poll until it has settled
	})
}

// Whoever uses the time as the version raises it once a second.
func TestWatcherLooksAgainWhenTheSecondIsOver(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := watch(t, oneHost())
		w.after(reload / 2)
		edit := func(n int) {
			w.source.do(func(s *memory) {
				s.remove(m11)
				s.insertHosts(m11, hostN(n))
				s.version = time.Now().Unix()
			})
		}
		edit(2)
		w.after(poll)
		w.expect(m11, hostRange(2, 1), mods(m11))
		edit(3) // in the same second
		w.after(2 * time.Second)
		w.expect(m11, hostRange(3, 1), mods(m11), mods(m11))
		w.expectReads(3, 0)
		w.after(10 * time.Second)
		w.expectReads(3, 0)
	})
}

// The second edit of a second is found whatever made the first one known: the
// look that was due anyway, or the start.
func TestWatcherLooksAgainAfterAnyReload(t *testing.T) {
	edit := func(n int) func(*memory) {
		return func(s *memory) {
			s.remove(m11)
			s.insertHosts(m11, hostN(n))
			s.version = time.Now().Unix()
		}
	}
	t.Run("second look", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			w := watchWith(t, oneHost(), small)
			w.after(reload/2 + 50*time.Millisecond) // .05 s into a second
			w.source.do(edit(2))
			w.after(1500 * time.Millisecond)
			w.source.do(edit(3)) // read by the second look, due at 1.6
			w.after(200 * time.Millisecond)
			w.source.do(edit(4))
			w.after(3 * time.Second)
			w.expect(m11, hostRange(4, 1), mods(m11), mods(m11), mods(m11))
		})
	})
	t.Run("start", func(t *testing.T) {
		synctest.Test(t, func(t *testing.T) {
			source := oneHost()
			source.do(func(s *memory) { s.version = time.Now().Unix() })
			w := watch(t, source)
			w.after(10 * time.Millisecond)
			w.source.do(edit(4))
			w.after(3 * time.Second)
			w.expect(m11, hostRange(4, 1), mods(m11))
		})
	})
}

// What another replica pruned while the database was out of reach cannot be
// read any more, so everything is.
func TestWatcherReadsAllAfterALongAbsence(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := watchWith(t, oneHost(), func(c *dns.Config) { c.ChangeRetention, c.ReloadInterval = time.Minute, time.Hour })
		w.after(time.Millisecond)
		w.source.do(func(s *memory) { s.down = true })
		w.after(time.Minute)
		w.source.do(func(s *memory) {
			s.insertHosts(m11, hostN(2))
			s.announce(m11)
			s.changes = nil
			s.insertHosts(m12, hostN(9))
			s.announce(m12)
			s.down = false
		})
		w.after(2 * time.Second)
		w.expect(m11, hostRange(1, 2), mods(m11, m12))
	})
}

func TestWatcherFindsUnannouncedEdits(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := watch(t, oneHost())
		w.after(time.Millisecond)
		w.source.do(func(s *memory) { s.insertHosts(m11, hostN(2)) })
		w.after(reload - poll)
		w.expect(m11, hostRange(1, 1))
		w.after(2 * poll)
		w.expect(m11, hostRange(1, 2), mods(m11))
		w.after(3 * reload) // nothing differs: read, not published
		w.expect(m11, hostRange(1, 2), mods(m11))
		w.expectReads(5, 0)
	})
}

func TestWatcherReadsAllWhenTheVersionGoesBack(t *testing.T) {
	for name, back := range map[string]func(*memory){
		"last change": func(s *memory) { s.version++; s.changes = nil },
		// Somebody else deletes the changes they have read, and ids start anew.
		"deleted changes": func(s *memory) { s.version++; s.changes, s.lastID = nil, 0; s.announce(m12) },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := watch(t, oneHost())
				w.after(time.Millisecond)
				w.source.do(func(s *memory) { s.insertHosts(m11, hostN(2)); back(s) })
				w.after(poll)
				w.expect(m11, hostRange(1, 2), mods(m11))
				w.expectReads(2, 0)
				w.source.do(func(s *memory) { s.insertHosts(m11, hostN(3)); s.announce(m11) })
				w.after(poll)
				w.expect(m11, hostRange(1, 3), mods(m11), mods(m11))
			})
		})
	}
}

func TestWatcherReadsAllWhenMostChanged(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := watch(t, oneHost())
		w.after(time.Millisecond)
		change := func(n int) {
			w.source.do(func(s *memory) {
				for i := range int32(n) {
					s.announce(module(5, i))
				}
			})
			w.after(poll)
		}
		change(1000)
		w.expectReads(1, 1)
		change(1001)
		w.expectReads(2, 1)
	})
}

// What is committed while the watcher reads is not lost, whatever it reads.
func TestWatcherReadsAgainWhatChangedMeanwhile(t *testing.T) {
	for name, first := range map[string]func(*memory){
		"some": func(s *memory) { s.announce(m11) },
		"all":  func(s *memory) { s.version++ },
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w := watch(t, oneHost())
				w.after(time.Millisecond)
				w.source.do(func(s *memory) {
					s.insertHosts(m11, hostN(2))
					first(s)
					s.onRead = func(s *memory) { s.insertHosts(m11, hostN(3)); s.announce(m11) }
				})
				w.after(2 * poll)
				w.expect(m11, hostRange(1, 3), mods(m11), mods(m11))
			})
		})
	}
}

func TestWatcherWaitsForTheDatabase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := oneHost()
		source.down = true
		w := watch(t, source)
		w.after(time.Minute)
		if n := w.log.count("waiting for the database"); n < 1 || n > 7 {
			t.Errorf("waiting is logged %d times a minute", n)
		}
		if w.table != nil {
			t.Fatal("something was published")
		}
		source.do(func(s *memory) {
			if s.migrated < 60 {
				t.Errorf("tried %d times in a minute, want each second", s.migrated)
			}
			s.down = false
		})
		w.after(time.Second)
		w.expect(m11, hostRange(1, 1))
		if w.log.count("answers again") != 1 || w.log.count("database migrated") != 1 {
			t.Errorf("log:\n%s", w.log.buf.String())
		}
	})
}

func TestWatcherOutlivesTheDatabase(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := watch(t, oneHost())
		w.after(time.Millisecond)
		w.source.do(func(s *memory) {
			s.down = true
			s.insertHosts(m11, hostN(2))
			s.announce(m11)
		})
		w.after(time.Hour)
		w.expect(m11, hostRange(1, 1))
		if n := w.log.count("database error"); n < 2 || n > 361 {
			t.Errorf("the error is logged %d times an hour", n)
		}
		w.source.do(func(s *memory) { s.down = false })
		w.after(time.Second)
		w.expect(m11, hostRange(1, 2), mods(m11))
		if w.log.count("answers again") != 1 {
			t.Error("its return is not logged")
		}
	})
}

func TestWatcherAsksAnewWhenTheDatabaseHangs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := watch(t, oneHost())
		w.after(time.Millisecond)
		w.source.do(func(s *memory) { s.hang = true; s.asked = 0 })
		w.after(time.Minute)
		w.source.do(func(s *memory) {
			if s.asked < 15 || s.asked > 40 {
				t.Errorf("asked %d times in a minute", s.asked)
			}
			s.hang = false
			s.announce(m12)
			s.insertHosts(m12, hostN(1))
		})
		w.after(3 * time.Second)
		w.expect(m12, hostRange(1, 1), mods(m12))
		if w.log.count("no answer for 2s") == 0 {
			t.Error("the cause is not logged")
		}
	})
}

// Tables of an older version are served if nobody gave the right to migrate
// them, and those that cannot be read are not.
func TestWatcherServesTablesThatItMayNotMigrate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		source := oneHost()
		source.denied, source.down = true, true
		w := watch(t, source)
		w.after(time.Minute)
		if w.log.count("waiting for the database") == 0 || w.log.count("served as they are") != 0 {
			t.Errorf("tables that cannot be read:\n%s", w.log.buf.String())
		}
		source.do(func(s *memory) { s.down = false })
		w.after(time.Second)
		w.expect(m11, hostRange(1, 1))
		if w.log.count("older tables are served as they are") != 1 || w.log.count("run lars db init") == 0 {
			t.Errorf("nobody is told:\n%s", w.log.buf.String())
		}
	})
}
