package config_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Whatever a file holds, it is read into something valid, or refused with
// messages that each name the file.
func FuzzLoad(f *testing.F) {
	seeds, err := filepath.Glob("testdata/*/*.conf")
	if err != nil || len(seeds) == 0 {
		f.Fatalf("no seeds: %v", err)
	}
	for _, seed := range seeds {
		content, err := os.ReadFile(seed)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(content)
	}
	path := filepath.Join(f.TempDir(), "fuzz.conf")
	f.Fuzz(func(t *testing.T, content []byte) {
		if err := os.WriteFile(path, content, 0o600); err != nil {
			t.Fatal(err)
		}
		for daemon, load := range loaders {
			c, err := load(path)
			if err == nil {
				if err := c.(interface{ Validate() error }).Validate(); err != nil {
					t.Errorf("%s: read, and not valid: %v", daemon, err)
				}
				continue
			}
			for line := range strings.SplitSeq(err.Error(), "\n") {
				if !strings.HasPrefix(line, path+":") {
					t.Errorf("%s: a message that does not name the file: %q", daemon, line)
				}
			}
		}
	})
}
