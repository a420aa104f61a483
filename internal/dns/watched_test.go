package dns_test

import (
	"bytes"
	"context"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/lars-lb/lars/internal/dns"
	"github.com/lars-lb/lars/internal/route"
)

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

// watched is what a watcher has published.
type watched struct {
	t      *testing.T
	source *memory
	log    *logBuffer

	mu      sync.Mutex
	table   *dns.Table
	changed [][]route.Module // of each publication but the first
	fewest  int              // hosts of any publication

	counters dns.Counters
}

// watch runs a watcher in the bubble of t until its end, on a Source in which
// module (1,1) has one host.
func watch(t *testing.T, source *memory) *watched {
	return watchWith(t, source, func(*dns.Config) {})
}

// small makes every table one that is read whole.
func small(c *dns.Config) { c.SmallTable = 100 }

// watchWith is watch with some settings changed.
func watchWith(t *testing.T, source *memory, change func(*dns.Config)) *watched {
	w := &watched{t: t, source: source, log: new(logBuffer)}
	cfg := dns.DefaultConfig()
	cfg.SmallTable = 0
	cfg.PollInterval, cfg.ReloadInterval = poll, reload
	change(&cfg)
	ctx, cancel := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() {
		defer close(done)
		dns.Watch(ctx, source, cfg, &w.counters, w.log.logger(), func(table *dns.Table, changed []route.Module) {
			w.mu.Lock()
			defer w.mu.Unlock()
			if w.table != nil {
				w.changed = append(w.changed, changed)
				w.fewest = min(w.fewest, table.Hosts())
			} else {
				w.fewest = table.Hosts()
			}
			w.table = table
		})
	}()
	t.Cleanup(func() { cancel(); <-done })
	return w
}

func oneHost() *memory {
	s := &memory{version: 1000}
	s.insertHosts(module(1, 1), hostN(1))
	s.announce(module(1, 1))
	return s
}

// after lets d pass.
func (w *watched) after(d time.Duration) {
	time.Sleep(d)
	synctest.Wait()
}

// expect compares a published route, and the modules of all publications.
func (w *watched) expect(m route.Module, hosts []route.Node, publications ...[]route.Module) {
	w.t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.table == nil {
		w.t.Fatal("nothing is published")
	}
	if got := w.table.Lookup(m); !slices.Equal(got, hosts) {
		w.t.Fatalf("route of %v is %v, want %v", m, got, hosts)
	}
	if !slices.EqualFunc(w.changed, publications, slices.Equal) {
		w.t.Fatalf("published %v, want %v", w.changed, publications)
	}
}

func (w *watched) expectReads(all, some int) {
	w.t.Helper()
	w.source.do(func(s *memory) {
		if s.readAll != all || s.readSome != some {
			w.t.Fatalf("read all routes %d times and some %d times, want %d and %d", s.readAll, s.readSome, all, some)
		}
	})
}
