package lbagent

import (
	"bytes"
	"context"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/snapshot"
)

// keeping is a keeper of a file in virtual time.
type keeping struct {
	*keeper
	t     *testing.T
	cfg   Config
	down  atomic.Bool // lars-dns is away
	log   *syncBuffer
	start time.Time
	stop  func()
}

// keep writes a file that is so old, if age is positive, and loads it.
func keep(t *testing.T, age, maxAge time.Duration) *keeping {
	k := &keeping{t: t, cfg: DefaultConfig(), log: new(syncBuffer), start: time.Now()}
	k.down.Store(true)
	k.cfg.Snapshot, k.cfg.SnapshotMaxAge = filepath.Join(t.TempDir(), "routes"), maxAge
	if age > 0 {
		k.write(snapshot.Head{Owner: owner, SavedAt: time.Now().Add(-age)})
	}
	log := slog.New(slog.NewTextHandler(k.log, nil))
	k.keeper = newKeeper(&k.cfg, testShards(), func() (time.Duration, bool) { return 0, k.down.Load() }, log)
	k.load(&k.cfg, 0, func() *RouteLB { return newRouteLB(&k.cfg) })
	k.tellRestored()
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); k.run(ctx) }()
	k.stop = func() { cancel(); <-done }
	t.Cleanup(k.stop)
	return k
}

func (k *keeping) write(h snapshot.Head) {
	k.t.Helper()
	routes := maps.All(map[route.Module][]route.Node{module1: nodes(hostA), {ModID: 2}: nodes(hostA, hostB)})
	if err := snapshot.Write(k.cfg.Snapshot, h, routes); err != nil {
		k.t.Fatal(err)
	}
}

// after lets d pass, and returns how old the file says its routes are.
func (k *keeping) after(d time.Duration) (age time.Duration, file snapshot.Info) {
	k.t.Helper()
	time.Sleep(d)
	synctest.Wait()
	info, err := snapshot.Read(k.cfg.Snapshot, owner, func(route.Module, []route.Node) {})
	if err != nil {
		k.t.Fatal(err)
	}
	return time.Since(info.SavedAt).Round(time.Second), info
}

func (k *keeping) arrive(id route.Module, stale bool, hosts ...route.Host) {
	r := k.shards[id.Shard()]
	r.Pick(id, 0)
	apply := r.Apply
	if stale {
		apply = r.ApplyStale
	}
	if apply(id, nodes(hosts...), time.Since(k.start)) {
		k.changed(stale)
	}
}

func TestFileGetsNoYoungerByBeingWritten(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := keep(t, 24*time.Hour, 0)
		if !strings.Contains(k.log.String(), `msg="serving from the snapshot"`) || !strings.Contains(k.log.String(), "age=24h0m0s modules=2 hosts=3") {
			t.Error(k.log.String())
		}
		if v, _ := k.shards[module1.Shard()].View(module1, 0); v.RouteAgeMS != (24 * time.Hour).Milliseconds() {
			t.Errorf("view %+v", v)
		}
		if age, _ := k.after(time.Hour); age != 25*time.Hour {
			t.Errorf("nothing happened, and the file is %v old", age)
		}
		k.arrive(route.Module{ModID: 3}, true, hostA)
		if age, file := k.after(time.Hour); age != 26*time.Hour || file.Modules != 3 {
			t.Errorf("with more from lars-dns's file it is %v old and has %d modules", age, file.Modules)
		}
		k.down.Store(false)
		k.arrive(module1, false, hostB)
		if age, _ := k.after(time.Hour); age != 27*time.Hour {
			t.Errorf("partly current, it is %v old", age)
		}
		if strings.Contains(k.log.String(), "current again") {
			t.Error(k.log.String())
		}
		k.arrive(route.Module{ModID: 2}, false, hostA, hostB)
		k.arrive(route.Module{ModID: 3}, false, hostA)
		if age, _ := k.after(6 * time.Second); age > 6*time.Second {
			t.Errorf("all current, it is %v old", age)
		}
		if n := strings.Count(k.log.String(), `msg="all routes are current again" modules=3 after=3h0m1s`); n != 1 {
			t.Errorf("said %d times:\n%s", n, k.log.String())
		}
		k.stop()
	})
}

func TestFileOfRoutesThatStayIsWrittenNowAndThen(t *testing.T) {
	for maxAge, most := range map[time.Duration]time.Duration{0: 10 * time.Minute, 8 * time.Minute: 2 * time.Minute, time.Second: 5 * time.Second} {
		synctest.Test(t, func(t *testing.T) {
			k := keep(t, 0, maxAge)
			k.down.Store(false)
			k.arrive(module1, false, hostA)
			oldest := time.Duration(0)
			for range 300 {
				age, _ := k.after(7 * time.Second)
				oldest = max(oldest, age)
			}
			if oldest > most+8*time.Second || oldest < most-8*time.Second {
				t.Errorf("max_age %v: it was %v old, want about %v", maxAge, oldest, most)
			}
			k.down.Store(true)
			if age, _ := k.after(time.Hour); age < time.Hour {
				t.Errorf("an hour without lars-dns, and it is %v old", age)
			}
			k.arrive(module1, false, hostB) // what had been on its way
			if age, _ := k.after(0); age < time.Hour {
				t.Errorf("an hour without lars-dns, a change, and it is %v old", age)
			}
			k.stop()
			if age, _ := k.after(0); age < time.Hour {
				t.Errorf("an hour without lars-dns, a stop, and it is %v old", age)
			}
		})
	}
}

