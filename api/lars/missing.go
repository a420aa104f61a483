package lars

import (
	"context"
	"errors"
	"maps"
	"sync"
	"time"

	"github.com/lars-lb/lars/internal/route"
)

const (
	// loadTries is how many more times a module that does not exist is asked
	// for, loadPause apart: the agent may be loading its route just now. As
	// Lars 1.0's clients do.
	loadTries = 3
	loadPause = 50 * time.Millisecond

	// missingFor is how long a module that stayed missing is not waited for
	// again.
	missingFor = time.Second

	// maxMissing bounds the modules remembered as missing. Beyond it they are
	// all forgotten, which costs each one wait.
	maxMissing = 4096
)

// missing remembers the modules that do not exist, so that only the first of
// many calls waits for their route to be loaded. The zero value is ready.
type missing struct {
	mu    sync.Mutex
	until map[route.Module]time.Time
}

func (m *missing) has(mod route.Module, now time.Time) bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return now.Before(m.until[mod])
}

func (m *missing) add(mod route.Module, now time.Time) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.until == nil {
		m.until = make(map[route.Module]time.Time)
	}
	if len(m.until) >= maxMissing {
		maps.DeleteFunc(m.until, func(_ route.Module, until time.Time) bool { return !now.Before(until) })
		if len(m.until) >= maxMissing {
			clear(m.until)
		}
	}
	m.until[mod] = now.Add(missingFor)
}

// whileLoading calls ask until it returns something else than ErrNotExist, or
// the module has had the time to be loaded.
func (c *Client) whileLoading(ctx context.Context, deadline time.Time, mod route.Module, ask func() error) error {
	err := ask()
	if !errors.Is(err, ErrNotExist) || c.missing.has(mod, time.Now()) {
		return err
	}
	for range loadTries {
		if !c.pause(ctx, deadline, loadPause) {
			return err
		}
		if err = ask(); !errors.Is(err, ErrNotExist) {
			return err
		}
	}
	c.missing.add(mod, time.Now())
	return err
}
