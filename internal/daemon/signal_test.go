package daemon_test

import (
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

func TestStop(t *testing.T) {
	conf := writeConf(t, filepath.Join(t.TempDir(), "a.conf"), "")
	for name, c := range map[string]struct {
		mode, ready string
		first       syscall.Signal
		second      syscall.Signal // 0 for none
		code        int
		log         string // last line
	}{
		"SIGTERM":            {"serve", "serving", syscall.SIGTERM, 0, 0, "msg=stopped"},
		"SIGINT":             {"serve", "serving", syscall.SIGINT, 0, 0, "msg=stopped"},
		"while starting":     {"slow-start", "waiting in Start", syscall.SIGTERM, 0, 0, "msg=stopped"},
		"fails while at it":  {"fail-stopping", "serving", syscall.SIGTERM, 0, 1, "not everything was written"},
		"takes too long":     {"stuck", "serving", syscall.SIGTERM, 0, 1, "not stopped within 2s"},
		"two signals":        {"stuck", "serving", syscall.SIGTERM, syscall.SIGINT, 1, "a second signal (interrupt) while stopping"},
		"twice the same one": {"stuck", "serving", syscall.SIGINT, syscall.SIGINT, 1, "a second signal (interrupt) while stopping"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			child := startChild(t, c.mode, conf)
			child.await(c.ready)
			child.signal(c.first)
			child.await("msg=stopping signal=")
			if c.second != 0 {
				child.signal(c.second)
			}
			if log := child.rest(); !strings.Contains(log, c.log) || strings.Count(log, "\n") != 1 {
				t.Errorf("log:\n%swant one line with %q", log, c.log)
			}
			child.exit(c.code)
		})
	}
}

func TestReload(t *testing.T) {
	conf := writeConf(t, filepath.Join(t.TempDir(), "a.conf"), "")
	child := startChild(t, "serve", conf)
	child.await("serving")
	reload := func(content string) {
		t.Helper()
		writeConf(t, conf, content)
		child.signal(syscall.SIGHUP)
	}

	reload("[log]\nlevel = error\n[loadbalance]\nerr_rate = 0.2\n[agent]\nport = 9000\n")
	child.await(`msg="service reloads" err_rate=0.2`)
	if line := child.await("msg=reloaded"); !strings.Contains(line, `applied="[loadbalance] err_rate, [log] level"`) {
		t.Error(line)
	}
	if line := child.await("needs a restart"); !strings.Contains(line, `keys="[agent] port"`) {
		t.Error(line)
	}

	// At level error the service's line is not shown, and what a bad file
	// would change is not changed.
	reload("[log]\nlevel = debug\n[loadbalance]\nerr_rate = 2\n")
	if line := child.await(""); !strings.Contains(line, "reload refused") || !strings.Contains(line, `a.conf:4: [loadbalance] err_rate = \"2\": want a rate`) {
		t.Error(line)
	}
	reload("[log]\nlevel = debug\n[loadbalance]\nerr_rate = 0.99\n")
	if line := child.await(""); !strings.Contains(line, "reload refused") || !strings.Contains(line, "not for this service") {
		t.Error(line)
	}

	// The settings in force are those of the last good file, and what waits
	// for a restart is told of again.
	reload("[log]\nlevel = info\n[loadbalance]\nerr_rate = 0.2\n[agent]\nport = 9000\n")
	if line := child.await(""); !strings.Contains(line, `msg=reloaded`) || !strings.Contains(line, `applied="[log] level"`) {
		t.Error(line)
	}
	child.await(`keys="[agent] port"`)

	child.signal(syscall.SIGTERM)
	child.await("msg=stopped")
	child.exit(0)
}

func TestReloadOfWhatCannotReload(t *testing.T) {
	conf := writeConf(t, filepath.Join(t.TempDir(), "a.conf"), "")
	child := startChild(t, "no-reloader", conf)
	child.await("serving")
	writeConf(t, conf, "[loadbalance]\nerr_rate = 0.2\n")
	child.signal(syscall.SIGHUP)
	if line := child.await("needs a restart"); !strings.Contains(line, `keys="[loadbalance] err_rate"`) {
		t.Error(line)
	}
	child.signal(syscall.SIGTERM)
	child.await("msg=stopped")
	child.exit(0)
}

// A reload that is asked for before the service has started is not fatal, as
// SIGHUP is to a process that does not expect it.
func TestReloadWhileStarting(t *testing.T) {
	conf := writeConf(t, filepath.Join(t.TempDir(), "a.conf"), "")
	child := startChild(t, "slow-start", conf)
	child.await("waiting in Start")
	child.signal(syscall.SIGHUP)
	child.signal(syscall.SIGTERM)
	child.await("msg=stopped")
	child.exit(0)
}

func TestOutlivesItsLog(t *testing.T) {
	conf := writeConf(t, filepath.Join(t.TempDir(), "a.conf"), "")
	child := startChild(t, "serve", conf)
	child.await("serving")
	child.log.Close()
	child.signal(syscall.SIGHUP) // logs, to nobody
	child.signal(syscall.SIGTERM)
	child.exit(0)
}
