package result

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Machine is what a run was made on.
type Machine struct {
	CPU    string `json:"cpu"` // the model, or the architecture where it has no name
	Cores  int    `json:"cores"`
	Memory int64  `json:"memory_bytes"`
	Kernel string `json:"kernel"` // of Linux
	Go     string `json:"go"`     // that bench was built with
	// Load is how many processes were running in the minute before the run, on
	// average; they took of its time.
	Load float64 `json:"load_before"`
}

// ThisMachine is the one that bench runs on.
func ThisMachine() Machine {
	m := Machine{CPU: runtime.GOARCH, Cores: runtime.NumCPU(), Go: runtime.Version()}
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		if model := modelName(string(text)); model != "" {
			m.CPU = model
		}
	}
	var uts unix.Utsname
	if unix.Uname(&uts) == nil {
		m.Kernel = unix.ByteSliceToString(uts.Release[:])
	}
	var info unix.Sysinfo_t
	if unix.Sysinfo(&info) == nil {
		m.Memory = int64(info.Totalram) * int64(info.Unit)
		m.Load = float64(info.Loads[0]) / (1 << 16) // linux/kernel.h: SI_LOAD_SHIFT
	}
	return m
}

// modelName is that of the first processor in a /proc/cpuinfo, "" if it names
// none, as on ARM.
func modelName(cpuinfo string) string {
	for line := range strings.Lines(cpuinfo) {
		if key, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(key) == "model name" {
			return strings.Join(strings.Fields(value), " ")
		}
	}
	return ""
}

// Short names the processor.
func (m Machine) Short() string {
	cores := "cores"
	if m.Cores == 1 {
		cores = "core"
	}
	return fmt.Sprintf("%s, %d %s", m.CPU, m.Cores, cores)
}

func (m Machine) String() string {
	return fmt.Sprintf("%s, %s of memory, Linux %s, %s", m.Short(), Quantity(float64(m.Memory)/(1<<30), "GiB"), m.Kernel, m.Go)
}

// Busy reports whether so much else was running that the numbers suffer.
func (m Machine) Busy() bool { return m.Load > float64(m.Cores)/4 }

// Commit is that of the source in the working directory, with "-dirty" if it
// was changed since, and "unknown" where git does not tell.
func Commit(ctx context.Context) string {
	ctx, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	out, err := exec.CommandContext(ctx, "git", "describe", "--always", "--dirty", "--exclude=*", "--abbrev=12").Output()
	if err != nil {
		return "unknown"
	}
	return strings.TrimSpace(string(out))
}
