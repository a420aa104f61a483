package lbagent

import (
	"slices"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/lars-lb/lars/internal/metrics"
)

// Metrics are the agent's Stats for Prometheus.
func (a *Agent) Metrics() prometheus.Collector { return metricsOf(a.Stats) }

// metricsOf says which number of Stats is which metric. One that is new there
// needs a line here and one in docs/OPERATIONS.md; tests hold both.
func metricsOf(stats func() Stats) *metrics.Collector {
	return metrics.New("lars_agent_", stats, slices.Concat(
		callMetrics(), reportMetrics(), moduleMetrics(), pullMetrics(), hostMetrics(),
		metrics.Each("shard", metrics.UDPServers("udp", "udp_")...),
		metrics.Snapshot("snapshot", "snapshot_"),
		metrics.TCPClient("dns", "dns_"),
		metrics.TCPClient("reporter", "reporter_"),
		metrics.Loops("loops"),
	), slices.Concat(metrics.TCPClientLeftOut("dns"), metrics.TCPClientLeftOut("reporter"))...)
}

// callMetrics are of what programs ask and report.
func callMetrics() []metrics.Field {
	const asked, reported = "Requests for a host (GetHost), by answer.", "Reports of calls, by what became of them."
	return metrics.Each("shard",
		metrics.Counter("routes.picked", "host_requests_total", asked).With("code", "success"),
		metrics.Counter("routes.overload", "host_requests_total", asked).With("code", "overload"),
		metrics.Counter("routes.no_exist", "host_requests_total", asked).With("code", "no_exist"),
		metrics.Counter("routes.routes", "route_requests_total", "Requests for all hosts of a module (GetRoute)."),
		metrics.Counter("routes.reports", "reports_total", reported).With("result", "accepted"),
		metrics.Counter("routes.reports_unknown", "reports_total", reported).With("result", "unknown_host"),
		metrics.Counter("routes.reports_lost", "reports_lost_total", "Reports that were accepted, and whose host then left its route with too many others: they never reach lars-reporter."),
	)
}

// reportMetrics are of the counts on their way to lars-reporter.
func reportMetrics() []metrics.Field {
	return []metrics.Field{
		metrics.Gauge("reports.acknowledging", "report_acknowledging", "1 while the lars-reporter that is connected acknowledges what it saved."),
		metrics.Gauge("reports.unacked", "report_unacked_frames", "Frames made and not acknowledged."),
		metrics.Gauge("reports.unacked_hosts", "report_unacked_results", "Results in them."),
		metrics.Gauge("reports.window", "report_unacked_results_max", "Results that may be in them; beyond it counts add up in the agent."),
		metrics.Counter("reports.sent", "report_frames_total", "Frames sent, those sent again included."),
		metrics.Counter("reports.resent", "report_frames_resent_total", "Frames sent again after a connection was lost."),
		metrics.Counter("reports.acknowledged", "report_acknowledgements_total", "Acknowledgements that came."),
		metrics.Counter("reports.unanswered", "report_frames_unanswered_total", "Frames taken for delivered without an acknowledgement."),
	}
}

// moduleMetrics are of the modules that are remembered.
func moduleMetrics() []metrics.Field {
	return metrics.Each("shard",
		metrics.Gauge("routes.modules", "modules", "Modules with hosts."),
		metrics.Gauge("routes.max_modules", "modules_max", "Modules with hosts that there may be; the route of one more is not kept."),
		metrics.Gauge("routes.unknown", "unknown_modules", "Modules without hosts that are remembered."),
		metrics.Gauge("routes.max_unknown", "unknown_modules_max", "Modules without hosts that may be remembered; the one asked for longest ago is forgotten then."),
		metrics.Gauge("routes.counting", "modules_counting", "Modules with counts that wait to be sent to lars-reporter."),
		metrics.Counter("routes.removed", "modules_removed_total", "Modules that lost their last host."),
		metrics.Counter("routes.refused_full", "modules_refused_total", "Modules not kept or not pulled for want of room."),
		metrics.Counter("routes.forgot_oldest", "modules_forgotten_total", "Modules without hosts that were forgotten to make room."),
	)
}

