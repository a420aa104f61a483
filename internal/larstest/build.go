package larstest

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Programs is a folder with the suite's programs.
type Programs string

// Build compiles the daemons, the operator's tool and the example into dir.
func Build(dir string) (Programs, error) {
	root, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}").Output()
	if err != nil {
		return "", fmt.Errorf("larstest: find the module: %w", err)
	}
	args := []string{"build", "-o", dir + string(filepath.Separator)}
	if raceDetector {
		args = append(args, "-race")
	}
	cmd := exec.Command("go", append(args, "./cmd/...", "./example")...)
	cmd.Dir = strings.TrimSpace(string(root))
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("larstest: go build: %w\n%s", err, &out)
	}
	return Programs(dir), nil
}

// Path is where the program of that name is.
func (p Programs) Path(name string) string { return filepath.Join(string(p), name) }

// BuildTemporary is Build into a temporary folder. remove deletes it.
func BuildTemporary() (p Programs, remove func(), err error) {
	dir, err := os.MkdirTemp("", "lars-programs")
	if err != nil {
		return "", nil, err
	}
	remove = func() { _ = os.RemoveAll(dir) }
	if p, err = Build(dir); err != nil {
		remove()
	}
	return p, remove, err
}
