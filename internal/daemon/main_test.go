package daemon_test

import (
	"context"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"testing"

	"github.com/lars-lb/lars/internal/daemon"
)

func writeConf(t *testing.T, path, content string) string {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// Everything that ends before a service is started.
func TestArguments(t *testing.T) {
	t.Chdir(t.TempDir())
	writeConf(t, "good.conf", "[log]\nlevel = warn\n")
	writeConf(t, "bad.conf", "[log]\nlevel = loud\n[agent]\nport = x\n")

	for name, c := range map[string]struct {
		args           []string
		code           int
		stdout, stderr string // regular expressions for the whole output
	}{
		"version":    {[]string{"-version"}, 0, `faked v1\.2\.3 go\S+ ` + runtime.GOOS + "/" + runtime.GOARCH + "\n", ""},
		"check good": {[]string{"-check", "-conf", "good.conf"}, 0, "good.conf: ok\n", ""},
		"check bad": {[]string{"-conf=bad.conf", "-check"}, 2, "",
			`bad\.conf:2: \[log\] level = "loud": want .*\nbad\.conf:4: \[agent\] port = "x": want .*\n`},
		"start bad": {[]string{"-conf", "bad.conf"}, 2, "", `bad\.conf:2: .*\nbad\.conf:4: .*\n`},
		"default missing": {nil, 2, "",
			`conf/faked\.conf: cannot be read: no such file or directory\nfaked: say where the configuration is with -conf FILE, or start in the directory that has conf/faked\.conf\n`},
		"given missing":    {[]string{"-conf", "x.conf"}, 2, "", `x\.conf: cannot be read: no such file or directory\n`},
		"unknown flag":     {[]string{"-daemonize"}, 2, "", `faked: flag provided but not defined: -daemonize\nTry faked -h\.\n`},
		"flag without its": {[]string{"-conf"}, 2, "", `faked: flag needs an argument: -conf\nTry faked -h\.\n`},
		"extra argument":   {[]string{"-check", "good.conf"}, 2, "", `faked: unexpected argument "good\.conf"\nTry faked -h\.\n`},
		"start refused": {[]string{"-conf", "good.conf"}, 1, "",
			`time=\S+ level=ERROR msg="faked failed" err="listen udp 127\.0\.0\.1:8888: address already in use"\n`},
	} {
		t.Run(name, func(t *testing.T) {
			var stdout, stderr strings.Builder
			code := daemon.Main(context.Background(), fakeSpec("refuse"), c.args, &stdout, &stderr)
			if code != c.code {
				t.Errorf("exit code %d, want %d", code, c.code)
			}
			if !regexp.MustCompile("^" + c.stdout + "$").MatchString(stdout.String()) {
				t.Errorf("stdout %q, want %q", &stdout, c.stdout)
			}
			if !regexp.MustCompile("^" + c.stderr + "$").MatchString(stderr.String()) {
				t.Errorf("stderr %q, want %q", &stderr, c.stderr)
			}
		})
	}
}

func TestHelpTeaches(t *testing.T) {
	for _, flag := range []string{"-h", "-help", "--help"} {
		var stdout, stderr strings.Builder
		if code := daemon.Main(context.Background(), fakeSpec(""), []string{flag}, &stdout, &stderr); code != 0 || stderr.Len() != 0 {
			t.Errorf("%s: exit code %d, stderr %q", flag, code, &stderr)
		}
		for _, want := range []string{
			"Faked stands in for a daemon.", "-conf FILE", "-check", "-version", "conf/faked.conf",
			"FAKE_PASSWORD", "SIGTERM", "SIGINT", "SIGHUP", "Exit code", "Examples",
		} {
			if !strings.Contains(stdout.String(), want) {
				t.Errorf("%s does not mention %q:\n%s", flag, want, &stdout)
			}
		}
	}
}

// A build that sets no version still says which build it is.
func TestVersionWithoutOne(t *testing.T) {
	spec := fakeSpec("")
	spec.Version = ""
	var stdout strings.Builder
	if code := daemon.Main(context.Background(), spec, []string{"-version"}, &stdout, nil); code != 0 {
		t.Errorf("exit code %d", code)
	}
	if fields := strings.Fields(stdout.String()); len(fields) != 4 || fields[0] != "faked" {
		t.Errorf("version: %q", &stdout)
	}
}

// How a run ends that no signal ended.
func TestEndings(t *testing.T) {
	conf := writeConf(t, filepath.Join(t.TempDir(), "a.conf"), "")
	cancelled, cancel := context.WithCancel(context.Background())
	cancel()
	for _, c := range []struct {
		mode string
		ctx  context.Context
		code int
		log  string
	}{
		{"fail", context.Background(), 1, `msg="faked failed" err="the disk is gone"`},
		{"end", context.Background(), 1, `err="the service ended without being asked to"`},
		{"serve", cancelled, 0, "msg=stopped"},
		{"slow-start", cancelled, 0, "msg=stopped"},
		{"fail-stopping", cancelled, 1, `err="while stopping: not everything was written"`},
	} {
		var stdout, stderr strings.Builder
		code := daemon.Main(c.ctx, fakeSpec(c.mode), []string{"-conf", conf}, &stdout, &stderr)
		if code != c.code || !strings.Contains(stderr.String(), c.log) {
			t.Errorf("%s: exit code %d, want %d and %s in:\n%s", c.mode, code, c.code, c.log, &stderr)
		}
	}
}
