package dns_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/dns"
	"github.com/lars-lb/lars/internal/eventually"
	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/store"
)

const bump = "UPDATE RouteVersion SET version = version + 1"

func TestEachSubscriberIsToldOnce(t *testing.T) {
	db := openStore(t, sqlite(t))
	add(t, db, m11, hostN(1))
	add(t, db, m12, hostN(1))
	s := start(t, quick(), db, quiet())
	var agents []*agent
	for range 6 { // several on each loop
		a := s.dial()
		a.subscribe(m11, hostN(1))
		agents = append(agents, a)
	}
	other := s.dial()
	other.subscribe(m12, hostN(1))

	add(t, db, m11, hostN(2))
	remove(t, db, m12, hostN(1))
	for i, a := range agents {
		a.expect(m11, hostN(1), hostN(2))
		a.expectNothing(module(50, int32(i)))
	}
	other.expect(m12) // a module that is gone has an empty route
	other.expectNothing(module(50, 50))
	s.eventually("seven pushes", func(st dns.Stats) bool { return st.Pushes == 7 })
}

// A weight alone is a change, told once and to those whom it concerns.
func TestWeightIsPushed(t *testing.T) {
	cfg := sqlite(t)
	db := openStore(t, cfg)
	add(t, db, m11, hostRange(1, 2)...)
	add(t, db, m12, hostN(1))
	s := start(t, quick(), db, quiet())
	a, other := s.dial(), s.dial()
	a.subscribe(m11, hostRange(1, 2)...)
	other.subscribe(m12, hostN(1))
	set := func(weight uint16) {
		t.Helper()
		if _, err := db.SetWeight(t.Context(), m11, []route.Host{hostN(2).Host()}, weight); err != nil {
			t.Fatal(err)
		}
	}
	for _, weight := range []uint16{50, 0, route.DefaultWeight} {
		set(weight)
		set(weight) // which changes nothing
		a.expect(m11, hostN(1), weighing(weight, hostN(2))[0])
	}
	plainSQL(t, cfg, "UPDATE RouteData SET weight = 7 WHERE modid = 1 AND cmdid = 1", bump)
	a.expect(m11, weighing(7, hostRange(1, 2)...)...)
	a.expectNothing(module(50, 1))
	other.expectNothing(module(50, 2))
	if st := s.Stats(); st.Pushes != 4 {
		t.Errorf("%d pushes, want 4", st.Pushes)
	}
}

func TestTwoChangesInOneSecond(t *testing.T) {
	db := openStore(t, sqlite(t))
	s := start(t, quick(), db, quiet())
	a := s.dial()
	a.subscribe(m11)
	for n := 1; n <= 10; n++ {
		add(t, db, m11, hostN(n))
		a.expect(m11, hostRange(1, n)...)
	}
}

func TestPlainSQL(t *testing.T) {
	cfg := sqlite(t)
	db := openStore(t, cfg)
	add(t, db, m11, hostN(1))
	s := start(t, quick(), db, quiet())
	a := s.dial()
	a.subscribe(m11, hostN(1))
	a.subscribe(m12)
	for _, c := range []struct {
		edit string
		m    route.Module
		want []route.Node
	}{
		{"INSERT INTO RouteData (modid, cmdid, serverip, serverport) VALUES (1, 2, 9, 99)", m12, []route.Node{node(9, 99)}},
		{"UPDATE RouteData SET serverport = 81 WHERE modid = 1 AND cmdid = 1", m11, []route.Node{node(hostN(1).IP, 81)}},
		{"DELETE FROM RouteData WHERE cmdid = 1", m11, nil},
	} {
		plainSQL(t, cfg, c.edit, bump)
		a.expect(c.m, c.want...)
	}
	a.expectNothing(module(50, 50))
}

// The version is the time, twice the same: the second edit is found all the same.
func TestPlainSQLTwiceInOneSecond(t *testing.T) {
	cfg := sqlite(t)
	db := openStore(t, cfg)
	s := start(t, quick(), db, quiet())
	a := s.dial()
	a.subscribe(m11)
	now := fmt.Sprintf("UPDATE RouteVersion SET version = %d", time.Now().Unix())
	plainSQL(t, cfg, "INSERT INTO RouteData (modid, cmdid, serverip, serverport) VALUES (1, 1, 9, 99)", now)
	a.expect(m11, node(9, 99))
	plainSQL(t, cfg, "UPDATE RouteData SET serverip = 10", now)
	a.expect(m11, node(10, 99))
}

func TestEditWithoutBump(t *testing.T) {
	cfg := sqlite(t)
	db := openStore(t, cfg)
	config := quick()
	config.ReloadInterval = 20 * config.PollInterval
	s := start(t, config, db, quiet())
	a := s.dial()
	a.subscribe(m11)
	plainSQL(t, cfg, "INSERT INTO RouteData (modid, cmdid, serverip, serverport) VALUES (1, 1, 9, 99)")
	a.expect(m11, node(9, 99))
}

