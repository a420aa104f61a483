package cli_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
)

func TestDoctorUsage(t *testing.T) {
	dir := useStore(t)
	for line, says := range map[string]string{
		"doctor --interval 1ms":      "--interval 1ms: must be from 100ms to 1m0s",
		"doctor --timeout 2h":        "--timeout 2h0m0s: must be from 1ms to 1m",
		"doctor --dns here":          `"here" is not the admin address of a lars-dns: want IP:PORT`,
		"doctor --admin 127.0.0.1:0": `"127.0.0.1:0" is not the admin address of a lars-lb-agent`,
		"doctor now":                 "wants no arguments",
	} {
		checkFails(t, line+" --conf-dir "+dir, 2, says)
	}
}

// findings are the rules that apply, with severity and what they found.
func findings(t *testing.T, line string) (all string, ok bool) {
	t.Helper()
	r := lars(t, line+" --json --interval 100ms --timeout 200ms")
	var answer struct {
		OK       bool
		Findings []struct{ Severity, Rule, Where, What, Evidence string }
	}
	if err := json.Unmarshal([]byte(r.out), &answer); err != nil || r.err != "" || answer.OK != (r.code == 0) || r.code > 1 {
		t.Fatalf("lars %s: exit %d, %v\n%s%s", line, r.code, err, r.out, r.err)
	}
	for _, f := range answer.Findings {
		all += fmt.Sprintf("%s: %s: %s: %s (%s)\n", f.Severity, f.Rule, f.Where, f.What, f.Evidence)
	}
	return all, answer.OK
}

// Files that are bad, or not there, are findings, not failures of the doctor.
func TestDoctorFiles(t *testing.T) {
	dir := useStore(t)
	useAgent(t)
	empty := t.TempDir()
	if all, ok := findings(t, "doctor --conf-dir "+empty); !ok || !strings.HasPrefix(all, "note: not asked: "+empty+": no configuration file is there") {
		t.Errorf("an empty folder: %v\n%s", ok, all)
	}
	if all, ok := findings(t, "doctor --conf-dir "+empty+"/[x]"); !ok || !strings.Contains(all, "no such file or directory") {
		t.Errorf("no folder: %v\n%s", ok, all)
	}
	if all, ok := findings(t, "doctor --conf "+filepath.Join(empty, "none.conf")); !ok || !strings.Contains(all, "so the database was not asked") {
		t.Errorf("no configuration of the database: %v\n%s", ok, all)
	}
	bad := filepath.Join(dir, "lars_reporter.conf")
	writeFile(t, bad, "[reactor]\nport = many\n")
	if all, ok := findings(t, "doctor --conf-dir "+dir); ok || !strings.Contains(all, "error: configuration: "+bad+": the configuration is bad") || !strings.Contains(all, bad+":2") {
		t.Errorf("a bad file: %v\n%s", ok, all)
	}
}

// A daemon without some of the answers, since it is older, is no trouble; one
// whose answers are nonsense is.
func TestDoctorOtherDaemons(t *testing.T) {
	useStore(t)
	useAgent(t)
	serve := func(answers map[string]string) string {
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			answer, ok := answers[r.URL.Path]
			if !ok {
				http.NotFound(w, r)
				return
			}
			fmt.Fprint(w, answer)
		}))
		t.Cleanup(server.Close)
		return server.Listener.Addr().String()
	}
	folder := " --conf-dir " + t.TempDir()
	older := serve(map[string]string{"/stats": `{"ready": true, "modules": 2}`, "/healthz": "ok\n", "/version": "lars-dns v0.9 go1.25 linux/amd64\n"})
	if all, ok := findings(t, "doctor --dns "+older+folder); !ok {
		t.Errorf("an older one:\n%s", all)
	}
	newer := serve(map[string]string{"/stats": `{"ready": true, "modules": 2, "more": [null, "x", {}]}`, "/version": "lars-dns v9 go9 linux/amd64\n"})
	if all, ok := findings(t, "doctor --dns "+older+" --dns "+newer+folder); ok || !strings.Contains(all, "warning: versions differ") || strings.Count(all, "warning") != 1 {
		t.Errorf("two versions: %v\n%s", ok, all)
	}
	for name, text := range map[string]string{"no JSON": "hello", "half": `{"ready": tr`} {
		if all, ok := findings(t, "doctor --dns "+serve(map[string]string{"/stats": text})+folder); ok || !strings.Contains(all, "error: daemon not reachable") {
			t.Errorf("%s: %v\n%s", name, ok, all)
		}
	}
	fds := serve(map[string]string{"/stats": `{}`, "/metrics": "# TYPE process_open_fds gauge\nprocess_open_fds 9\n# TYPE process_max_fds gauge\nprocess_max_fds 10\n"})
	if all, ok := findings(t, "doctor --reporter "+fds+folder); ok || !strings.Contains(all, "9 of 10 are open") {
		t.Errorf("descriptors: %v\n%s", ok, all)
	}
}
