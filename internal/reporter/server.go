package reporter

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"log/slog"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/store"
	"github.com/lars-lb/lars/proto/larspb"
	"github.com/lars-lb/lars/reactor"
)

// Store is where statuses go: a *store.Store.
type Store interface {
	// Migrate makes the tables what they have to be.
	Migrate(ctx context.Context) (from, to int64, err error)
	// SaveStatuses saves each status unless a newer one of its key is there.
	// Saving again after an error must be right.
	SaveStatuses(ctx context.Context, statuses []store.Status) error
	// HasHistory reports whether the tables are those that SaveReports needs.
	HasHistory(ctx context.Context) (bool, error)
	// SaveReports saves each numbered report once, however often it is given.
	SaveReports(ctx context.Context, reports []store.Report, history bool) (store.Saved, error)
	// PruneHistory and PruneSequences delete what is older than keep.
	PruneHistory(ctx context.Context, keep time.Duration) (int64, error)
	PruneSequences(ctx context.Context, keep time.Duration) (int64, error)
}

// Server is a lars-reporter. Its methods may be called on any goroutine.
type Server struct {
	cfg   Config
	store Store
	log   *slog.Logger
	tcp   *reactor.TCPServer

	room    room // for keys
	queue   room // for results of numbered reports
	workers []*worker
	seed    maphash.Seed

	prepared chan struct{} // closed when the tables are ready
	history  atomic.Bool   // they have room for the history; set before that
	outage   outage
	overflow overflow
	count    counters
}

// New binds the address and starts to listen. It does not need the database.
// The caller must call Serve or Close, and keeps st open until Serve returned.
func New(cfg Config, st Store, log *slog.Logger) (*Server, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	s := &Server{
		cfg: cfg, store: st, log: log,
		room:     room{max: int64(cfg.MaxPending)},
		queue:    room{max: int64(cfg.MaxQueued)},
		seed:     maphash.MakeSeed(),
		prepared: make(chan struct{}),
		outage:   outage{log: log},
		overflow: overflow{log: log},
	}
	for range cfg.DBThreads {
		s.workers = append(s.workers, newWorker(&s.room, &s.queue))
	}
	router := reactor.NewRouter[*reactor.TCPConn]()
	router.Handle(int32(larspb.MessageId_ID_ReportStatusRequest), s.onReport)
	var err error
	s.tcp, err = reactor.ListenTCP(reactor.TCPServerConfig{Addr: cfg.Listen, MaxConn: cfg.MaxConn, Workers: cfg.Threads}, router)
	if err != nil {
		return nil, fmt.Errorf("reporter: %w", err)
	}
	return s, nil
}

// Addr is the address that the server listens on.
func (s *Server) Addr() netip.AddrPort { return s.tcp.Addr() }

// Close ends Serve; it does not wait for it. It may be called more than once.
func (s *Server) Close() { s.tcp.Close() }

// Serve takes reports until ctx is done or Close, saves what is pending and
// returns. An error says that an event loop failed or that results were lost.
// It may be called once.
func (s *Server) Serve(ctx context.Context) error {
	s.log.Info("serving", "addr", s.Addr(), "db_threads", s.cfg.DBThreads)
	// Saving outlives ctx, by DrainTimeout at most.
	saving, giveUp := context.WithCancel(context.WithoutCancel(ctx))
	defer giveUp()
	preparing, stopPreparing := context.WithCancel(saving)
	defer stopPreparing()
	stop := make(chan struct{})
	var workers, preparation sync.WaitGroup
	preparation.Go(func() { s.prepare(preparing, stop) })
	preparation.Go(func() { s.prune(preparing) })
	for _, w := range s.workers {
		workers.Go(func() { s.run(saving, w, stop) })
	}

	err := s.tcp.Serve(ctx) // when it returns nothing is put any more
	close(stop)
	defer time.AfterFunc(s.cfg.DrainTimeout, giveUp).Stop()
	workers.Wait()
	stopPreparing() // only the last results needed the tables
	preparation.Wait()
	if lost := s.room.used.Load(); lost > 0 {
		err = errors.Join(err, fmt.Errorf("reporter: the database did not take the last results within %v, those of %d keys are lost", s.cfg.DrainTimeout, lost))
	}
	return err
}

