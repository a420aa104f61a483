package dns_test

import (
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/dns"
	"github.com/lars-lb/lars/internal/eventually"
	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/snapshot"
	"github.com/lars-lb/lars/internal/store"
)

// saving is quick with a file of routes.
func saving(t testing.TB) dns.Config {
	cfg := quick()
	cfg.Snapshot = filepath.Join(t.TempDir(), "var", "routes")
	return cfg
}

// saved is what the file holds.
func saved(t testing.TB, path string) (snapshot.Info, routes) {
	t.Helper()
	r := make(routes)
	info, err := snapshot.Read(path, "lars-dns", func(m route.Module, nodes []route.Node) { r[m] = slices.Clone(nodes) })
	if err != nil {
		t.Fatal(err)
	}
	return info, r
}

func writeFile(t testing.TB, path string, at time.Time, r routes) {
	t.Helper()
	if err := snapshot.Write(path, snapshot.Head{Owner: "lars-dns", SavedAt: at, Version: 7}, maps.All(r)); err != nil {
		t.Fatal(err)
	}
}

// down is a Source that does not answer yet.
func down(source dns.Source) *switchable {
	s := &switchable{Source: source}
	s.down.Store(true)
	return s
}

func TestRoutesAreSaved(t *testing.T) {
	cfg := saving(t)
	db := openStore(t, sqlite(t))
	add(t, db, m11, hostN(1))
	s := start(t, cfg, db, quiet())
	s.eventually("the first routes are saved", func(st dns.Stats) bool { return st.Snapshot.Saves == 1 })
	add(t, db, m12, hostN(2))
	s.eventually("a change is served", func(st dns.Stats) bool { return st.Hosts == 2 })
	version := s.Stats().Version
	s.stop() // which saves what is new, if it is
	info, got := saved(t, cfg.Snapshot)
	want := routes{m11: hostRange(1, 1), m12: hostRange(2, 1)}
	if info.Version != version || !maps.EqualFunc(got, want, slices.Equal) {
		t.Errorf("version %d of %d, %v", info.Version, version, got)
	}
	if st := s.Stats(); st.Stale || st.SnapshotAgeMS < 0 || st.SnapshotAgeMS > time.Hour.Milliseconds() || st.Snapshot.Failures > 0 {
		t.Errorf("%+v", st)
	}
}

// Served at once are the routes of the file, marked, and nothing is said of
// other modules. When the database is there, everybody is told what differs, and
// those who were told nothing are told that as well.
func TestSavedRoutesAreServedUntilTheDatabaseAnswers(t *testing.T) {
	cfg := saving(t)
	writeFile(t, cfg.Snapshot, time.Now().Add(-time.Hour), routes{m11: hostRange(1, 2), m12: hostRange(5, 1), module(1, 3): hostRange(6, 1)})
	db := openStore(t, sqlite(t))
	add(t, db, m11, hostRange(1, 3)...) // one more than was known
	add(t, db, m12, hostN(5))           // as it was
	add(t, db, module(9, 9), hostN(9))  // new; (1,3) is gone, (9,8) never was
	source, log := down(db), new(logBuffer)
	s := start(t, cfg, source, log.logger())
	a, b := s.dial(), s.dial()
	for _, m := range mods(m11, module(9, 9), m12, module(9, 8), module(1, 3)) {
		a.ask(m)
	}
	a.expectStale(m11, hostRange(1, 2)...)
	a.expectStale(m12, hostN(5))
	a.expectStale(module(1, 3), hostN(6))
	b.ask(module(9, 9))
	b.ask(m12)
	b.expectStale(m12, hostN(5))
	st := s.Stats()
	if !s.Ready() || !st.Stale || st.Version != 7 || st.Hosts != 4 || st.Unanswered != 3 ||
		st.SnapshotAgeMS < time.Hour.Milliseconds() || st.Snapshot.Saves != 0 {
		t.Errorf("%+v", st)
	}
	if log.count("serving the saved routes") != 1 || log.count("age=1h0m") != 1 {
		t.Errorf("log:\n%s", log.buf.String())
	}

	source.down.Store(false)
	told := make(map[route.Module][]route.Node)
	for range 4 {
		m, hosts, err := a.read()
		if err != nil {
			t.Fatal(err)
		}
		told[m] = hosts
	}
	want := map[route.Module][]route.Node{
		m11: hostRange(1, 3), module(9, 9): hostRange(9, 1), module(9, 8): nil, module(1, 3): nil,
	}
	if !maps.EqualFunc(told, want, slices.Equal) {
		t.Errorf("told %v, want %v", told, want)
	}
	a.expectNothing(module(50, 1))
	b.expect(module(9, 9), hostN(9))
	b.expectNothing(module(50, 2))
	s.eventually("the file is replaced", func(st dns.Stats) bool { return st.Snapshot.Saves == 1 && !st.Stale })
	if _, got := saved(t, cfg.Snapshot); len(got) != 3 || len(got[m11]) != 3 {
		t.Errorf("saved %v", got)
	}
	add(t, db, module(9, 8), hostN(8)) // whoever was told late is told on
	a.expect(module(9, 8), hostN(8))
}

