package chaos

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"
)

// Sample is what a process holds at one moment.
type Sample struct {
	At          time.Duration
	Resident    int // bytes
	Descriptors int
	Goroutines  int
}

// Sampler looks at processes again and again.
type Sampler struct {
	samples map[string][]Sample
	running sync.WaitGroup
}

// StartSampler looks at some processes each time that every has passed, until
// ctx is done. They must not begin anew meanwhile. One that does not answer, as
// it is frozen, is left out that time.
func (w *World) StartSampler(ctx context.Context, every time.Duration, names ...string) *Sampler {
	s := &Sampler{samples: make(map[string][]Sample)}
	pids := make(map[string]int)
	for _, name := range names {
		pids[name] = w.daemons[name].PID()
	}
	s.running.Go(func() {
		client := &http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
		turn := time.NewTicker(every)
		defer turn.Stop()
		for {
			for name, pid := range pids {
				if x, err := look(ctx, client, pid, w.admins[name].String()); err == nil {
					x.At = w.Recorder.Now()
					s.samples[name] = append(s.samples[name], x)
				}
			}
			select {
			case <-ctx.Done():
				return
			case <-turn.C:
			}
		}
	})
	return s
}

// Samples are those taken, by process. The sampler's context must be done.
func (s *Sampler) Samples() map[string][]Sample {
	s.running.Wait()
	return s.samples
}

// Resident is the memory of a process now, bytes.
func (w *World) Resident(name string) int {
	w.t.Helper()
	x, err := measure(w.daemons[name].PID())
	if err != nil {
		w.t.Fatal(err)
	}
	return x.Resident
}

// look asks the process for its goroutines, and the kernel for the rest.
func look(ctx context.Context, client *http.Client, pid int, admin string) (x Sample, err error) {
	profile, err := get(ctx, client, "http://"+admin+"/debug/pprof/goroutine?debug=1")
	if err != nil {
		return x, err
	}
	if x, err = measure(pid); err != nil {
		return x, err
	}
	_, err = fmt.Sscanf(profile, "goroutine profile: total %d", &x.Goroutines)
	return x, err
}

// logStats shows what a process says of itself.
func (w *World) logStats(name string) {
	w.t.Helper()
	stats, err := get(w.t.Context(), http.DefaultClient, "http://"+w.admins[name].String()+"/stats")
	if err != nil {
		stats = err.Error()
	}
	w.t.Logf("/stats of %s: %s", name, stats)
}

func get(ctx context.Context, client *http.Client, url string) (string, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	response, err := client.Do(request)
	if err != nil {
		return "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	return string(body), err
}

// measure reads what the kernel says of a process.
func measure(pid int) (x Sample, err error) {
	files, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", pid))
	if err != nil {
		return x, err
	}
	x.Descriptors = len(files)
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return x, err
	}
	for line := range strings.Lines(string(status)) {
		var kib int
		if n, _ := fmt.Sscanf(line, "VmRSS: %d kB", &kib); n == 1 {
			x.Resident = kib << 10
		}
	}
	return x, nil
}