// prepare makes the tables as soon as the database answers. Tables that were
// made by an older version, and that nobody may migrate, do as well: the one
// that is written here has been the same in all of them.
func (s *Server) prepare(ctx context.Context, stop <-chan struct{}) {
	var from, to int64
	var denied error
	ok := s.insist(ctx, stop, func() (err error) {
		from, to, err = s.store.Migrate(ctx)
		if from > 0 && errors.Is(err, store.ErrMayNotMigrate) {
			denied, err = err, nil
		}
		return err
	})
	if !ok {
		return
	}
	if denied != nil {
		s.log.Warn("older tables are written as they are", "err", denied)
	}
	var history bool
	if !s.insist(ctx, stop, func() (err error) {
		history, err = s.store.HasHistory(ctx)
		return err
	}) {
		return
	}
	if !history {
		s.log.Warn("there is no table CallHistory: calls are not counted by the minute until lars db init has made it")
	}
	s.history.Store(history)
	s.log.Info("database is ready", "schema_found", from, "schema", to)
	close(s.prepared)
}

// onReport is called on the event loops.
func (s *Server) onReport(c *reactor.TCPConn, body []byte) error {
	var report larspb.ReportStatusRequest
	if err := report.UnmarshalVT(body); err != nil {
		return fmt.Errorf("reporter: ReportStatusRequest: %w", err)
	}
	if report.BootId != 0 && report.Seq == 0 {
		return errors.New("reporter: ReportStatusRequest: boot_id without seq, which begins with 1")
	}
	agent := store.Agent{Caller: uint32(report.Caller), BootID: report.BootId}
	isNumbered := report.BootId != 0
	if isNumbered && s.answer(c, agent, report.Seq) {
		return nil
	}
	s.count.reports.Add(1)
	module := route.Module{ModID: report.Modid, CmdID: report.Cmdid}
	n := numbered{from: c, report: store.Report{
		Agent: agent, Seq: report.Seq, Module: module, TS: report.Ts,
	}}
	if isNumbered {
		n.report.Results = make([]store.Result, 0, len(report.Results))
	}
	for _, r := range report.Results {
		s.count.results.Add(1)
		s.count.succ.Add(uint64(r.Succ))
		s.count.errs.Add(uint64(r.Err))
		host, ok := route.HostFromNumbers(int64(uint32(r.Ip)), int64(r.Port))
		if !ok {
			s.count.invalid.Add(1)
			continue
		}
		if isNumbered {
			n.report.Results = append(n.report.Results, store.Result{Host: host, Succ: r.Succ, Err: r.Err, Overload: r.Overload})
			continue
		}
		s.put(store.Status{
			Module:   module,
			Host:     host,
			Caller:   agent.Caller,
			Succ:     r.Succ,
			Err:      r.Err,
			TS:       report.Ts,
			Overload: r.Overload,
		})
	}
	if isNumbered {
		s.takeNumbered(c, n)
	}
	return nil
}

// workerOf is the worker that saves the reports of an agent. All agents that
// are reached over IPv6 have the caller 0: the run tells them apart.
func (s *Server) workerOf(a store.Agent) *worker {
	return s.workers[maphash.Comparable(s.seed, a)%uint64(len(s.workers))]
}

func (s *Server) put(st store.Status) {
	// One key, one worker: two must not write a row at the same time.
	n := maphash.Comparable(s.seed, keyOf(st)) % uint64(len(s.workers))
	switch s.workers[n].put(st, s.cfg.EnoughRows) {
	case replaced:
		s.count.replaced.Add(1)
	case stale:
		s.count.stale.Add(1)
	case full:
		s.overflow.dropped(s.count.full.Add(1), s.cfg.MaxPending)
	}
}
