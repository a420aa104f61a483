package agent

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// cpuOf is the processor time that a process has used. The kernel's clock of a
// process is finer than its ticks in /proc.
func cpuOf(pid int) (time.Duration, error) {
	var ts unix.Timespec
	// MAKE_PROCESS_CPUCLOCK(pid, CPUCLOCK_SCHED); see clock_getcpuclockid(3).
	if err := unix.ClockGettime(int32(^pid<<3|2), &ts); err != nil {
		return 0, fmt.Errorf("the processor time of process %d: %w", pid, err)
	}
	return time.Duration(ts.Nano()), nil
}

// rssOf is the memory that a process has in use, MB.
func rssOf(pid int) (float64, error) {
	file := fmt.Sprintf("/proc/%d/statm", pid)
	text, err := os.ReadFile(file)
	if err != nil {
		return 0, err
	}
	fields := strings.Fields(string(text))
	if len(fields) < 2 {
		return 0, fmt.Errorf("%s is %q", file, text)
	}
	pages, err := strconv.Atoi(fields[1])
	if err != nil {
		return 0, fmt.Errorf("%s: %w", file, err)
	}
	return float64(pages) * float64(os.Getpagesize()) / 1e6, nil
}

// pin keeps all threads of a process on a set of processors.
func pin(pid int, cpus *unix.CPUSet) error {
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*", pid))
	if err != nil {
		return err
	}
	for _, task := range tasks {
		tid, err := strconv.Atoi(filepath.Base(task))
		if err != nil {
			return err
		}
		if err := unix.SchedSetaffinity(tid, cpus); err != nil && err != unix.ESRCH {
			return fmt.Errorf("keep process %d on its processor: %w", pid, err)
		}
	}
	return nil
}

// stayOn gives the goroutine a thread of its own, on the processors given if
// any are, until leave is called.
func stayOn(cpus *unix.CPUSet) (leave func(), err error) {
	runtime.LockOSThread()
	if cpus == nil {
		return runtime.UnlockOSThread, nil
	}
	var was unix.CPUSet
	if err := unix.SchedGetaffinity(0, &was); err != nil {
		runtime.UnlockOSThread()
		return nil, err
	}
	if err := unix.SchedSetaffinity(0, cpus); err != nil {
		runtime.UnlockOSThread()
		return nil, err
	}
	return func() {
		if unix.SchedSetaffinity(0, &was) == nil {
			runtime.UnlockOSThread() // else the thread ends with the goroutine
		}
	}, nil
}
