package chaos_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestNamedTestsExist keeps docs/RELIABILITY.md honest: each test that it names
// is there.
func TestNamedTestsExist(t *testing.T) {
	const root = "../.."
	text, err := os.ReadFile(filepath.Join(root, "docs", "RELIABILITY.md"))
	if err != nil {
		t.Fatal(err)
	}
	named := regexp.MustCompile("`([a-z0-9/]*)\\.?((?:Test|Fuzz)[A-Z]\\w*)`").FindAllStringSubmatch(string(text), -1)
	if len(named) < 50 {
		t.Errorf("only %d tests are named: is this the table?", len(named))
	}
	for _, n := range named {
		if err := declared(root, n[1], n[2]); err != nil {
			t.Error(err)
		}
	}
	for _, wrong := range [][2]string{{"reactor", "TestNothing"}, {"nowhere", "TestEcho"}, {"", "TestEcho"}, {"reactor", "TestEch"}} {
		if declared(root, wrong[0], wrong[1]) == nil {
			t.Errorf("%v is found", wrong)
		}
	}
}

// declared returns an error unless the package in a folder has the test.
func declared(root, folder, name string) error {
	if folder == "" {
		return fmt.Errorf("%s is named without its package", name)
	}
	files, err := filepath.Glob(filepath.Join(root, folder, "*_test.go"))
	if err != nil {
		return err
	}
	for _, f := range files {
		source, err := os.ReadFile(f)
		if err != nil {
			return err
		}
		if strings.Contains("\n"+string(source), "\nfunc "+name+"(") {
			return nil
		}
	}
	return fmt.Errorf("%s has no %s", folder, name)
}
