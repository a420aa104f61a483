package snapshot

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/lars-lb/lars/internal/route"
)

const (
	// DefaultInterval is the shortest time between two savings.
	DefaultInterval = 5 * time.Second
	// maxPause bounds the time until what could not be saved is tried again.
	maxPause = time.Minute
	// faultInterval is the shortest time between two records of a failure.
	faultInterval = time.Minute
)

// SaverConfig says what a Saver writes where.
type SaverConfig struct {
	// Path of the file; its folder is made. Empty saves nothing.
	Path string
	// Owner is the daemon, as in Head.
	Owner string
	// Interval is the shortest time between two savings; default
	// DefaultInterval.
	Interval time.Duration
	// AsOf is the time for which the routes that are collected after it are
	// good, which is what the file says. Nil is the time of the saving.
	AsOf func() time.Time
	Log  *slog.Logger
}

// SaverStats is what a Saver has done.
type SaverStats struct {
	Saves     uint64 `json:"saves"`
	Failures  uint64 `json:"failures"`    // savings that were tried in vain
	Bytes     int64  `json:"bytes"`       // of the last file that was saved
	SavedAtMS int64  `json:"saved_at_ms"` // when that was, Unix time; 0: not yet
}

// Saver keeps a file up to date with the routes of a daemon. A failure is
// logged, counted and tried again, and never keeps the daemon from its work.
//
// Of several Savers of one path, in one process or more, only the first
// writes; the others fail until it has ended.
type Saver struct {
	config  SaverConfig
	collect func() (int64, iter.Seq2[route.Module, []route.Node])
	changed chan struct{} // of capacity 1: one change is as good as many

	// Of the goroutine of Run.
	lock  *lock
	sayAt time.Time // when a failure may be logged next
	ill   bool      // a failure was logged, and its end was not

	mu    sync.Mutex
	stats SaverStats
}

// NewSaver returns a Saver of what collect returns: the version of the routes,
// 0 if unknown, and each module once. Run calls it on its own goroutine, and
// what it returned is not used after Run has called it again or returned.
func NewSaver(cfg SaverConfig, collect func() (version int64, routes iter.Seq2[route.Module, []route.Node])) *Saver {
	if cfg.Interval <= 0 {
		cfg.Interval = DefaultInterval
	}
	return &Saver{config: cfg, collect: collect, changed: make(chan struct{}, 1)}
}

// Changed says that there is something new to save. It may be called from any
// goroutine and does not wait.
func (s *Saver) Changed() {
	select {
	case s.changed <- struct{}{}:
	default: // it knows
	}
}

// Stats may be called from any goroutine.
func (s *Saver) Stats() SaverStats {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.stats
}

// Run saves what changed, the first change at once and later ones at most each
// Interval, until ctx is done; and then once more if there is something new.
// It is called once, and nobody else may write the file before it returns.
func (s *Saver) Run(ctx context.Context) {
	if s.config.Path == "" {
		<-ctx.Done()
		return
	}
	defer func() {
		if s.lock != nil {
			s.lock.release()
		}
	}()
	pause := s.config.Interval
	for s.await(ctx) {
		if s.save() {
			pause = s.config.Interval
		} else {
			s.Changed()
		}
		wait := time.NewTimer(pause)
		select {
		case <-wait.C:
		case <-ctx.Done():
			wait.Stop()
		}
		pause = min(2*pause, max(maxPause, s.config.Interval)) // if the next one is in vain, too
	}
	select {
	case <-s.changed:
		s.save()
	default:
	}
}

// await waits for a change; it reports false, and leaves the change there is,
// when ctx is done.
func (s *Saver) await(ctx context.Context) bool {
	select {
	case <-ctx.Done():
		return false
	case <-s.changed:
		if ctx.Err() != nil {
			s.Changed()
			return false
		}
		return true
	}
}

// save reports whether the file is up to date now.
func (s *Saver) save() bool {
	size, at, err := s.write()
	s.mu.Lock()
	if err == nil {
		s.stats.Saves++
		s.stats.Bytes, s.stats.SavedAtMS = size, at.UnixMilli()
	} else {
		s.stats.Failures++
	}
	failures := s.stats.Failures
	s.mu.Unlock()
	log, path := s.config.Log, s.config.Path
	now := time.Now()
	switch {
	case err == nil && s.ill:
		s.ill = false
		log.Info("the routes are saved again", "path", path)
	case err == nil:
		log.Debug("routes saved", "path", path, "bytes", size)
	case !now.Before(s.sayAt):
		s.ill, s.sayAt = true, now.Add(faultInterval)
		log.Error("the routes cannot be saved, trying again", "path", path, "failures", failures, "err", err)
	}
	return err == nil
}

func (s *Saver) write() (size int64, at time.Time, err error) {
	path := s.config.Path
	if s.lock == nil {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return 0, at, fmt.Errorf("snapshot: %w", err)
		}
		if s.lock, err = takeLock(path); err != nil {
			return 0, at, err
		}
	}
	at = time.Now()
	head := Head{Owner: s.config.Owner, SavedAt: at}
	if s.config.AsOf != nil {
		head.SavedAt = s.config.AsOf()
	}
	version, routes := s.collect()
	head.Version = version
	if err := Write(path, head, routes); err != nil {
		return 0, at, err
	}
	st, err := os.Stat(path)
	if err != nil {
		return 0, at, errors.Join(errors.New("snapshot: what was just written is gone"), err)
	}
	return st.Size(), at, nil
}
