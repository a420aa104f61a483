package dns

import (
	"cmp"
	"slices"

	"github.com/lars-lb/lars/internal/route"
)

// runLength is how many hosts a Builder holds unpacked: 5 MB.
const runLength = 1 << 18

// Builder makes a Table of hosts that come in any order, with duplicates. The
// zero value is empty. Every runLength hosts are sorted and packed into a run,
// and the runs are merged in the end. So ten million hosts take 200 MB until
// then if they come in no order at all, and half of that if those of a module
// come together.
type Builder struct {
	entries []entry
	runs    []packed // the hosts of a module are in the order in which they came
}

// entry is a host that is not packed yet, in 20 bytes.
type entry struct {
	module route.Module
	node   route.Node
	seq    uint32 // its place among all of the run
}

func (e entry) compare(o entry) int {
	if c := e.module.Compare(o.module); c != 0 {
		return c
	}
	return cmp.Compare(e.seq, o.seq)
}

// Add adds one host of a module. Of several with one address and port the
// weight of the first counts.
func (b *Builder) Add(m route.Module, n route.Node) {
	if len(b.entries) == runLength {
		b.pack()
	}
	b.entries = append(b.entries, entry{m, n, uint32(len(b.entries))})
}

// pack makes a run of the entries.
func (b *Builder) pack() {
	if len(b.entries) == 0 {
		return
	}
	if !slices.IsSortedFunc(b.entries, entry.compare) { // a database has them in order mostly
		slices.SortFunc(b.entries, entry.compare)
	}
	modules := 0
	for i, e := range b.entries {
		if i == 0 || e.module != b.entries[i-1].module {
			modules++
		}
	}
	run := newPacked(modules, len(b.entries))
	for i, e := range b.entries {
		if i > 0 && e.module == b.entries[i-1].module {
			run.nodes = append(run.nodes, e.node)
			run.ends[len(run.ends)-1]++
		} else {
			run.append(e.module, []route.Node{e.node})
		}
	}
	b.runs = append(b.runs, run)
	b.entries = b.entries[:0]
}

// Oversized is a module with more hosts than a frame carries.
type Oversized struct {
	Module route.Module
	Hosts  int // different ones that were added; route.MaxHosts are served
}

// Table returns the Table. A module with more than route.MaxHosts different
// hosts gets those that were added first, and is returned as oversized. The
// Builder is empty afterwards.
func (b *Builder) Table() (*Table, []Oversized) {
	b.pack()
	runs := b.runs
	*b = Builder{}
	modules, hosts := 0, 0
	for range mergeRuns(runs) {
		modules++
	}
	for _, run := range runs {
		hosts += len(run.nodes)
	}
	p := newPacked(modules, hosts) // with room to spare only for duplicates
	var oversized []Oversized
	for m, nodes := range mergeRuns(runs) {
		nodes, different := settle(nodes)
		if different > route.MaxHosts {
			oversized = append(oversized, Oversized{m, different})
		}
		p.append(m, nodes)
	}
	return p.table(), oversized
}

// settle sorts the nodes of a module, which came in this order, without those
// that repeat a host and without those beyond route.MaxHosts. It also returns how
// many different hosts there are. It reorders the slice.
func settle(nodes []route.Node) (settled []route.Node, different int) {
	if !ascending(nodes) {
		if len(nodes) > route.MaxHosts {
			nodes = firstOfEach(nodes)
		}
		different = len(nodes)
		nodes = nodes[:min(different, route.MaxHosts)]
		// Of equal hosts the first is kept: the one added first.
		slices.SortStableFunc(nodes, compareHosts)
		had := len(nodes)
		nodes = slices.CompactFunc(nodes, func(x, y route.Node) bool { return x.Host() == y.Host() })
		return nodes, different - (had - len(nodes))
	}
	return nodes[:min(len(nodes), route.MaxHosts)], len(nodes)
}

// firstOfEach removes the nodes whose host came before.
func firstOfEach(nodes []route.Node) []route.Node {
	seen := make(map[route.Host]struct{}, len(nodes))
	return slices.DeleteFunc(nodes, func(n route.Node) bool {
		_, has := seen[n.Host()]
		seen[n.Host()] = struct{}{}
		return has
	})
}
