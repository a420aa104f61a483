package dns

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/lars-lb/lars/internal/metrics"
)

// Metrics are the server's Stats for Prometheus.
func (s *Server) Metrics() prometheus.Collector { return metricsOf(s.Stats) }

// metricsOf says which number of Stats is which metric. One that is new there
// needs a line here and one in docs/OPERATIONS.md; tests hold both.
func metricsOf(stats func() Stats) *metrics.Collector {
	const bad = "Rows of RouteData that are not served as they stand."
	return metrics.New("lars_dns_", stats, slices.Concat([]metrics.Field{
		metrics.Gauge("ready", "ready", "1 when there are routes to serve."),
		metrics.Gauge("version", "route_version", "RouteVersion of the routes that are served; a Unix time, as a rule."),
		metrics.Gauge("modules", "modules", "Modules with hosts."),
		metrics.Gauge("hosts", "hosts", "Hosts of all modules together."),
		metrics.Gauge("routes_age_seconds", "routes_age_seconds", "Since the database said last what the routes are."),
		metrics.Gauge("database_fails", "database_fails", "1 when the database did not answer the last time it was asked."),
		metrics.Counter("database_errors", "database_errors_total", "Questions that the database did not answer."),
		metrics.Counter("database_behind", "database_behind_total", "Times that the database showed an older version than the one served."),
		metrics.Gauge("stale", "stale", "1 while the routes are those of the file, since the database has not answered since the start."),
		metrics.Gauge("snapshot_age_ms", "snapshot_age_seconds", "Since the file of routes was written; 0 without one.").Times(1e-3),
		metrics.Gauge("shrink_held", "shrink_held", "1 while most hosts are gone from the database, and are served on."),
		metrics.Gauge("held_hosts", "held_hosts", "Hosts that are served although the database lacks them."),
		metrics.Gauge("held_of", "held_of_hosts", "The hosts that they are compared with."),
		metrics.Gauge("held_left_ms", "held_left_seconds", "Until they go too, if the database goes on saying the same.").Times(1e-3),
		metrics.Counter("shrinks_held", "shrinks_held_total", "Times that a removal of most hosts was held back."),
		metrics.Gauge("skipped_rows", "bad_rows", bad).With("reason", "address"),
		metrics.Gauge("clamped_rows", "bad_rows", bad).With("reason", "weight"),
		metrics.Gauge("oversized_modules", "oversized_modules", "Modules with more hosts than are served."),
		metrics.Counter("full_reloads", "full_reloads_total", "Times that all routes were read."),
		metrics.Counter("changed_modules", "changed_modules_total", "Modules found changed, after the first load."),
		metrics.Counter("pruned_changes", "pruned_changes_total", "Rows deleted from RouteChange."),
		metrics.Gauge("subscriptions", "subscriptions", "Subscriptions of agents: connections times modules."),
		metrics.Counter("unanswered", "unanswered_total", "Requests and pushes put off while stale, for modules that the file lacks."),
		metrics.Counter("unsubscribed", "unsubscribed_total", "Answers beyond the bound of subscriptions: changes of these are not pushed."),
		metrics.Counter("answers", "answers_total", "Requests answered."),
		metrics.Counter("unchanged", "unchanged_answers_total", "Of the answers, those that only say that the agent has the route."),
		metrics.Counter("pushes", "pushes_total", "Changes pushed: changes times subscribers."),
		metrics.Counter("deferred", "deferred_total", "Answers and pushes put off until a connection had read what it was sent before."),
		metrics.Gauge("waiting", "deferred", "Answers and pushes that are put off."),
		metrics.Counter("slow_closed", "slow_closed_total", "Connections closed because they did not read."),
	}, metrics.Snapshot("snapshot", "snapshot_"), metrics.TCPServer("tcp", ""), metrics.Loops("loops")), metrics.TCPServerLeftOut("tcp")...)
}
