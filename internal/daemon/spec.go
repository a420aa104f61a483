package daemon

import (
	"context"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Service is a running daemon.
type Service interface {
	// Serve blocks until ctx is done, releases everything and returns nil,
	// or returns earlier with what made it fail.
	Serve(ctx context.Context) error
	// Stats returns counters that encoding/json can encode. It is called
	// from any goroutine, at any time after Start.
	Stats() any
}

// Readier is a Service that may need others before it can serve: lars-dns has
// nothing to answer before it has read its database. A Service that is none is
// ready once it was started.
type Readier interface {
	Ready() bool
}

// Explainer is a Service that can say what is the matter with it.
type Explainer interface {
	// Explain returns a sentence for each thing that an operator ought to
	// know, whether or not it keeps the Service from being ready; nil when all
	// is well. Any goroutine may call it.
	Explain() []string
}

// Looper is a Service with event loops, which the admin server watches.
type Looper interface {
	// Loops names the event loops. Any goroutine may call it, and the Busy of
	// each.
	Loops() []Loop
}

// Loop is an event loop of a Service.
type Loop struct {
	Name string
	// Busy is how long it has been at what it does now, 0 while it waits for
	// something to do.
	Busy func() time.Duration
}

// Measured is a Service with metrics of its own.
type Measured interface {
	// Metrics returns what is asked at each scrape, on goroutines of the admin
	// server, beside Serve and perhaps after it.
	Metrics() prometheus.Collector
}

// Router is a Service with more to show to operators than Stats.
type Router interface {
	// Route adds handlers to mux, which the admin server asks for every GET
	// that it has no answer to itself, and for every POST, unless a browser
	// sends it for a page of another site. It is called once, after Start. The
	// handlers run on goroutines of the admin server, beside Serve and perhaps
	// after it.
	Route(mux *http.ServeMux)
}

// Reloader is a Service that can change settings while it serves.
type Reloader[C any] interface {
	// Reload applies the keys of c that Spec.Live names, and no others; all
	// of them or, with an error, none. Calls do not overlap, but run beside
	// Serve.
	Reload(c C) error
}

// LogConfig says what is logged and how.
type LogConfig struct {
	Level  slog.Level // least severe message; changes on reload
	Format string     // "json", or anything else for text
}

// Spec describes a daemon whose configuration is a C.
type Spec[C any] struct {
	Name        string // of the command, such as lars-dns
	About       string // what it does, a few lines for -h
	Environment string // the variables it reads, a line each for -h; may be empty
	DefaultConf string // the configuration file when -conf is not given
	Version     string // set by the build; when empty the Go build information is shown

	// Load reads a configuration file. Its error says file and line.
	Load func(path string) (C, error)
	// Changed names the keys in which two configurations differ, as
	// "[section] key".
	Changed func(old, next C) []string
	// Live tells whether the service's Reload applies a key; nil when it
	// applies none. "[log] level" need not be among them: it always is live.
	Live func(key string) bool
	// Log and Admin pick out the settings that this package needs. Admin is
	// where the admin server listens; the zero value keeps it off.
	Log   func(C) LogConfig
	Admin func(C) netip.AddrPort

	// Start makes the service: it binds what can be bound, so that a port in
	// use is reported now, and does not wait for other machines. It releases
	// everything when it returns an error. ctx is cancelled on a stop.
	Start func(ctx context.Context, c C, log *slog.Logger) (Service, error)
}
