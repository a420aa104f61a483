package cli

import (
	"fmt"
	"strings"
)

// healthRules are about what daemons say of themselves.
func healthRules() []rule {
	return []rule{
		onEach("event loop stuck", func(d *daemon, _ *suite, found func(severity, string, string, string)) {
			if d.health != nil && !d.health.OK {
				found(failure, "it lives, but does not do its work", strings.Join(d.health.Reasons, "; "),
					"save GET /debug/pprof/goroutine?debug=2 of its admin address, which shows where it is stuck, then restart it; a log that nobody reads, or a disk that hangs, can be the cause")
			}
		}),
		onEach("not ready", func(d *daemon, _ *suite, found func(severity, string, string, string)) {
			if d.ready != nil && !d.ready.OK {
				found(failure, "it cannot serve yet", strings.Join(d.ready.Reasons, "; "), "see to what it says; its log has the details")
			}
		}),
		onEach("says", func(d *daemon, _ *suite, found func(severity, string, string, string)) {
			if d.number("stale")+d.number("shrink_held") > 0 {
				return // rules of their own say more
			}
			if d.ready != nil && d.ready.OK && len(d.ready.Reasons) > 0 {
				found(warning, "it serves, but something is the matter", strings.Join(d.ready.Reasons, "; "), "see to what it says; its log has the details")
			}
		}, dnsProgram, reporterProgram),
		onEach("event loop at its limit", func(d *daemon, s *suite, found func(severity, string, string, string)) {
			before := make(map[string]float64)
			d.before.each("loops.turns.sum_seconds", func(loop string, n float64) { before[loop] = n })
			d.now.each("loops.turns.sum_seconds", func(loop string, n float64) {
				if share := (n - before[loop]) / s.interval.Seconds(); share > 0.8 {
					found(warning, "event loop "+loop+" has hardly a moment's rest", fmt.Sprintf("it worked %.0f%% of %v", 100*min(share, 1), s.interval),
						"for an agent, a program may ask far more than it calls: see which; for the others, raise [reactor] threadNum or add replicas")
				}
			})
		}),
		onEach("descriptors", func(d *daemon, _ *suite, found func(severity, string, string, string)) {
			if d.maxFDs == 0 || d.openFDs < 0.8*d.maxFDs {
				return
			}
			how := warning
			if d.openFDs >= 0.95*d.maxFDs {
				how = failure
			}
			found(how, "it is short of descriptors: without one it takes no more connections", fmt.Sprintf("%.0f of %.0f are open", d.openFDs, d.maxFDs),
				"raise its limit: LimitNOFILE= in its unit file, or ulimit -n before it is started")
		}),
		onEach("snapshot", func(d *daemon, s *suite, found func(severity, string, string, string)) {
			if n := d.number("snapshot.failures"); n > 0 {
				how := warning
				if d.rise("snapshot.failures") > 0 {
					how = failure
				}
				found(how, "its routes could not be written to its file: after a restart it would begin with older ones, or none", fmt.Sprintf("%.0f attempts failed; its log says why", n),
					"make room on the disk, or let its user write the file that the key snapshot names")
			}
		}, dnsProgram, agentProgram),
	}
}