func TestTwoReplicas(t *testing.T) {
	cfg := sqlite(t)
	db := openStore(t, cfg)
	config := quick()
	config.PruneInterval = config.PollInterval // neither may take changes from the other
	var agents []*agent
	for range 2 {
		a := start(t, config, openStore(t, cfg), quiet()).dial()
		a.subscribe(m11)
		agents = append(agents, a)
	}
	for n := 1; n <= 5; n++ {
		add(t, db, m11, hostN(n))
		for _, a := range agents {
			a.expect(m11, hostRange(1, n)...)
		}
	}
}

// More modules at once than are read one by one, and than a loop pushes at a
// time.
func TestChangeOfThousandsOfModules(t *testing.T) {
	const modules = 3000
	db := openStore(t, sqlite(t))
	s := start(t, quick(), db, quiet())
	a := s.dial()
	var asked []byte
	var all []store.Entry
	for i := range int32(modules) {
		asked = append(asked, request(module(7, i))...)
		all = append(all, store.Entry{Module: module(7, i), Host: hostN(int(i)).Host()})
	}
	a.write(asked)
	for i := range int32(modules) {
		a.expect(module(7, i))
	}
	if _, err := db.ReplaceRoutes(t.Context(), all); err != nil {
		t.Fatal(err)
	}
	told := make(map[route.Module]int)
	for range modules {
		m, hosts, err := a.read()
		if err != nil || !slices.Equal(hosts, []route.Node{hostN(int(m.CmdID))}) {
			t.Fatalf("%v: %v, %v", m, hosts, err)
		}
		told[m]++
	}
	if len(told) != modules {
		t.Errorf("%d modules were told, want %d", len(told), modules)
	}
	a.expectNothing(module(50, 50))
}

// A loop with no room for more tasks gets its pushes later, not never.
func TestPushToABusyLoop(t *testing.T) {
	db := openStore(t, sqlite(t))
	s := start(t, quick(), db, quiet())
	a, b := s.dial(), s.dial() // one on each loop
	a.subscribe(m11)
	b.subscribe(m11)
	release := s.StallLoops()
	add(t, db, m11, hostN(1))
	s.eventually("the change is read", func(st dns.Stats) bool { return st.ChangedModules == 1 })
	release()
	a.expect(m11, hostN(1))
	b.expect(m11, hostN(1))
}

// Connections come, ask and go while routes change all the time. In the end
// everybody knows the last state, and nothing is left of those who went.
func TestSubscribingWhileRoutesChange(t *testing.T) {
	const modules, changes, agents = 8, 150, 6
	db := openStore(t, sqlite(t))
	s := start(t, quick(), db, quiet())
	at := func(n int) route.Module { return module(3, int32(n)) }

	var working sync.WaitGroup
	final := make(chan struct{})
	known := make([]map[route.Module][]route.Node, agents)
	for i := range agents {
		a := s.dial()
		known[i] = make(map[route.Module][]route.Node)
		working.Go(func() { // reads until the final state has come
			done := false
			for n := 0; !done || len(known[i][at(modules)]) == 0; n++ {
				if n <= modules { // one after another, among pushes
					if _, err := a.Write(request(at(n))); err != nil {
						t.Error(err)
						return
					}
				}
				m, hosts, err := a.read()
				if err != nil {
					t.Error(err)
					return
				}
				known[i][m] = hosts
				select {
				case <-final:
					done = true
				default:
				}
			}
		})
	}
	random := rand.New(rand.NewPCG(5, 5))
	state := make(map[route.Module][]route.Node)
	for n := range changes {
		m := at(random.IntN(modules))
		passing := s.dial()
		passing.ask(m)
		if n%2 == 0 {
			passing.expectSome()
		}
		passing.Close()
		if h := hostN(random.IntN(4)); slices.Contains(state[m], h) {
			remove(t, db, m, h)
			state[m] = slices.DeleteFunc(state[m], func(x route.Node) bool { return x == h })
		} else {
			add(t, db, m, h)
			state[m] = append(state[m], h)
		}
	}
	close(final)
	add(t, db, at(modules), hostN(1)) // the highest module is pushed last: the sign to stop
	working.Wait()
	for i := range known {
		for n := range modules {
			want := slices.SortedFunc(slices.Values(state[at(n)]), route.Node.Compare)
			if got := known[i][at(n)]; !slices.Equal(got, want) {
				t.Errorf("agent %d knows %v of %v, want %v", i, got, at(n), want)
			}
		}
	}
	s.eventually("those who went are forgotten", func(st dns.Stats) bool { return st.Subscriptions == agents*(modules+1) })
	eventually.True(t, patience, "the workers agree", func() bool {
		_, places := s.Subscriptions()
		return places == agents*(modules+1)
	})
}

// expectSome reads one route, whichever.
func (a *agent) expectSome() {
	a.t.Helper()
	if _, _, err := a.read(); err != nil {
		a.t.Fatal(err)
	}
}
