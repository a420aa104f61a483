package larstest

import (
	"os"
	"path/filepath"
	"testing"
)

// NewDaemon prepares a program with a configuration of the caller's, whose log
// must be in JSON. Its working directory is an empty folder of its own. It ends
// with the test.
func NewDaemon(t testing.TB, programs Programs, name, conf string) *Daemon {
	t.Helper()
	dir := t.TempDir()
	path := filepath.Join(dir, name+".conf")
	if err := os.WriteFile(path, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	d := &Daemon{t: t, name: name, path: programs.Path(name), conf: path, dir: dir}
	t.Cleanup(d.cleanup)
	return d
}
