package page

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/lars-lb/lars/internal/bench/result"
	"github.com/lars-lb/lars/internal/wire"
	"github.com/lars-lb/lars/proto/larspb"
)

// The fleet that is reckoned with. What one of its agents does is a guess; how
// the answers follow from it is in the table.
const (
	fleetAgents  = 100_000
	fleetModules = 10_000_000
	fleetHosts   = 10 // of each module
	agentModules = 100
	agentCalls   = 50     // hosts that the programs of a machine call between two reports
	replicas     = 5      // of lars-dns, one of which may be away
	reloadEvery  = 600.0  // seconds, [dns] reload_interval
	reportEvery  = 15.0   // seconds, report_timeout
	keptBytes    = 100e-6 // MB of a row of the history in MySQL
)

// measured finds numbers in the rows of a run, by patterns of what they are of.
type measured struct {
	run     *result.Run
	missing []string // that are not there, or no numbers
}

// of returns the value of the last row that fits a pattern, in which %d are the
// sizes; it is 1 if there is none.
func (m *measured) of(part, pattern string, sizes ...*int) float64 {
	found := 0.0
	for _, r := range m.run.Rows {
		if r.Part == part && r.Ours > 0 && fits(r.What, pattern, sizes) {
			found = r.Ours
		}
	}
	if found == 0 {
		m.missing = append(m.missing, part+": "+strings.ReplaceAll(pattern, "%d", "N"))
		return 1
	}
	return found
}

// fits reports whether text is the pattern with numbers, and sets these.
func fits(text, pattern string, sizes []*int) bool {
	around := strings.Split(pattern, "%d")
	text, ok := strings.CutPrefix(text, around[0])
	found := make([]int, len(sizes))
	for i, after := range around[1:] {
		digits := len(text) - len(strings.TrimLeft(text, "0123456789"))
		n, err := strconv.Atoi(text[:digits])
		if !ok || err != nil || n == 0 {
			return false
		}
		found[i] = n
		text, ok = strings.CutPrefix(text[digits:], after)
	}
	if !ok || text != "" {
		return false
	}
	for i, size := range sizes {
		*size = found[i]
	}
	return true
}

// line is one of the table: what is needed, how it follows, how much it is.
type line struct{ what, how, needs string }

// fleet reckons from what was measured on one machine what a large fleet needs.
// Lines whose numbers were not measured say so.
func fleet(run *result.Run) string {
	var body [][]string
	for _, reckon := range []func(*measured) line{
		connections, dnsMemory, dnsReads, dnsPolls, dnsPush, dnsReturn, reportRows, reportPeriod, historySize,
	} {
		m := &measured{run: run}
		l := reckon(m)
		if len(m.missing) > 0 {
			l.how, l.needs = "not measured in this run: "+strings.Join(m.missing, "; "), ""
		}
		body = append(body, []string{escape(l.what), escape(l.how), escape(l.needs)})
	}
	return table([]string{"what", "how it follows", "needed"}, 2, body)
}

// held is how many agents a lars-dns has while one of them is away.
const held = fleetAgents / (replicas - 1)

func connections(*measured) line {
	return line{"connections of a lars-dns, of which one is away", fmt.Sprintf("%s agents / (%d - 1)", count(fleetAgents), replicas), count(held)}
}

func dnsMemory(m *measured) line {
	var rows, agents, modules int
	rest := m.of("dns", "memory at rest, %d rows", &rows)
	peak := max(rest, m.of("dns", "memory at most during a reload, %d rows", &rows))
	crowd := m.of("dns", "memory for %d agents with %d modules each", &agents, &modules)
	scale := fleetModules * fleetHosts / float64(max(1, rows))
	// A subscription costs at most as much as if all of the memory were theirs.
	all := crowd / float64(max(1, agents*modules)) * held * agentModules
	return line{"memory of a lars-dns, while it reads all routes",
		fmt.Sprintf("%s × %s rows / %s, and at most %s × (%s × %s) / (%s × %s) for subscriptions", mb(peak), count(fleetModules*fleetHosts), count(float64(rows)),
			mb(crowd), count(held), count(agentModules), count(float64(agents)), count(float64(modules))),
		mb(peak*scale) + " + " + mb(all)}
}

