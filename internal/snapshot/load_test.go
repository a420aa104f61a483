package snapshot_test

import (
	"bytes"
	"errors"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/snapshot"
)

// good is the content of a file that can be read.
func good(t testing.TB) []byte {
	t.Helper()
	path := filepath.Join(t.TempDir(), "routes")
	err := snapshot.Write(path, snapshot.Head{Owner: owner, SavedAt: time.UnixMilli(1), Version: 3},
		maps.All(map[route.Module][]route.Node{{ModID: 1, CmdID: 1}: {{IP: 1, Port: 2, Weight: 3}, {IP: 4, Port: 5, Weight: 6}}}))
	if err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return content
}

func TestLoadSetsBadFilesAside(t *testing.T) {
	content := good(t)
	for name, bad := range map[string][]byte{
		"damaged": append(bytes.Clone(content[:60]), make([]byte, len(content)-60)...),
		"cut":     content[:70],
		"empty":   {},
		"foreign": []byte("root:x:0:0:root:/root:/bin/bash\n"),
	} {
		t.Run(name, func(t *testing.T) {
			path, log := filepath.Join(t.TempDir(), "routes"), new(logBuffer)
			for range 2 { // the second replaces what the first has set aside
				if err := os.WriteFile(path, bad, 0o600); err != nil {
					t.Fatal(err)
				}
				_, ok := snapshot.Load(path, owner, log.logger(), func(m route.Module, _ []route.Node) { t.Errorf("was given %v", m) })
				if ok {
					t.Error("loaded")
				}
			}
			aside, err := os.ReadFile(path + ".bad")
			if err != nil || !bytes.Equal(aside, bad) || log.count("set aside") != 2 || log.count("aside="+path+".bad") != 2 {
				t.Errorf("%v, log:\n%s", err, log.buf.String())
			}
			if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
				t.Errorf("it is still there: %v", err)
			}
		})
	}
}

func TestLoadLeavesAloneWhatIsNoFile(t *testing.T) {
	dir := t.TempDir()
	pipe := filepath.Join(dir, "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{dir, pipe, os.DevNull} {
		log := new(logBuffer)
		if _, ok := snapshot.Load(path, owner, log.logger(), nil); ok || log.count("not a regular file") != 1 {
			t.Errorf("%s: %v, log:\n%s", path, ok, log.buf.String())
		}
		if err := snapshot.Write(path, snapshot.Head{Owner: owner}, maps.All[map[route.Module][]route.Node](nil)); err == nil {
			t.Errorf("%s was written", path)
		}
		if _, err := os.Lstat(path); err != nil {
			t.Errorf("%s is gone: %v", path, err)
		}
	}
}

func TestLoadWithoutAFileIsSilent(t *testing.T) {
	for _, path := range []string{"", filepath.Join(t.TempDir(), "no folder", "routes")} {
		log := new(logBuffer)
		if _, ok := snapshot.Load(path, owner, log.logger(), nil); ok || log.buf.Len() > 0 {
			t.Errorf("%q: %v, log:\n%s", path, ok, log.buf.String())
		}
	}
}

func TestLoadSaysWhatItCannotSetAside(t *testing.T) {
	path, log := filepath.Join(t.TempDir(), "routes"), new(logBuffer)
	if err := os.MkdirAll(filepath.Join(path+".bad", "full"), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte("LARSROUT"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, ok := snapshot.Load(path, owner, log.logger(), nil); ok || log.count("nor set aside") != 1 {
		t.Errorf("log:\n%s", log.buf.String())
	}
}
