package dns_test

import (
	"maps"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/lars-lb/lars/internal/dns"
	"github.com/lars-lb/lars/internal/route"
)

func module(modid, cmdid int32) route.Module { return route.Module{ModID: modid, CmdID: cmdid} }

func hostN(n int) route.Node { return node(uint32(10<<24+n), 80) }

// node is a host with the weight that it has if nobody says another.
func node(ip uint32, port uint16) route.Node {
	return route.Node{IP: ip, Port: port, Weight: route.DefaultWeight}
}

// weighing returns hosts with another weight.
func weighing(weight uint16, nodes ...route.Node) []route.Node {
	nodes = slices.Clone(nodes)
	for i := range nodes {
		nodes[i].Weight = weight
	}
	return nodes
}

// hostRange is n hosts from the given one on.
func hostRange(from, n int) []route.Node {
	hosts := make([]route.Node, n)
	for i := range hosts {
		hosts[i] = hostN(from + i)
	}
	return hosts
}

type routes map[route.Module][]route.Node

func (r routes) table() *dns.Table {
	var b dns.Builder
	for m, hosts := range r {
		for _, h := range hosts {
			b.Add(m, h)
		}
	}
	t, _ := b.Table()
	return t
}

// check compares every way of reading a Table with a plain map.
func (r routes) check(t *testing.T, table *dns.Table) {
	t.Helper()
	modules, hosts := 0, 0
	var last route.Module
	for m, got := range table.All() {
		if modules > 0 && last.Compare(m) >= 0 {
			t.Fatalf("All yields %v after %v", m, last)
		}
		last = m
		modules++
		hosts += len(got)
		if !slices.Equal(got, r[m]) || !slices.Equal(table.Lookup(m), r[m]) {
			t.Fatalf("%v: All yields %v, Lookup %v, want %v", m, got, table.Lookup(m), r[m])
		}
	}
	if modules != len(r) || table.Modules() != modules || table.Hosts() != hosts {
		t.Fatalf("All yields %d modules and %d hosts, the Table says %d and %d, want %d modules",
			modules, hosts, table.Modules(), table.Hosts(), len(r))
	}
}

func TestBuilder(t *testing.T) {
	var b dns.Builder
	for _, add := range []struct {
		m route.Module
		n route.Node
	}{
		{module(2, 1), hostN(3)},
		{module(-1, 5), hostN(1)},
		{module(2, 1), hostN(1)},
		{module(2, 1), weighing(7, hostN(3))[0]}, // a duplicate row
		{module(2, 0), node(1, 2)},
		{module(2, 0), node(1, 1)},
		{module(2, 1), hostN(3)},
	} {
		b.Add(add.m, add.n)
	}
	table, oversized := b.Table()
	if len(oversized) != 0 {
		t.Errorf("oversized: %v", oversized)
	}
	routes{
		module(-1, 5): {hostN(1)},
		module(2, 0):  {node(1, 1), node(1, 2)},
		module(2, 1):  {hostN(1), hostN(3)},
	}.check(t, table)
	for _, m := range []route.Module{{}, module(2, 2), module(-2, 0), module(1<<31-1, 1), module(-1<<31, 0)} {
		if got := table.Lookup(m); len(got) != 0 {
			t.Errorf("Lookup(%v) = %v", m, got)
		}
	}
	empty, _ := b.Table()
	routes{}.check(t, empty)
}

func TestBuilderStaysSmall(t *testing.T) {
	if dns.EntrySize > 20 {
		t.Errorf("%d bytes a row, of which there may be millions", dns.EntrySize)
	}
}

func TestBuilderKeepsTheFirstOfTooManyHosts(t *testing.T) {
	var b dns.Builder
	m := module(1, 1)
	b.Add(module(1, 0), hostN(1))
	for n := route.MaxHosts; n > 0; n-- { // descending: the order of rows is not that of addresses
		b.Add(m, hostN(1000+n))
		b.Add(m, hostN(1000+n))
	}
	b.Add(m, hostN(1))
	b.Add(m, hostN(99_000))
	b.Add(module(1, 2), hostN(2))
	table, oversized := b.Table()
	if want := []dns.Oversized{{Module: m, Hosts: route.MaxHosts + 2}}; !slices.Equal(oversized, want) {
		t.Errorf("oversized: %v, want %v", oversized, want)
	}
	routes{
		module(1, 0): {hostN(1)},
		m:            hostRange(1001, route.MaxHosts),
		module(1, 2): {hostN(2)},
	}.check(t, table)
}

