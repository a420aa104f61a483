package dns

import (
	"context"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/snapshot"
	"github.com/lars-lb/lars/internal/wire"
	"github.com/lars-lb/lars/proto/larspb"
	"github.com/lars-lb/lars/reactor"
)

// databasePatience is how long after the start those of the file are served if
// the database has not given its routes.
const databasePatience = time.Second

// Server is lars-dns. Its methods may be called from any goroutine.
type Server struct {
	config   Config
	source   Source
	log      *slog.Logger
	counters counters
	routes   atomic.Pointer[routes]
	saver    *snapshot.Saver
	tcp      *reactor.TCPServer
	workers  map[*reactor.Loop]*worker // complete before the loops run

	closing context.Context // done after Close
	close   context.CancelFunc
}

// New binds the address, so that one in use is reported at once. Connections
// wait in the kernel until Serve has routes. The source stays the
// caller's, to be closed once Serve has returned. The caller must call Serve
// or Close.
func New(cfg Config, source Source, log *slog.Logger) (*Server, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	s := &Server{config: cfg, source: source, log: log, workers: make(map[*reactor.Loop]*worker)}
	var limit unix.Rlimit
	if unix.Getrlimit(unix.RLIMIT_NOFILE, &limit) == nil {
		checkDescriptors(limit, cfg.MaxConn, log)
	}
	s.routes.Store(&routes{table: &Table{}})
	s.saver = snapshot.NewSaver(snapshot.SaverConfig{Path: cfg.Snapshot, Owner: owner, Log: log}, s.toSave)
	s.closing, s.close = context.WithCancel(context.Background())

	router := reactor.NewRouter[*reactor.TCPConn]()
	router.Handle(int32(larspb.MessageId_ID_GetRouteRequest), func(conn *reactor.TCPConn, body []byte) error {
		c := clientOf(conn)
		return c.worker.answer(c, body)
	})
	router.Handle(int32(larspb.MessageId_ID_GetRoutesRequest), func(conn *reactor.TCPConn, body []byte) error {
		c := clientOf(conn)
		return c.worker.answerMany(c, body)
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
			loop: l, config: &s.config, routes: &s.routes, counters: &s.counters, slow: slow,
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

// Serve answers and pushes until ctx is done or Close is called; it returns nil
// then. It begins when the database has given its routes or, if it does not do so
// soon, with those of the file; without a file it waits for the database. It
// returns an error only if an event loop failed. It may be called once.
func (s *Server) Serve(ctx context.Context) error {
	defer s.Close()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(s.closing, cancel)()

	began := time.Now()
	saved := s.readSaved()
	w := newWatcher(s.source, &s.config, &s.counters, s.log, s.publish)
	w.changed = s.saver.Changed
	if saved != nil {
		w.served, w.savedAt = saved.table, saved.info.SavedAt
	}
	nothing := s.routes.Load()
	// The saver ends last, so that it knows of everything that was published.
	saving, stopSaving := context.WithCancel(context.Background())
	var saver, running sync.WaitGroup
	defer saver.Wait()
	defer stopSaving()
	defer running.Wait()
	defer cancel()
	saver.Go(func() { s.saver.Run(saving) })
	running.Go(func() {
		if w.load(ctx) == nil {
			w.run(ctx)
		}
	})
	if !s.awaitRoutes(ctx, w, saved, nothing, began.Add(databasePatience)) {
		return nil // stopped before it had anything to serve
	}
	s.counters.ready.Store(true)
	s.log.Info("serving", "addr", s.Addr())
	running.Go(func() {
		select {
		case <-w.loaded: // before that there is no database to delete from
			s.prune(ctx)
		case <-ctx.Done():
		}
	})
	return s.tcp.Serve(ctx)
}

// awaitRoutes returns when there is something to serve in place of nothing, the
// saved ones from a time on, or reports false when ctx is done.
func (s *Server) awaitRoutes(ctx context.Context, w *watcher, saved *savedRoutes, nothing *routes, savedFrom time.Time) bool {
	var late <-chan time.Time
	var failed <-chan struct{}
	if saved != nil {
		timer := time.NewTimer(time.Until(savedFrom))
		defer timer.Stop()
		late, failed = timer.C, w.failedOnce
	}
	select {
	case <-w.loaded:
		return true
	case <-ctx.Done():
		return false
	case <-late:
	case <-failed:
	}
	s.serveSaved(saved, nothing)
	return true
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