func dnsReads(m *measured) line {
	var rows int
	took := m.of("dns", "first answer after the start, %d rows from the database", &rows)
	rate := float64(rows) / took
	needed := replicas * fleetModules * fleetHosts / reloadEvery
	return line{"rows that the database is read for by whole reloads, with reload_interval = 10m",
		fmt.Sprintf("%d × %s rows / %.0f s; one lars-dns has read %s", replicas, count(fleetModules*fleetHosts), reloadEvery, rateOf(rate)),
		rateOf(needed) + ", each of " + result.Quantity(fleetModules*fleetHosts/rate, "s")}
}

func dnsPolls(m *measured) line {
	queries := m.of("dns", "queries of a replica at rest")
	time := m.of("dns", "processor time of MariaDB for its polls")
	return line{"polls of the database", fmt.Sprintf("%d × %s, each replica's %s of one processor's 1,000", replicas, rateOf(queries), result.Quantity(time, "ms/s")),
		fmt.Sprintf("%s, %s", rateOf(replicas*queries), result.Quantity(replicas*time, "ms/s"))}
}

func dnsPush(m *measured) line {
	var agents int
	ms := m.of("dns", "a change reaches %d agents, 99% of them", &agents)
	times := held / float64(max(1, agents))
	return line{"a change of a module that every agent holds, until 99% have it",
		fmt.Sprintf("at most %s × %s / %s agents; %s of %d hosts from each lars-dns", result.Quantity(ms, "ms"), count(held), count(float64(agents)),
			mb(float64(frameBytes(fleetHosts))*held/1e6), fleetHosts),
		result.Quantity(ms*times, "ms")}
}

func dnsReturn(m *measured) line {
	var agents, modules int
	took := m.of("dns", "%d agents are back after a restart", &agents)
	m.of("dns", "memory for %d agents with %d modules each", new(int), &modules) // the same ones
	return line{"all agents of a lars-dns are back after its restart",
		fmt.Sprintf("at most %s × (%s × %d modules) / (%s × %d)", result.Quantity(took, "s"), count(held), agentModules, count(float64(agents)), modules),
		result.Quantity(took*held*agentModules/float64(max(1, agents*modules)), "s")}
}

// saved is the row that says how many rows a database takes, two for each
// result.
const saved = "MariaDB, numbered reports, with the history: rows committed"

func reportRows(m *measured) line {
	rows := m.of("reporter", saved)
	needed := 2 * fleetAgents * agentCalls / reportEvery
	return line{"rows of reports, with report_timeout = 15",
		fmt.Sprintf("%s agents × %d hosts × 2 rows / 15 s; measured: %s", count(fleetAgents), agentCalls, rateOf(rows)),
		fmt.Sprintf("%s, %.1f times what was measured", rateOf(needed), needed/rows)}
}

func reportPeriod(m *measured) line {
	rows := m.of("reporter", saved)
	period := 2 * fleetAgents * agentCalls / rows
	return line{"report_timeout that one such database bears, half busy",
		fmt.Sprintf("2 × %s × %d × 2 rows / %s", count(fleetAgents), agentCalls, rateOf(rows)), result.Quantity(2*period, "s")}
}

func historySize(*measured) line {
	perDay := fleetAgents * agentCalls * 86_400 / 600.0
	return line{"history of a day, with report_timeout = 600",
		fmt.Sprintf("%s × %d × 144 rows of about 100 bytes", count(fleetAgents), agentCalls), result.Quantity(perDay*keptBytes, "MB")}
}

// frameBytes is the size of a pushed route of so many hosts.
func frameBytes(hosts int) int {
	r := &larspb.GetRouteResponse{Modid: 1_000_000, Cmdid: 1}
	for i := range hosts {
		r.Host = append(r.Host, &larspb.HostInfo{Ip: int32(-1062731343 + i), Port: 8000}) // from 192.168.1.177 on
	}
	return wire.HeadSize + r.SizeVT()
}

func count(n float64) string     { return result.Quantity(n, "") }
func mb(v float64) string        { return result.Quantity(v, "MB") }
func rateOf(perS float64) string { return result.Quantity(perS, "/s") }