// A database that gives no sign is not waited for either.
func TestSavedRoutesAreServedWhileTheDatabaseHangs(t *testing.T) {
	cfg := saving(t)
	writeFile(t, cfg.Snapshot, time.Now(), routes{m11: hostRange(1, 2)})
	source := oneHost()
	source.hang = true
	s := start(t, cfg, source, quiet())
	a := s.dial()
	a.ask(m11)
	a.expectStale(m11, hostRange(1, 2)...)
	source.do(func(s *memory) { s.hang = false })
	a.expect(m11, hostN(1))
	s.eventually("it is not stale any more", func(st dns.Stats) bool { return !st.Stale })
}

// A file that says what the database says is left as it is until it is old.
func TestFileIsKept(t *testing.T) {
	for age, saves := range map[time.Duration]uint64{time.Minute: 0, 2 * time.Hour: 1} {
		cfg := saving(t)
		at := time.UnixMilli(time.Now().Add(-age).UnixMilli())
		writeFile(t, cfg.Snapshot, at, routes{m11: hostRange(1, 1)})
		source := down(oneHost())
		s := start(t, cfg, source, quiet())
		a := s.dial()
		a.ask(m11)
		a.expectStale(m11, hostN(1))
		source.down.Store(false)
		s.eventually("the database is asked", func(st dns.Stats) bool { return !st.Stale })
		a.subscribe(m11, hostN(1)) // there was nothing to push
		s.stop()
		if st := s.Stats(); st.Snapshot.Saves != saves {
			t.Errorf("after %v: saved %d times, want %d", age, st.Snapshot.Saves, saves)
		}
		if info, _ := saved(t, cfg.Snapshot); info.SavedAt.Equal(at) != (saves == 0) {
			t.Errorf("after %v it was saved at %v", age, info.SavedAt)
		}
	}
}

// Without a file that is good nothing is answered before the database is.
func TestFileThatIsNoGood(t *testing.T) {
	for name, c := range map[string]struct {
		prepare func(t *testing.T, cfg *dns.Config)
		says    string
	}{
		"damaged": {func(t *testing.T, cfg *dns.Config) {
			writeFile(t, cfg.Snapshot, time.Now(), routes{m11: hostRange(1, 2)})
			content, err := os.ReadFile(cfg.Snapshot)
			if err != nil {
				t.Fatal(err)
			}
			content[len(content)/2]++
			if err := os.WriteFile(cfg.Snapshot, content, 0o600); err != nil {
				t.Fatal(err)
			}
		}, "were set aside"},
		"too old": {func(t *testing.T, cfg *dns.Config) {
			cfg.SnapshotMaxAge = time.Hour
			writeFile(t, cfg.Snapshot, time.Now().Add(-2*time.Hour), routes{m11: hostRange(1, 2)})
		}, "too old"},
		"empty": {func(t *testing.T, cfg *dns.Config) { writeFile(t, cfg.Snapshot, time.Now(), nil) }, ""},
		"a folder": {func(t *testing.T, cfg *dns.Config) {
			if err := os.MkdirAll(cfg.Snapshot, 0o700); err != nil {
				t.Fatal(err)
			}
		}, "not a regular file"},
		"none": {func(*testing.T, *dns.Config) {}, ""},
		"off":  {func(_ *testing.T, cfg *dns.Config) { cfg.Snapshot = "" }, ""},
	} {
		t.Run(name, func(t *testing.T) {
			cfg, log := saving(t), new(logBuffer)
			c.prepare(t, &cfg)
			source := down(oneHost())
			s := start(t, cfg, source, log.logger())
			a := s.dial()
			a.ask(m11)
			s.eventually("some tries have failed", func(st dns.Stats) bool { return st.DatabaseErrors >= 3 })
			if s.Ready() || s.Stats().Answers > 0 || c.says != "" && log.count(c.says) != 1 {
				t.Errorf("ready: %v, log:\n%s", s.Ready(), log.buf.String())
			}
			source.down.Store(false)
			a.expect(m11, hostN(1))
		})
	}
}