func TestZeroTable(t *testing.T) {
	var table dns.Table
	routes{}.check(t, &table)
	routes{module(1, 1): {hostN(1)}}.check(t, table.With(routes{module(1, 1): {hostN(1)}, module(1, 2): nil}))
	routes{}.check(t, &table)
}

// A reader that appends to a route must not write into the next one.
func TestLookupHasNoRoomToAppend(t *testing.T) {
	r := routes{module(1, 1): {hostN(1)}, module(1, 2): {hostN(2)}}
	table := r.table()
	_ = append(table.Lookup(module(1, 1)), hostN(9))
	r.check(t, table)
}

// Random changes on a Table and on a plain map; small and large ones, so that
// the packed part is made anew now and then.
func TestTableAgainstMap(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	now := routes{}
	table := &dns.Table{}
	anyModule := func() route.Module { return module(random.Int32N(80)-40, random.Int32N(120)) }
	for range 300 {
		change := routes{}
		size := 1 + random.IntN(20)
		if random.IntN(20) == 0 {
			size = 3000
		}
		for range size {
			hosts := hostRange(random.IntN(5), random.IntN(4)) // none: the module goes
			hosts = weighing(uint16(random.IntN(2)), hosts...)
			change[anyModule()] = hosts
		}
		before, beforeTable := maps.Clone(now), table
		var want []route.Module
		for m, hosts := range change {
			if !slices.Equal(now[m], hosts) {
				want = append(want, m)
			}
			if now[m] = hosts; len(hosts) == 0 {
				delete(now, m)
			}
		}
		slices.SortFunc(want, route.Module.Compare)
		if random.IntN(10) == 0 {
			table = table.Repack()
		}
		table = table.With(change)
		now.check(t, table)
		if table.Overlay() > dns.MaxOverlay {
			t.Fatalf("%d modules are beside the packed part", table.Overlay())
		}
		before.check(t, beforeTable) // published Tables never change
		if got := dns.Diff(beforeTable, table); !slices.Equal(got, want) {
			t.Fatalf("Diff = %v, want %v", got, want)
		}
		if got := dns.Diff(now.table(), table); len(got) != 0 {
			t.Fatalf("differs from one built at once: %v", got)
		}
	}
}

func TestDiff(t *testing.T) {
	a := routes{module(1, 1): hostRange(1, 2), module(1, 2): hostRange(1, 1), module(3, 0): hostRange(1, 1)}
	b := routes{module(1, 1): hostRange(1, 3), module(1, 2): hostRange(1, 1), module(2, 0): hostRange(1, 1)}
	c := routes{module(1, 1): hostRange(1, 2), module(1, 2): weighing(0, hostRange(1, 1)...), module(3, 0): hostRange(1, 1)}
	want := []route.Module{module(1, 1), module(2, 0), module(3, 0)}
	for _, c := range []struct {
		before, after routes
		want          []route.Module
	}{
		{a, a, nil},
		{a, b, want},
		{b, a, want},
		{a, c, []route.Module{module(1, 2)}}, // another weight
		{nil, b, slices.SortedFunc(maps.Keys(b), route.Module.Compare)},
		{b, nil, slices.SortedFunc(maps.Keys(b), route.Module.Compare)},
	} {
		if got := dns.Diff(c.before.table(), c.after.table()); !slices.Equal(got, c.want) {
			t.Errorf("Diff(%v, %v) = %v, want %v", c.before, c.after, got, c.want)
		}
	}
}

func BenchmarkLookup(b *testing.B) {
	var builder dns.Builder
	for i := range int32(1_000_000) {
		builder.Add(module(i, 1), hostN(1))
	}
	table, _ := builder.Table()
	i := int32(0)
	b.ReportAllocs()
	for b.Loop() {
		i = (i + 7919) % 1_000_000
		if len(table.Lookup(module(i, 1))) != 1 {
			b.Fatal(i)
		}
	}
}
