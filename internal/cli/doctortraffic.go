package cli

import (
	"fmt"

	"github.com/lars-lb/lars/internal/route"
)

// wholeBuffer is what the kernel makes of the receive buffer that an agent asks
// for, 512 KiB, if it may have it.
const wholeBuffer = 1 << 20

// trafficRules are about what passes between programs, agents and the others.
func trafficRules() []rule {
	return []rule{
		onEach("agent not connected", func(d *daemon, _ *suite, found func(severity, string, string, string)) {
			if n, ok := d.now.sum("dns.open"); ok && n == 0 {
				found(failure, "it has no connection to lars-dns: modules that are known are served, new ones and changes do not arrive",
					fmt.Sprintf("dns.open is 0, %.0f connects have failed", d.number("dns.connect_failures")),
					"start lars-dns; see that [dnsserver] in the agent's file names it and that TCP to it is let through")
			}
			if n, ok := d.now.sum("reporter.open"); ok && n == 0 {
				found(warning, "it has no connection to lars-reporter: counts of calls add up in the agent",
					fmt.Sprintf("reporter.open is 0, %.0f connects have failed", d.number("reporter.connect_failures")),
					"start lars-reporter; see that [reporter] in the agent's file names it and that TCP to it is let through")
			}
		}, agentProgram),
		onEach("pulls unanswered", func(d *daemon, s *suite, found func(severity, string, string, string)) {
			waiting, overdue := d.number("routes.pulling"), d.rise("routes.pulls_overdue")
			if d.number("dns.open") > 0 && overdue > 0 && waiting > 0 {
				found(warning, "lars-dns does not answer all questions for routes within a second",
					fmt.Sprintf("%.0f modules wait for their route; %s", waiting, grew("routes.pulls_overdue", overdue, s)),
					"see whether lars-dns has the time (its machine, its loops) and whether the network loses much")
			}
		}, agentProgram),
		onEach("datagrams dropped by the kernel", func(d *daemon, s *suite, found func(severity, string, string, string)) {
			total, buffer := d.number("udp.kernel_dropped"), d.number("udp.receive_buffer")/route.Shards
			do := "the agent lacks processor time, or programs ask too much: see which programs do, and what else the machine does"
			if buffer < wholeBuffer {
				do = "give the receive buffer its whole room: sysctl -w net.core.rmem_max=524288, and restart the agent; if it goes on, " + do
			}
			evidence := fmt.Sprintf("%.0f were dropped since the start; a receive buffer holds %.0f bytes", total, buffer)
			if by := d.rise("udp.kernel_dropped"); by > 0 {
				found(failure, "the kernel drops datagrams of programs: their requests time out", evidence+"; "+grew("udp.kernel_dropped", by, s), do)
			} else if total > 0 {
				found(warning, "the kernel has dropped datagrams of programs", evidence, do)
			}
		}, agentProgram),
		onEach("checks cannot be made", func(d *daemon, s *suite, found func(severity, string, string, string)) {
			if by := d.rise("checks.unknown"); by > 0 {
				found(warning, "the agent cannot make TCP checks of hosts for want of descriptors, ports or memory; hosts are probed by calls instead", grew("checks.unknown", by, s),
					"raise its limit of descriptors; or see what uses up the machine's local ports")
			}
			if by := d.rise("checks.dropped"); by > 0 {
				found(warning, "more TCP checks are due than can be made; hosts are probed by calls instead", grew("checks.dropped", by, s),
					"very many hosts look bad: see lars agent modules; or spare them the checks with [loadbalance] check_none")
			}
		}, agentProgram),
		onEach("reports ignored", func(d *daemon, s *suite, found func(severity, string, string, string)) {
			if by := d.rise("routes.reports_unknown"); by > 0 && by > d.rise("routes.reports") {
				found(warning, "most reports are about hosts that are not in the route, and are ignored", grew("routes.reports_unknown", by, s),
					"see that programs report the host that GetHost gave them, under the same module")
			}
		}, agentProgram),
		onEach("connections refused", func(d *daemon, s *suite, found func(severity, string, string, string)) {
			if n := d.number("tcp.rejected_max_conn"); n > 0 {
				found(warning, "it has closed connections, as it had the most that it may have",
					fmt.Sprintf("%.0f were closed, %.0f of %.0f are open", n, d.number("tcp.open"), d.number("tcp.max_open")),
					"raise [reactor] maxConn above the number of agents, and the limit of descriptors with it")
			}
		}, dnsProgram, reporterProgram),
		onEach("reporter is full", func(d *daemon, s *suite, found func(severity, string, string, string)) {
			waiting, most, dropped := d.number("pending"), d.number("pending_max"), d.rise("dropped_full")
			evidence := fmt.Sprintf("%.0f of %.0f keys wait for the database, %.0f results were dropped since the start", waiting, most, d.number("dropped_full"))
			const do = "see whether the database is up and has the time; raise db_thread_cnt, or add a lars-reporter"
			switch {
			case dropped > 0:
				found(failure, "it drops counts, as too many wait for the database", evidence+"; "+grew("dropped_full", dropped, s), do)
			case d.rise("refused_full") > 0:
				found(failure, "it closes connections of agents, as too many results wait for the database; the agents keep them",
					fmt.Sprintf("%.0f of %.0f results wait; %s", d.number("queued"), d.number("queue_max"), grew("refused_full", d.rise("refused_full"), s)), do)
			case d.number("queue_max") > 0 && d.number("queued") > d.number("queue_max")/2:
				found(warning, "more than half of what it can keep waits for the database", fmt.Sprintf("%.0f of %.0f results wait", d.number("queued"), d.number("queue_max")), do)
			case most > 0 && waiting > most/2:
				found(warning, "more than half of what it can keep waits for the database", evidence, do)
			}
		}, reporterProgram),
	}
}
