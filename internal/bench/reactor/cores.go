package reactor

import (
	"fmt"
	"runtime"

	"golang.org/x/sys/unix"
)

// cores are where server and client run: each on one of its own, if there are
// two, so that neither takes the time of the other, nor is moved.
type cores struct {
	server, client int
	apart          bool
}

// chooseCores takes the first two that this process may use.
func chooseCores() cores {
	var may unix.CPUSet
	if err := unix.SchedGetaffinity(0, &may); err != nil {
		return cores{}
	}
	var first []int
	for cpu := 0; cpu < len(may)*64 && len(first) < 2; cpu++ {
		if may.IsSet(cpu) {
			first = append(first, cpu)
		}
	}
	if len(first) < 2 {
		return cores{}
	}
	return cores{first[0], first[1], true}
}

func (c cores) String() string {
	if !c.apart {
		return "server and client share one core"
	}
	return fmt.Sprintf("server on core %d, client on core %d", c.server, c.client)
}

// onServers calls f on a thread that runs, as do the processes that it starts,
// where servers do.
func (c cores) onServers(f func() error) error { return c.on(c.server, f) }

// onClients calls f on a thread that runs where clients do.
func (c cores) onClients(f func() error) error { return c.on(c.client, f) }

func (c cores) on(core int, f func() error) error {
	if !c.apart {
		return f()
	}
	done := make(chan error, 1)
	go func() {
		// Never unlocked: the thread ends with the goroutine, so that no other
		// one is bound to the core.
		runtime.LockOSThread()
		var only unix.CPUSet
		only.Set(core)
		if err := unix.SchedSetaffinity(0, &only); err != nil {
			done <- fmt.Errorf("bind to core %d: %w", core, err)
			return
		}
		done <- f()
	}()
	return <-done
}
