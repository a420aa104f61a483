package daemon

import (
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"net/netip"
	"sync/atomic"
	"time"
)

// admin is the HTTP server for operators. It has no authentication: it can
// show memory and stall the process, and belongs on a loopback address. A nil
// admin is one that is off.
type admin struct {
	server  *http.Server
	ended   chan struct{} // closed when the server's goroutine has returned
	service atomic.Pointer[Service]
	more    atomic.Pointer[http.ServeMux] // what the service has added; empty if nothing
	metrics *metrics
}

// startAdmin listens on addr and answers that the daemon is starting; nil, and
// no error, for the zero addr.
func startAdmin(addr netip.AddrPort, name, version string, log *slog.Logger) (*admin, error) {
	if addr == (netip.AddrPort{}) {
		return nil, nil
	}
	listener, err := net.Listen("tcp", addr.String())
	if err != nil {
		return nil, fmt.Errorf("admin server: %w", err)
	}
	if !addr.Addr().IsLoopback() {
		log.Warn("the admin server has no password and is not on a loopback address", "addr", addr.String())
	}
	a := &admin{ended: make(chan struct{}), metrics: newMetrics(name, version, log)}
	a.server = &http.Server{
		Handler: a.routes(name + " " + describe(version)),
		// Nobody may hold a connection open for nothing. There is no write
		// limit: a profile takes as long as its request asks for.
		ReadHeaderTimeout: 5 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    64 << 10, // a monitoring system's are a few hundred bytes
		ErrorLog:          slog.NewLogLogger(log.Handler(), slog.LevelWarn),
	}
	log.Info("admin server listening", "addr", listener.Addr().String())
	go func() {
		defer close(a.ended)
		if err := a.server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			log.Error("admin server failed", "err", err)
		}
	}()
	return a, nil
}

// serve lets the server answer for service.
func (a *admin) serve(service Service) {
	if a == nil {
		return
	}
	mux := http.NewServeMux()
	if r, ok := service.(Router); ok {
		r.Route(mux)
	}
	a.more.Store(mux)
	if m, ok := service.(Measured); ok {
		a.metrics.registry.MustRegister(m.Metrics()) // fails only if names clash, which tests of the daemons exclude
	}
	a.service.Store(&service)
}

// stop closes the server and its connections.
func (a *admin) stop() {
	if a != nil {
		a.server.Close()
		<-a.ended
	}
}

func (a *admin) routes(version string) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /healthz", a.health)
	mux.HandleFunc("GET /livez", a.health)
	mux.HandleFunc("GET /readyz", a.ready)
	mux.Handle("GET /metrics", a.metrics.handler())
	mux.HandleFunc("GET /stats", a.stats)
	mux.HandleFunc("GET /version", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, version) })
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	mux.HandleFunc("GET /", a.serveMore)
	// What changes something is for operators, not for a web page that an
	// operator's browser happens to show.
	mux.Handle("POST /", http.NewCrossOriginProtection().Handler(http.HandlerFunc(a.serveMore)))
	return mux
}

// serveMore answers what is the service's own.
func (a *admin) serveMore(w http.ResponseWriter, r *http.Request) {
	mux := a.more.Load()
	if mux == nil {
		http.Error(w, "starting", http.StatusServiceUnavailable)
		return
	}
	mux.ServeHTTP(w, r)
}

func (a *admin) stats(w http.ResponseWriter, _ *http.Request) {
	service := a.service.Load()
	if service == nil {
		http.Error(w, "starting", http.StatusServiceUnavailable)
		return
	}
	body, err := json.MarshalIndent((*service).Stats(), "", "  ")
	if err != nil {
		http.Error(w, "stats: "+err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Write(append(body, '\n'))
}