// pullMetrics are of what passes between the agent and lars-dns.
func pullMetrics() []metrics.Field {
	return slices.Concat(metrics.Each("shard",
		metrics.Gauge("routes.pulling", "pulls_waiting", "Modules whose route was asked for and has not come."),
		metrics.Counter("routes.pulls", "pulls_total", "Routes asked for, those asked for again included."),
		metrics.Counter("routes.pulls_overdue", "pulls_overdue_total", "Routes asked for again, since no answer came within a second."),
		metrics.Gauge("routes.pull_seconds", "pull_seconds", "From when a module's route was asked for last until one came."),
		metrics.Counter("routes.updates", "routes_received_total", "Routes that came, asked for or pushed."),
		metrics.Gauge("routes.stale_modules", "stale_modules", "Modules with hosts from a file, which no lars-dns with a database has confirmed yet."),
		metrics.Gauge("routes.unsure", "unsure_modules", "Those, and others of which lars-dns knew only what is in its file."),
		metrics.Counter("routes.stale_served", "stale_served_total", "Hosts given out from a route of a file."),
		metrics.Counter("routes.stale_ignored", "stale_ignored_total", "Routes of lars-dns's file that came when better was known."),
		metrics.Counter("routes.confirmed", "routes_confirmed_total", "Of these, those of which lars-dns only said that the agent has them."),
		metrics.Counter("routes.unasked", "routes_unasked_total", "Routes that came for modules that are not remembered."),
	), []metrics.Field{
		metrics.Gauge("pulls_in_flight", "pulls_in_flight", "Routes asked of lars-dns, and not answered."),
		metrics.Counter("dns_silences", "dns_silences_total", "Times that a lars-dns was left because it did not answer."),
		metrics.Gauge("dns_disconnected_ms", "dns_disconnected_seconds", "For how long lars-dns has not been connected; 0 while it is.").Times(1e-3),
		metrics.Gauge("snapshot_modules", "snapshot_modules", "Modules taken from the file of routes at the start."),
		metrics.Gauge("snapshot_age_ms", "snapshot_restored_age_seconds", "How old these were then.").Times(1e-3),
		metrics.Gauge("route_age_seconds", "route_age_seconds", "Since a route came from lars-dns last, of whatever module. It grows while nobody asks for modules and nothing changes."),
	}, metrics.Queue("queues.pulls", "pull", "Pulls"))
}

// hostMetrics are of how hosts are judged.
func hostMetrics() []metrics.Field {
	const checked = "TCP checks of hosts that came to an end, by result."
	return slices.Concat(metrics.Each("cause",
		metrics.Counter("befell.ejected", "ejections_total", "Hosts that were taken out: they get no more calls but for probes."),
		metrics.Counter("befell.returned", "returns_total", "Hosts that were let back in."),
		metrics.Counter("befell.modules", "module_events_total", "What befell a module as a whole: shared cause, blackout, and recovered from one."),
	), []metrics.Field{
		metrics.Counter("checks.started", "checks_started_total", "TCP checks of hosts begun."),
		metrics.Counter("checks.good", "checks_total", checked).With("result", "good"),
		metrics.Counter("checks.bad", "checks_total", checked).With("result", "bad"),
		metrics.Counter("checks.unknown", "checks_total", checked).With("result", "unknown"),
		metrics.Counter("checks.dropped", "checks_dropped_total", "TCP checks not begun because too many waited; the hosts are probed by calls instead."),
		metrics.Gauge("checks.waiting", "checks_waiting", "TCP checks that wait to begin."),
		metrics.Gauge("checks.under_way", "checks_under_way", "TCP checks under way."),
		metrics.Counter("events.logged", "events_logged_total", "Ejections, returns and the like that the log has."),
		metrics.Counter("events.left_out", "events_left_out_total", "Those that the log has not, because there were too many at once."),
	}, metrics.Queue("queues.checks", "check", "TCP checks"), metrics.Queue("queues.events", "event", "Events for the log"))
}
