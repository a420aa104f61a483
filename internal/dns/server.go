package dns

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/wire"
	"github.com/lars-lb/lars/proto/larspb"
	"github.com/lars-lb/lars/reactor"
)

// Server is lars-dns. Its methods may be called from any goroutine.
type Server struct {
	config   Config
	source   Source
	log      *slog.Logger
	counters counters
	table    atomic.Pointer[Table]
	tcp      *reactor.TCPServer
	workers  map[*reactor.Loop]*worker // complete before the loops run

	closing context.Context // done after Close
	close   context.CancelFunc
}

// New binds the address, so that one in use is reported at once. Connections
// wait in the kernel until Serve has loaded the routes. The source stays the
// caller's, to be closed once Serve has returned. The caller must call Serve
// or Close.
func New(cfg Config, source Source, log *slog.Logger) (*Server, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	s := &Server{config: cfg, source: source, log: log, workers: make(map[*reactor.Loop]*worker)}
	s.table.Store(&Table{})
	s.closing, s.close = context.WithCancel(context.Background())

	router := reactor.NewRouter[*reactor.TCPConn]()
	router.Handle(int32(larspb.MessageId_ID_GetRouteRequest), func(conn *reactor.TCPConn, body []byte) error {
		c := clientOf(conn)
		return c.worker.answer(c, body)
	})
	var err error
	s.tcp, err = reactor.ListenTCP(reactor.TCPServerConfig{
		Addr:    cfg.Listen,
		MaxConn: cfg.MaxConn,
		Workers: cfg.Threads,
		Conn:    reactor.ConnConfig{MaxOutput: cfg.MaxBuffered + wire.HeadSize + wire.MaxBody},
		Hooks: reactor.ConnHooks{
			OnOpen:  s.opened,
			OnDrain: func(conn *reactor.TCPConn) { clientOf(conn).drained() },
			OnClose: func(conn *reactor.TCPConn, reason error) { clientOf(conn).closed(reason) },
		},
	}, router)
	if err != nil {
		s.close()
		return nil, err
	}
	slow := &faultLog{log: log}
	for _, l := range s.tcp.Loops() {
		s.workers[l] = &worker{
			loop: l, config: &s.config, table: &s.table, counters: &s.counters, slow: slow,
			subscribers: make(map[route.Module][]*client),
		}
	}
	return s, nil
}

func (s *Server) opened(conn *reactor.TCPConn) {
	conn.SetValue(&client{conn: conn, worker: s.workers[conn.Loop()], places: make(map[route.Module]int)})
}

func clientOf(conn *reactor.TCPConn) *client { return conn.Value().(*client) }

// Addr is the address that the server listens on.
func (s *Server) Addr() netip.AddrPort { return s.tcp.Addr() }

// Close ends Serve; it does not wait for it. It may be called more than once.
func (s *Server) Close() {
	s.close()
	s.tcp.Close()
}

// Serve waits for the database, loads the routes, and then answers and pushes
// until ctx is done or Close is called; it returns nil then. It returns an
// error only if an event loop failed. It may be called once.
func (s *Server) Serve(ctx context.Context) error {
	defer s.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.closing, cancel)()

	w := newWatcher(s.source, &s.config, &s.counters, s.log, s.publish)
	if w.load(ctx) != nil {
		return nil // stopped before it had anything to serve
	}
	s.counters.ready.Store(true)
	s.log.Info("serving", "addr", s.Addr())

	var running sync.WaitGroup
	running.Go(func() { w.run(ctx) })
	running.Go(func() { s.prune(ctx) })
	err := s.tcp.Serve(ctx)
	cancel()
	running.Wait()
	return err
}

// publish is called by the watcher's goroutine.
func (s *Server) publish(ctx context.Context, t *Table, changed []route.Module) {
	s.table.Store(t)
	if len(changed) == 0 {
		return
	}
	for l, w := range s.workers {
		for errors.Is(l.Post(func() { w.push(changed) }), reactor.ErrFull) {
			// The loop has tens of thousands of tasks to do, but it does them.
			if !sleep(ctx, 10*time.Millisecond) {
				return
			}
		}
	}
}

// prune deletes old changes from the database now and then.
func (s *Server) prune(ctx context.Context) {
	faults := faultLog{log: s.log}
	for {
		n, err := s.source.PruneChanges(ctx, s.config.ChangeRetention)
		s.counters.pruned.Add(uint64(n))
		if err != nil && ctx.Err() == nil {
			s.counters.databaseErrors.Add(1)
			faults.warn("old changes were not deleted", "err", err)
		}
		if !sleep(ctx, s.config.PruneInterval) {
			return
		}
	}
}

// sleep reports false when ctx ended before d had passed.
func sleep(ctx context.Context, d time.Duration) bool {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return ctx.Err() == nil
	case <-ctx.Done():
		return false
	}
}
