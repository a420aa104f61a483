package snapshot_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"iter"
	"log/slog"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/snapshot"
)

const owner = "lars-dns"

// logBuffer collects a log.
type logBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *logBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *logBuffer) count(s string) int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return strings.Count(b.buf.String(), s)
}

func (b *logBuffer) logger() *slog.Logger { return slog.New(slog.NewTextHandler(b, nil)) }

// saving is a Saver of one module, whose only host has the port version.
type saving struct {
	*snapshot.Saver
	version atomic.Int64
	stop    func() // and wait for it
}

func save(t *testing.T, path string, log *slog.Logger) *saving {
	s := new(saving)
	s.Saver = snapshot.NewSaver(snapshot.SaverConfig{Path: path, Owner: owner, Log: log},
		func() (int64, iter.Seq2[route.Module, []route.Node]) {
			v := s.version.Load()
			return v, maps.All(map[route.Module][]route.Node{{ModID: 1, CmdID: 1}: {{IP: 1, Port: uint16(v)}}})
		})
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { defer close(done); s.Run(ctx) }()
	s.stop = func() { cancel(); <-done }
	t.Cleanup(s.stop)
	return s
}

// change sets a version, and waits d.
func (s *saving) change(version int64, d time.Duration) {
	s.version.Store(version)
	s.Changed()
	time.Sleep(d)
	synctest.Wait()
}

// versionOf is what the file at path says, 0 if there is none.
func versionOf(t *testing.T, path string) int64 {
	t.Helper()
	var port uint16
	info, err := snapshot.Read(path, owner, func(_ route.Module, nodes []route.Node) { port = nodes[0].Port })
	if errors.Is(err, fs.ErrNotExist) {
		return 0
	}
	if err != nil || int64(port) != info.Version {
		t.Fatalf("version %d of %d: %v", info.Version, port, err)
	}
	return info.Version
}

func TestSaverSavesChangesAtABoundedRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "made", "too", "routes")
		s := save(t, path, slog.New(slog.DiscardHandler))
		time.Sleep(time.Hour)
		if versionOf(t, path) != 0 {
			t.Error("saved without a change")
		}
		s.change(1, time.Millisecond)
		if v := versionOf(t, path); v != 1 {
			t.Errorf("version %d after the first change", v)
		}
		first := s.Stats()
		for v := int64(2); v < 40; v++ {
			s.change(v, 100*time.Millisecond)
		}
		if v := versionOf(t, path); v != 1 {
			t.Errorf("version %d within the interval", v)
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		if v := versionOf(t, path); v != 39 || s.Stats().Saves != 2 {
			t.Errorf("version %d after the interval, %+v", v, s.Stats())
		}
		s.change(40, 0)
		s.stop()
		st, err := os.Stat(path)
		if err != nil {
			t.Fatal(err)
		}
		last := s.Stats()
		if v := versionOf(t, path); v != 40 || last.Saves != 3 || last.Failures != 0 || last.Bytes != st.Size() ||
			last.SavedAtMS != time.Now().UnixMilli() || last.SavedAtMS <= first.SavedAtMS {
			t.Errorf("version %d at the end, %+v", v, last)
		}
	})
}

func TestSaverWithNothingNewSavesNothingAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := save(t, filepath.Join(t.TempDir(), "routes"), slog.New(slog.DiscardHandler))
		s.change(1, time.Minute)
		s.stop()
		if st := s.Stats(); st.Saves != 1 {
			t.Errorf("%+v", st)
		}
	})
}

func TestSaverWithoutAPath(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		t.Chdir(t.TempDir())
		s := save(t, "", slog.New(slog.DiscardHandler))
		s.change(1, time.Minute)
		s.stop()
		if left, _ := os.ReadDir("."); len(left) > 0 || s.Stats() != (snapshot.SaverStats{}) {
			t.Errorf("files %v, %+v", left, s.Stats())
		}
	})
}

// Each of these keeps a file from being written; cured, the Saver goes on.
func TestSaverOutlivesWhatKeepsItFromWriting(t *testing.T) {
	for name, c := range map[string]struct {
		spoil, cure func(path string) error
	}{
		"a file in place of the folder": {
			func(path string) error { return os.WriteFile(filepath.Dir(path), nil, 0o600) },
			func(path string) error { return os.Remove(filepath.Dir(path)) },
		},
		"a folder in place of the file": {
			func(path string) error { return os.MkdirAll(filepath.Join(path, "full"), 0o700) },
			func(path string) error { return os.RemoveAll(path) },
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				path := filepath.Join(t.TempDir(), "var", "routes")
				if err := c.spoil(path); err != nil {
					t.Fatal(err)
				}
				log := new(logBuffer)
				s := save(t, path, log.logger())
				s.change(7, time.Hour)
				st := s.Stats()
				if n := log.count("cannot be saved"); n < 2 || n > 61 {
					t.Errorf("logged %d times an hour", n)
				}
				if st.Saves != 0 || st.Failures < 60 || st.Failures > 70 {
					t.Errorf("in an hour: %+v", st)
				}
				if err := c.cure(path); err != nil {
					t.Fatal(err)
				}
				time.Sleep(time.Minute)
				synctest.Wait()
				if v := versionOf(t, path); v != 7 || log.count("saved again") != 1 {
					t.Errorf("version %d, log:\n%s", v, log.buf.String())
				}
				failures := s.Stats().Failures
				s.change(8, 5*time.Second)
				if v := versionOf(t, path); v != 8 || s.Stats().Failures != failures {
					t.Errorf("version %d after it was cured", v)
				}
			})
		})
	}
}

func TestSaverFailsOnceMoreAtTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := save(t, t.TempDir(), slog.New(slog.DiscardHandler)) // a folder
		s.change(1, time.Millisecond)
		s.stop()
		if st := s.Stats(); st.Failures != 2 {
			t.Errorf("%+v", st)
		}
	})
}

func TestSaversOfOnePath(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "routes")
		log := new(logBuffer)
		first, second := save(t, path, slog.New(slog.DiscardHandler)), save(t, path, log.logger())
		first.change(1, time.Millisecond)
		second.change(2, time.Minute)
		first.change(3, time.Minute)
		if v := versionOf(t, path); v != 3 || second.Stats().Saves != 0 {
			t.Errorf("version %d", v)
		}
		if log.count("another process writes this file") == 0 {
			t.Errorf("the second does not say why:\n%s", log.buf.String())
		}
		add := func(route.Module, []route.Node) { t.Error("routes of another daemon") }
		if _, ok := snapshot.Load(path, owner, log.logger(), add); ok || log.count("are not used") != 1 {
			t.Errorf("loaded what another writes:\n%s", log.buf.String())
		}
		first.stop()
		time.Sleep(2 * time.Minute)
		synctest.Wait()
		if v := versionOf(t, path); v != 2 {
			t.Errorf("version %d after the first has ended", v)
		}
		second.stop()
		if left, _ := filepath.Glob(path + "*"); !slices.Equal(left, []string{path, path + ".lock"}) {
			t.Errorf("files left: %q", left)
		}
	})
}

// The one before lets go of its file a moment after its port is free.
func TestLoadWaitsForTheOneBefore(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "routes")
		before := save(t, path, slog.New(slog.DiscardHandler))
		before.change(1, time.Millisecond)
		go func() { time.Sleep(100 * time.Millisecond); before.stop() }()
		info, ok := snapshot.Load(path, owner, slog.New(slog.DiscardHandler), func(route.Module, []route.Node) {})
		if !ok || info.Version != 1 {
			t.Errorf("%+v, %v", info, ok)
		}
	})
}