func TestStopSavesWhatIsGood(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := keep(t, 0, 0)
		k.down.Store(false)
		k.arrive(module1, false, hostA)
		k.after(time.Minute)
		k.stop()
		if age, _ := k.after(0); age != 0 {
			t.Errorf("it is %v old", age)
		}
	})
}

// Nobody has asked for anything yet: what the file had is worth more.
func TestNothingIsNoReasonToSave(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := keep(t, 2*time.Hour, time.Hour)
		k.down.Store(false)
		if age, file := k.after(time.Hour); age != 3*time.Hour || file.Modules != 2 {
			t.Errorf("the file is %v old and has %d modules", age, file.Modules)
		}
		k.stop()
		if age, _ := k.after(0); age != 3*time.Hour {
			t.Errorf("the file is %v old", age)
		}
	})
}

func TestTooOldAFileIsNotUsed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, age := range []time.Duration{time.Hour - time.Second, time.Hour + time.Second} {
			k := keep(t, age, time.Hour)
			modules := k.shards[module1.Shard()].Stats().Modules
			if used := modules > 0; used != (age < time.Hour) || used != (k.restored.Modules == 2) {
				t.Errorf("%v: %d modules, restored %+v", age, modules, k.restored)
			}
			const says = `msg="the saved routes are too old to be used"`
			if said := strings.Contains(k.log.String(), says); said != (age > time.Hour) {
				t.Errorf("%v:\n%s", age, k.log.String())
			}
			if _, file := k.after(0); file.Modules != 2 {
				t.Errorf("%v: the file has %d modules", age, file.Modules)
			}
			k.stop()
		}
	})
}

// A clock that was wrong makes a file neither younger than now nor older than
// can be told.
func TestAgesAreSane(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := keep(t, 1, 0)
		k.stop()
		for _, c := range []struct {
			at   time.Time
			want time.Duration
		}{
			{time.Now().Add(time.Hour), 0},
			{time.UnixMilli(1<<63 - 1), 0},
			{time.UnixMilli(-1 << 63), maxAge},
			{time.Unix(0, 0), time.Since(time.Unix(0, 0))},
		} {
			k.write(snapshot.Head{Owner: owner, SavedAt: c.at})
			next := newKeeper(&k.cfg, testShards(), nil, slog.New(slog.DiscardHandler))
			next.load(&k.cfg, 0, nil)
			view, _ := next.shards[module1.Shard()].View(module1, 0)
			if next.age != c.want || view.RouteAgeMS != c.want.Milliseconds() || time.UnixMilli(next.goodAt.Load()).After(time.Now()) {
				t.Errorf("%v: age %v, route %d ms, good at %d", c.at, next.age, view.RouteAgeMS, next.goodAt.Load())
			}
		}
	})
}

func TestModulesBeyondTheBoundAreLeftOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		k := keep(t, time.Hour, 0)
		k.stop()
		routes := make(map[route.Module][]route.Node)
		for i := range int32(12) {
			routes[route.Module{ModID: i}] = nodes(hostA)
		}
		if err := snapshot.Write(k.cfg.Snapshot, snapshot.Head{Owner: owner}, maps.All(routes)); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		shards := testShards()
		for i := range shards {
			shards[i] = testLB(func(c *Config) { c.MaxModules = 3 })
		}
		next := newKeeper(&k.cfg, shards, nil, slog.New(slog.NewTextHandler(&out, nil)))
		next.load(&k.cfg, 0, nil)
		if next.restored.Modules != 9 || next.restored.Hosts != 9 || !strings.Contains(out.String(), "left_out=3 kept=9") {
			t.Errorf("%+v\n%s", next.restored, out.String())
		}
	})
}

func TestBadFilesAreSetAside(t *testing.T) {
	good := keep(t, time.Hour, 0)
	good.stop()
	whole, err := os.ReadFile(good.cfg.Snapshot)
	if err != nil {
		t.Fatal(err)
	}
	flipped := bytes.Clone(whole)
	flipped[len(flipped)/2] ^= 1
	foreign := filepath.Join(t.TempDir(), "dns")
	if err := snapshot.Write(foreign, snapshot.Head{Owner: "lars-dns"}, maps.All(map[route.Module][]route.Node{module1: nodes(hostA)})); err != nil {
		t.Fatal(err)
	}
	others, err := os.ReadFile(foreign)
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{
		"empty": {}, "cut short": whole[:len(whole)-3], "changed": flipped, "of lars-dns": others, "text": []byte("routes\n"),
	} {
		if err := os.WriteFile(good.cfg.Snapshot, content, 0o600); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		k := newKeeper(&good.cfg, testShards(), nil, slog.New(slog.NewTextHandler(&out, nil)))
		k.load(&good.cfg, 0, func() *RouteLB { return testLB(nil) })
		aside, err := os.ReadFile(good.cfg.Snapshot + ".bad")
		if err != nil || !bytes.Equal(aside, content) || !strings.Contains(out.String(), "set aside") {
			t.Errorf("%s: %v, aside %d bytes\n%s", name, err, len(aside), out.String())
		}
		if k.restored.Modules != 0 || k.shards[module1.Shard()].Stats().Modules != 0 {
			t.Errorf("%s: restored %+v", name, k.restored)
		}
	}
}
