package chaos

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/lars-lb/lars/internal/chaos/fault"
	"github.com/lars-lb/lars/internal/chaos/history"
	"github.com/lars-lb/lars/internal/eventually"
	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/store"
)

const (
	// tick is how exactly a schedule is kept.
	tick = 5 * time.Millisecond
	// drainEvery is how often calls are judged in a long run.
	drainEvery = 5 * time.Second
	// calm is how long callers ask before the first fault and after the last.
	calm = 300 * time.Millisecond
)

// Run carries out a schedule while callers ask and routes change, waits until
// all has healed and settled, and judges what happened: the test fails if a
// promise was not kept, and says how to see it again.
func (w *World) Run(s fault.Schedule) *Result {
	w.t.Helper()
	ctx, cancel := context.WithCancel(w.t.Context())
	defer func() { // also when a fault could not be made
		cancel()
		w.load.wait()
		w.editor.running.Wait()
	}()
	for name, addr := range w.agents {
		if err := w.load.start(ctx, name, addr, w.o.Rate); err != nil {
			w.t.Fatal(err)
		}
	}
	editing, stopEditing := context.WithCancel(ctx)
	defer stopEditing()
	w.editor.start(editing, w.o.Changes)
	w.carryOut(s)
	stopEditing()
	w.settle()
	cancel()
	w.load.wait()
	w.sum()
	return w.judge(s)
}

// Inflict begins faults at once, whatever their times, and returns what ends
// them. It is for tests that look at what holds meanwhile.
func (w *World) Inflict(steps ...fault.Step) (heal func()) {
	w.t.Helper()
	var undo []func()
	for _, x := range steps {
		undo = append(undo, w.inflict(x))
	}
	return func() {
		w.t.Helper()
		for _, u := range undo {
			u()
		}
		w.allServe()
	}
}

// Change gives each module that changes another route.
func (w *World) Change() {
	w.t.Helper()
	if err := w.editor.changeAll(w.t.Context()); err != nil {
		w.t.Fatal(err)
	}
}

// WaitCurrent waits until every agent has the routes of the database.
func (w *World) WaitCurrent(within time.Duration) {
	w.t.Helper()
	eventually.True(w.t, within, "the agents have the routes of the database", func() bool {
		return len(w.differences(w.Agents())) == 0
	})
}

// allServe waits until every process that was started serves.
func (w *World) allServe() {
	w.t.Helper()
	for name := range w.starting {
		w.daemons[name].WaitFor("serving")
	}
	w.served()
}

// action is the beginning or the end of a fault.
type action struct {
	at time.Duration
	do func()
}

// carryOut begins and ends the faults of a schedule in time, and returns when
// every process serves again.
func (w *World) carryOut(s fault.Schedule) {
	w.t.Helper()
	var todo []action
	for _, x := range s {
		var undo func()
		todo = append(todo,
			action{calm + x.At, func() { undo = w.inflict(x) }},
			action{calm + x.At + x.For, func() { undo() }})
	}
	// Stable: of two at one time that which was written first, and the end of a
	// fault of no length after its beginning.
	slices.SortStableFunc(todo, func(x, y action) int { return cmp.Compare(x.at, y.at) })
	todo = append(todo, action{s.Length() + 2*calm, func() {}})
	start := time.Now()
	turn := time.NewTicker(tick)
	defer turn.Stop()
	drained := start
	for len(todo) > 0 {
		<-turn.C
		if time.Since(drained) > drainEvery {
			w.drain()
			drained = time.Now()
		}
		w.served()
		for len(todo) > 0 && time.Since(start) >= todo[0].at {
			todo[0].do()
			todo = todo[1:]
		}
	}
	w.allServe()
}

// settle waits until each agent has the routes of the database, and records how
// long that took. Nobody may change routes meanwhile.
func (w *World) settle() {
	w.t.Helper()
	// The last fault may have left the database busy with getting up.
	eventually.True(w.t, patience, "the database takes a last change", func() bool {
		return w.editor.finish(w.t.Context()) == nil
	})
	healed := w.Recorder.Now()
	settled := make(map[string]bool)
	turn := time.NewTicker(tick)
	defer turn.Stop()
	for len(settled) < len(w.agents) {
		late := w.Recorder.Now()-healed > max(patience, w.o.Rules.Settle)
		for _, agent := range w.Agents() {
			if settled[agent] {
				continue
			}
			d := w.differences([]string{agent})
			if len(d) > 0 && late {
				w.logStats(agent)
			}
			if len(d) == 0 || late {
				w.Recorder.Settling(history.Settling{Agent: agent, Healed: healed, At: w.Recorder.Now(), Differences: d})
				settled[agent] = true
			}
		}
		<-turn.C
	}
}

// differences are the modules whose route at an agent is not that in the
// database, in words.
func (w *World) differences(agents []string) (d []string) {
	w.t.Helper()
	entries, err := w.store.ListRoutes(w.t.Context(), store.Filter{})
	if err != nil {
		return []string{err.Error()}
	}
	want := make(map[route.Module][]route.Host)
	for _, e := range entries {
		want[e.Module] = append(want[e.Module], e.Host)
	}
	for _, agent := range agents {
		c, err := newCaller(w.agents[agent])
		if err != nil {
			w.t.Fatal(err)
		}
		for _, m := range w.editor.modules {
			hosts, outcome := c.getRoute(m, time.Now().Add(deadline))
			slices.SortFunc(hosts, route.Host.Compare)
			if outcome != history.Answered || !slices.Equal(hosts, want[m]) {
				d = append(d, m.String()+" has "+describe(hosts)+", the database "+describe(want[m])+", "+agent+" "+outcome.String())
			}
		}
		c.close()
	}
	return d
}

func describe(hosts []route.Host) string {
	text := "["
	for i, h := range hosts {
		if i > 0 {
			text += " "
		}
		text += h.String()
	}
	return text + "]"
}
