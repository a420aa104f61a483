package chaos

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/lars-lb/lars/internal/chaos/fault"
	"github.com/lars-lb/lars/internal/chaos/history"
)

// delayed is how late each piece comes over a connection with fault.Delay.
const delayed = 100 * time.Millisecond

// inflict begins a fault. undo ends it; it may be called once.
func (w *World) inflict(x fault.Step) (undo func()) {
	w.t.Helper()
	w.t.Logf("%7v  %s %s for %v", w.Recorder.Now().Round(time.Millisecond), x.Kind, x.Target, x.For)
	ended := w.Recorder.Begin(w.effects(x))
	if r := w.links[x.Target]; r != nil {
		switch x.Kind {
		case fault.Refuse:
			r.Refuse()
		case fault.Stall:
			r.Stall()
		case fault.Reset:
			r.Reset()
		case fault.Delay:
			r.Delay(delayed)
		}
		return func() {
			if err := r.Pass(); err != nil {
				w.t.Fatal(err)
			}
			ended()
		}
	}
	if x.Target == fault.Database {
		return w.hitDatabase(x.Kind, ended)
	}
	d := w.daemons[x.Target]
	if d == nil {
		w.t.Fatalf("nothing is called %s; there are %v, %v and %s", x.Target, w.Processes(), w.Links(), fault.Database)
	}
	if served := w.starting[x.Target]; served != nil { // begun anew, and hit again before it served
		served()
		delete(w.starting, x.Target)
	}
	switch x.Kind {
	case fault.Kill:
		d.Kill()
	case fault.Stop:
		d.Stop()
	case fault.Freeze:
		d.Freeze()
		return func() { d.Thaw(); ended() }
	case fault.Descriptors:
		return w.limit(d.PID(), unix.RLIMIT_NOFILE, 3, ended)
	case fault.Disk:
		return w.limit(d.PID(), unix.RLIMIT_FSIZE, 0, ended)
	}
	return func() {
		d.Start()
		w.starting[x.Target] = ended
	}
}

// served ends the faults of processes that serve again.
func (w *World) served() {
	for name, ended := range w.starting {
		if w.daemons[name].Said("serving") {
			ended()
			delete(w.starting, name)
		}
	}
}

func (w *World) hitDatabase(k fault.Kind, ended func()) (undo func()) {
	var err error
	switch k {
	case fault.Kill:
		w.db.Kill()
	case fault.Stop:
		err = w.db.Shutdown()
	case fault.Freeze:
		err = w.db.Freeze()
	}
	if err != nil {
		w.t.Fatal(err)
	}
	return func() {
		if k == fault.Freeze {
			err = w.db.Thaw()
		} else {
			err = w.db.Restart()
		}
		if err != nil {
			w.t.Fatal(err)
		}
		ended()
	}
}

// limit takes a resource away from a running process.
func (w *World) limit(pid, resource int, to uint64, ended func()) (undo func()) {
	var had unix.Rlimit
	if err := unix.Prlimit(pid, resource, nil, &had); err != nil {
		w.t.Fatal(os.NewSyscallError("prlimit", err))
	}
	if err := unix.Prlimit(pid, resource, &unix.Rlimit{Cur: to, Max: had.Max}, nil); err != nil {
		w.t.Fatal(os.NewSyscallError("prlimit", err))
	}
	return func() {
		if err := unix.Prlimit(pid, resource, &had, nil); err != nil {
			w.t.Fatal(os.NewSyscallError("prlimit", err))
		}
		ended()
	}
}

// effects says which agents a fault may touch, and how.
func (w *World) effects(x fault.Step) history.Fault {
	f := history.Fault{What: fmt.Sprintf("%s %s", x.Kind, x.Target)}
	from, to, link := strings.Cut(x.Target, ">")
	for _, agent := range w.Agents() {
		for _, end := range []string{from, to} {
			// A connection of one agent touches no other.
			if link && strings.HasPrefix(from, "agent") && from != agent {
				continue
			}
			if end == fault.Database && !link || end == agent || slices.Contains(w.peers(agent, "dns"), end) {
				f.Stale = append(f.Stale, agent)
				if x.Kind == fault.Kill || x.Kind == fault.Stop {
					f.Forgot = append(f.Forgot, agent)
				}
			}
			if end == fault.Database && !link || end == agent || slices.Contains(w.peers(agent, "reporter"), end) {
				f.Uncounted = append(f.Uncounted, agent)
			}
		}
		if x.Target != agent {
			continue
		}
		switch x.Kind {
		case fault.Kill, fault.Stop:
			f.Mute, f.Restarted = []string{agent}, []string{agent}
		case fault.Freeze:
			f.Mute = []string{agent}
		}
	}
	return f
}
