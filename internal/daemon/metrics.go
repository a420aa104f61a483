package daemon

import (
	"log/slog"
	"net/http"
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

const (
	// maxScrapes bounds the scrapes under way. The next are answered 503.
	maxScrapes = 8
	// scrapeTimeout is how long one may take to be put together, by which a
	// monitoring system has given up: 10 s is Prometheus's own default.
	scrapeTimeout = 10 * time.Second
)

// metrics is what GET /metrics shows.
type metrics struct {
	registry *prometheus.Registry
	log      *slog.Logger
}

// newMetrics has those that every process has.
func newMetrics(name, version string, log *slog.Logger) *metrics {
	m := &metrics{prometheus.NewRegistry(), log}
	build := prometheus.NewGauge(prometheus.GaugeOpts{
		Name: "lars_build_info", Help: "1, with what was built, and by which Go, as labels.",
		ConstLabels: prometheus.Labels{"program": name, "version": version, "go_version": runtime.Version()},
	})
	build.Set(1)
	m.registry.MustRegister(build,
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		ErrorLog:            slog.NewLogLogger(m.log.Handler(), slog.LevelWarn),
		MaxRequestsInFlight: maxScrapes,
		Timeout:             scrapeTimeout,
	})
}
