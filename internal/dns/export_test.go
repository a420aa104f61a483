package dns

import (
	"context"
	"log/slog"
	"reflect"
	"time"

	"github.com/lars-lb/lars/internal/route"
)

// Watch loads the routes and keeps them up to date until ctx is done.
func Watch(ctx context.Context, source Source, cfg Config, c *Counters, log *slog.Logger, publish func(*Table, []route.Module)) {
	w := newWatcher(source, &cfg, c, log,
		func(_ context.Context, t *Table, changed []route.Module) { publish(t, changed) })
	if w.load(ctx) == nil {
		w.run(ctx)
	}
}

// Counters are what a watcher writes.
type Counters = counters

// Held is what is held back, nil for nothing, and how often that began.
func (c *counters) Held() (*Held, uint64) { return c.held.Load(), c.shrinksHeld.Load() }

// Behind is how often the database showed an older version.
func (c *counters) Behind() uint64 { return c.behind.Load() }

// Approve says that the hosts are to go.
func (h *Held) Approve() { h.given <- struct{}{} }

// FaultLog returns the function that logs one fault at a bounded rate.
func FaultLog(log *slog.Logger) func(msg string, args ...any) bool {
	return (&faultLog{log: log}).warn
}

// Encode returns a function that encodes routes, the result being valid until
// its next call.
func Encode() func(m route.Module, nodes []route.Node, stale bool) ([]byte, error) {
	return new(encoder).encode
}

// EntrySize is what a Builder keeps of a row, bytes.
var EntrySize = reflect.TypeFor[entry]().Size()

// MaxOverlay bounds Overlay; above WantOverlay a watcher has the Table packed.
const (
	MaxOverlay  = maxOverlay
	WantOverlay = wantOverlay
)

// RunLength is how many hosts a Builder packs at a time.
const RunLength = runLength

// Repack is the Table without Overlay.
func (t *Table) Repack() *Table { return t.repack() }

// Overlay is the number of modules beside the packed part.
func (t *Table) Overlay() int { return len(t.overlay) }

// StallLoops keeps every event loop busy, with as many tasks waiting as there
// may be, until release is called.
func (s *Server) StallLoops() (release func()) {
	hold := make(chan struct{})
	for _, l := range s.tcp.Loops() {
		held := make(chan struct{})
		if l.Post(func() { close(held); <-hold }) != nil {
			continue
		}
		<-held
		for l.Post(func() {}) == nil {
		}
	}
	return func() { close(hold) }
}

// Subscriptions counts what the workers hold, on their loops.
func (s *Server) Subscriptions() (modules, places int) {
	for l, w := range s.workers {
		done := make(chan struct{})
		err := l.Post(func() {
			defer close(done)
			modules += len(w.subscribers)
			for _, subs := range w.subscribers {
				places += len(subs)
			}
		})
		if err == nil {
			<-done
		}
	}
	return modules, places
}

// Left counts, once Serve has returned, what the workers still hold.
func (s *Server) Left() int {
	n := 0
	for _, w := range s.workers {
		n += len(w.subscribers)
	}
	return n
}

// Union is what is served of t while the hosts of kept are held back.
func Union(t, kept *Table) *Table { return union(t, kept) }

// Lost counts the hosts of before that after has not.
func Lost(before, after *Table) int { return lost(before, after, Diff(before, after)) }

// TableReader makes a Table of modules as they are read from a file.
type TableReader = tableReader

func (r *tableReader) Add(m route.Module, nodes []route.Node) { r.add(m, nodes) }
func (r *tableReader) Table() *Table                          { return r.table() }

// InOrder reports whether everything came in the order of a Table.
func (r *tableReader) InOrder() bool { return r.builder == nil }

// HighWater is the largest number of a time past.
type HighWater = highWater

// NewHighWater has a window.
func NewHighWater(window time.Duration) *HighWater { return &highWater{window: window} }

func (h *highWater) Note(now time.Time, n int) { h.note(now, n) }
func (h *highWater) Max(now time.Time) int     { return h.max(now) }
func (h *highWater) Marks() int                { return len(h.marks) }
