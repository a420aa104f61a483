package cli

import (
	"fmt"
	"strings"

	"github.com/lars-lb/lars/internal/inspect"
	"github.com/lars-lb/lars/internal/route"
)

// routeRules are about what is served.
func routeRules() []rule {
	return []rule{
		onEach("stale routes", func(d *daemon, _ *suite, found func(severity, string, string, string)) {
			if d.number("stale") > 0 {
				found(warning, "it serves routes that it had kept, without having been able to compare them with the database", "stale is true",
					"bring the database up: it then reads the routes by itself")
			}
		}, dnsProgram),
		onEach("change held back", func(d *daemon, _ *suite, found func(severity, string, string, string)) {
			if d.number("shrink_held") > 0 {
				found(failure, "most hosts are gone from the database: lars-dns serves them on for a while",
					fmt.Sprintf("%.0f of %.0f hosts are held, for %.0f s more", d.number("held_hosts"), d.number("held_of"), d.number("held_left_ms")/1000),
					"see what RouteData has (lars route ls): if routes were deleted by mistake, bring them back in that time; if it is meant, lars dns accept")
			}
		}, dnsProgram),
		onEach("no routes", func(d *daemon, _ *suite, found func(severity, string, string, string)) {
			if n, ok := d.now.sum("modules"); ok && n == 0 && d.number("ready") > 0 {
				found(warning, "there is no route: every program is told that its module does not exist", "modules is 0",
					"add routes with lars route add or import; if there are some, lars-dns reads another database")
			}
		}, dnsProgram),
		onEach("bad rows", func(d *daemon, _ *suite, found func(severity, string, string, string)) {
			skipped, clamped, long := d.number("skipped_rows"), d.number("clamped_rows"), d.number("oversized_modules")
			if skipped+clamped+long > 0 {
				found(warning, "the database has rows that are not served as they stand",
					fmt.Sprintf("%.0f with an impossible address or port, %.0f with an impossible weight, %.0f modules with more than %d hosts", skipped, clamped, long, route.MaxHosts),
					"mend the rows, which lars-dns's log names by their id")
			}
		}, dnsProgram),
		onEach("stale modules", func(d *daemon, _ *suite, found func(severity, string, string, string)) {
			if n := d.number("routes.stale_modules"); n > 0 {
				found(warning, "it serves modules from routes that lars-dns has not confirmed since it started", fmt.Sprintf("%.0f modules", n),
					"see that it is connected to lars-dns; it confirms them by itself then")
			}
		}, agentProgram),
		onEach("hosts out", modulesOut, agentProgram),
	}
}

// namedModules is how many modules a finding names.
const namedModules = 10

// modulesOut looks for modules whose callers get no host, or soon may not.
func modulesOut(d *daemon, _ *suite, found func(severity, string, string, string)) {
	var dark, drained, shared []string
	for i := range d.modules {
		m := &d.modules[i]
		id := route.Module{ModID: m.ModID, CmdID: m.CmdID}.String()
		switch {
		case m.Hosts == 0:
		case m.Drained == m.Hosts:
			drained = append(drained, id)
		case m.Idle == 0:
			dark = append(dark, id)
		case m.Mood == inspect.SharedCause:
			shared = append(shared, id)
		}
	}
	const why = "lars agent hosts MODID CMDID says why; "
	if len(dark) > 0 {
		found(failure, "every host of "+count(len(dark), "module is out", "modules is out")+": programs are told that it is overloaded, but for probes", list(dark),
			why+"see to the hosts, or to what is between them and this machine; the first that works again is called by itself")
	}
	if len(drained) > 0 {
		found(warning, "every host of "+count(len(drained), "module is drained", "modules is drained")+": programs are told that it is overloaded", list(drained),
			"bring hosts back with lars route undrain MODID CMDID IP:PORT")
	}
	if len(shared) > 0 {
		found(warning, "most hosts of "+count(len(shared), "module look", "modules look")+" bad at once, so none is taken out", list(shared),
			why+"look at what the hosts share: a database, a network, a release")
	}
}

// list names the first of many.
func list(names []string) string {
	if len(names) <= namedModules {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:namedModules], ", "), len(names)-namedModules)
}