// Who replaces a whole installation's routes while lars-dns is down is doubted
// as well: the file is what was served last.
func TestEmptyDatabaseAfterAStart(t *testing.T) {
	for name, late := range map[string]bool{"at once": false, "later": true} {
		t.Run(name, func(t *testing.T) {
			cfg := saving(t)
			writeFile(t, cfg.Snapshot, time.Now(), routes{m11: hostRange(1, 20)})
			db := openStore(t, sqlite(t))
			add(t, db, m12, hostN(5))
			source := &switchable{Source: db}
			source.down.Store(late)
			s := start(t, cfg, source, quiet())
			a := s.dial()
			if late {
				a.ask(m11)
				a.expectStale(m11, hostRange(1, 20)...)
				a.ask(module(8, 8))
				s.eventually("nothing is said of another module", func(st dns.Stats) bool { return st.Unanswered == 1 })
				source.down.Store(false)
				a.expect(module(8, 8))
			}
			a.subscribe(m11, hostRange(1, 20)...)
			a.subscribe(m12, hostN(5))
			st := s.Stats()
			if !st.ShrinkHeld || st.HeldHosts != 20 || st.HeldOf != 20 || st.ShrinksHeld != 1 || st.Stale || st.Hosts != 21 ||
				st.HeldLeftMS <= 0 || st.HeldLeftMS > confirm.Milliseconds() {
				t.Errorf("%+v", st)
			}
			if _, err := s.Accept(t.Context()); err != nil {
				t.Fatal(err)
			}
			if st := s.Stats(); st.ShrinkHeld || st.Hosts != 1 {
				t.Errorf("accepted: %+v", st)
			}
			a.expect(m11)
			if _, err := s.Accept(t.Context()); !errors.Is(err, dns.ErrNothingHeld) {
				t.Errorf("accepted twice: %v", err)
			}
			eventually.True(t, patience, "the file says so", func() bool { _, r := saved(t, cfg.Snapshot); return len(r) == 1 })
		})
	}
}

// Stopped while it waits for the database, it leaves the file as it is.
func TestStopWhileStale(t *testing.T) {
	cfg := saving(t)
	writeFile(t, cfg.Snapshot, time.Now(), routes{m11: hostRange(1, 2)})
	before, err := os.ReadFile(cfg.Snapshot)
	if err != nil {
		t.Fatal(err)
	}
	s := start(t, cfg, down(oneHost()), quiet())
	s.eventually("it serves", func(st dns.Stats) bool { return st.Stale })
	s.stop()
	after, err := os.ReadFile(cfg.Snapshot)
	if err != nil || !slices.Equal(before, after) {
		t.Errorf("the file is another: %v", err)
	}
}

// Nothing of a Lars 1.0 database says how its routes were saved: lars-dns makes
// a file at once, so that the next start has one.
func TestFirstStartMakesAFile(t *testing.T) {
	cfg := saving(t)
	if _, err := os.Stat(cfg.Snapshot); !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	s := start(t, cfg, openStore(t, store.Config{Driver: store.SQLite, Path: filepath.Join(t.TempDir(), "lars.db")}), quiet())
	s.eventually("a file of nothing is saved", func(st dns.Stats) bool { return st.Snapshot.Saves == 1 })
	if info, _ := saved(t, cfg.Snapshot); info.Modules != 0 {
		t.Errorf("%+v", info)
	}
}
