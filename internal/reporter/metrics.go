package reporter

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
	const calls, dropped = "Calls that the results count, as reported.", "Results dropped."
	return metrics.New("lars_reporter_", stats, slices.Concat([]metrics.Field{
		metrics.Counter("reports", "reports_total", "Messages of agents."),
		metrics.Counter("results", "results_total", "Results in them, one a host."),
		metrics.Counter("succ", "calls_total", calls).With("result", "success"),
		metrics.Counter("err", "calls_total", calls).With("result", "failure"),
		metrics.Counter("replaced", "results_replaced_total", "Results replaced by a newer one of their key; they may have been saved before."),
		metrics.Counter("dropped_stale", "results_dropped_total", dropped).With("reason", "stale"),
		metrics.Counter("dropped_invalid", "results_dropped_total", dropped).With("reason", "invalid"),
		metrics.Counter("dropped_full", "results_dropped_total", dropped).With("reason", "full"),
		metrics.Gauge("pending", "pending_keys", "Keys, of module, host and agent, that wait to be saved."),
		metrics.Gauge("pending_max", "pending_keys_max", "Keys that may wait; results of others are dropped."),
		metrics.Counter("numbered", "numbered_reports_total", "Of the messages, those with a number, which are acknowledged once they are saved."),
		metrics.Counter("duplicates", "duplicate_reports_total", "Numbered messages that came again, and were counted before."),
		metrics.Counter("gaps", "report_gaps_total", "Numbered messages that did not follow the last one of their agent: what is missing was acknowledged, and forgotten since."),
		metrics.Counter("acks", "acknowledgements_total", "Acknowledgements sent."),
		metrics.Counter("questions", "questions_total", "Numbered messages sent again on their connection, by agents that wait for an acknowledgement and ask whether this program lives."),
		metrics.Gauge("queued", "queued_results", "Results of numbered messages that wait to be saved."),
		metrics.Gauge("queue_max", "queued_results_max", "Results that may wait; a connection that sends more is closed, and its agent keeps them."),
		metrics.Counter("refused_full", "connections_refused_full_total", "Connections closed since too many results of numbered messages waited."),
		metrics.Counter("history_rows", "history_rows_total", "Rows of CallHistory that were added to."),
		metrics.Counter("pruned", "pruned_rows_total", "Rows deleted for their age."),
		metrics.Counter("saves", "saves_total", "Batches saved."),
		metrics.Counter("rows", "saved_rows_total", "Rows in them."),
		metrics.Counter("db_errors", "database_errors_total", "Attempts to save that failed."),
		metrics.Gauge("db_failing_seconds", "database_failing_seconds", "For how long the database has not taken what there is; 0 while it does."),
	}, metrics.TCPServer("tcp", ""), metrics.Loops("loops")), metrics.TCPServerLeftOut("tcp")...)
}
