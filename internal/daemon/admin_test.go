package daemon_test

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"
)

// adminURL waits for the admin server of child.
func adminURL(child *child) string {
	child.Helper()
	line := child.await("admin server listening")
	var entry struct{ Addr string }
	if err := json.Unmarshal([]byte(line), &entry); err != nil {
		child.Fatalf("%v: %s", err, line)
	}
	return "http://" + entry.Addr
}

func get(t *testing.T, url string) (status int, body string) {
	t.Helper()
	client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
	response, err := client.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	content, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(content)
}

const withAdmin = "[log]\nformat = json\n[admin]\naddr = 127.0.0.1:0\n"

func TestAdmin(t *testing.T) {
	conf := writeConf(t, filepath.Join(t.TempDir(), "a.conf"), withAdmin)
	child := startChild(t, "serve", conf)
	url := adminURL(child)
	child.await("serving")
	for path, want := range map[string]string{
		"/healthz":                       "^ok\n$",
		"/livez":                         "^ok\n$",
		"/readyz":                        "^ok\n$",
		"/stats":                         `^\{\n  "answered": 42\n\}` + "\n$",
		"/version":                       `^faked v1\.2\.3 go`,
		"/debug/pprof/":                  "goroutine",
		"/debug/pprof/goroutine?debug=1": "goroutine profile:",
		"/debug/pprof/cmdline":           "-conf",
	} {
		if status, body := get(t, url+path); status != http.StatusOK || !regexp.MustCompile(want).MatchString(body) {
			t.Errorf("%s: %d %q, want %s", path, status, body, want)
		}
	}
	if status, _ := get(t, url+"/"); status != http.StatusNotFound {
		t.Errorf("/: %d", status)
	}

	// A profile that is under way does not hold up the stop.
	connection, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer connection.Close()
	if _, err := io.WriteString(connection, "GET /debug/pprof/trace?seconds=600 HTTP/1.1\r\nHost: a\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := connection.Read(make([]byte, 1)); err != nil { // the answer has begun
		t.Fatal(err)
	}
	child.cmd.Process.Signal(os.Interrupt)
	child.await("stopped")
	child.exit(0)
}

func TestAdminBeforeServing(t *testing.T) {
	conf := writeConf(t, filepath.Join(t.TempDir(), "a.conf"), withAdmin)
	child := startChild(t, "slow-start", conf)
	url := adminURL(child)
	if status, body := get(t, url+"/readyz"); status != http.StatusServiceUnavailable || body != "not ready\nstarting\n" {
		t.Errorf("/readyz: %d %q", status, body)
	}
	if status, body := get(t, url+"/healthz"); status != http.StatusOK || body != "ok\nstarting\n" {
		t.Errorf("/healthz: %d %q", status, body)
	}
	if status, body := get(t, url+"/metrics"); status != http.StatusOK || !strings.Contains(body, "lars_build_info{") {
		t.Errorf("/metrics: %d %q", status, body)
	}
	for _, path := range []string{"/stats", "/own"} {
		if status, body := get(t, url+path); status != http.StatusServiceUnavailable || body != "starting\n" {
			t.Errorf("%s: %d %q", path, status, body)
		}
	}
}

func TestAdminOfAServiceThatIsNotReady(t *testing.T) {
	conf := writeConf(t, filepath.Join(t.TempDir(), "a.conf"), withAdmin)
	child := startChild(t, "not-ready", conf)
	url := adminURL(child)
	child.await("serving")
	if status, body := get(t, url+"/readyz"); status != http.StatusServiceUnavailable || body != "not ready\nthe database does not answer\n" {
		t.Errorf("/readyz: %d %q", status, body)
	}
	if status, body := get(t, url+"/healthz"); status != http.StatusOK || body != "ok\n" {
		t.Errorf("/healthz: %d %q", status, body)
	}
	if status, _ := get(t, url+"/stats"); status != http.StatusOK {
		t.Errorf("/stats: %d", status)
	}
}

func TestAdminRoutesOfTheService(t *testing.T) {
	conf := writeConf(t, filepath.Join(t.TempDir(), "a.conf"), withAdmin)
	child := startChild(t, "routes", conf)
	url := adminURL(child)
	child.await("serving")
	if status, body := get(t, url+"/own"); status != http.StatusOK || body != "the service's own\n" {
		t.Errorf("/own: %d %q", status, body)
	}
	if _, body := get(t, url+"/stats"); !strings.Contains(body, "answered") {
		t.Errorf("/stats is the service's: %q", body)
	}
	if status, _ := get(t, url+"/other"); status != http.StatusNotFound {
		t.Errorf("/other: %d", status)
	}
}

func TestAdminPosts(t *testing.T) {
	conf := writeConf(t, filepath.Join(t.TempDir(), "a.conf"), withAdmin)
	child := startChild(t, "routes", conf)
	url := adminURL(child)
	child.await("serving")
	for _, c := range []struct {
		method, path, origin string
		status               int
	}{
		{http.MethodPost, "/do", "", http.StatusOK},
		{http.MethodPost, "/do", "https://example.org", http.StatusForbidden},
		{http.MethodGet, "/do", "", http.StatusMethodNotAllowed},
		{http.MethodPost, "/own", "", http.StatusMethodNotAllowed},
		{http.MethodPost, "/other", "", http.StatusNotFound},
		{http.MethodDelete, "/do", "", http.StatusMethodNotAllowed},
	} {
		request, err := http.NewRequestWithContext(t.Context(), c.method, url+c.path, nil)
		if err != nil {
			t.Fatal(err)
		}
		if c.origin != "" {
			request.Header.Set("Origin", c.origin)
		}
		client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != c.status {
			t.Errorf("%s %s from %q: %d, want %d", c.method, c.path, c.origin, response.StatusCode, c.status)
		}
	}
}

func TestAdminStatsThatCannotBeEncoded(t *testing.T) {
	conf := writeConf(t, filepath.Join(t.TempDir(), "a.conf"), withAdmin)
	child := startChild(t, "bad-stats", conf)
	url := adminURL(child)
	child.await("serving")
	if status, body := get(t, url+"/stats"); status != http.StatusInternalServerError || !strings.HasPrefix(body, "stats: json: ") {
		t.Errorf("%d %q", status, body)
	}
}

func TestAdminPortInUse(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	var config net.ListenConfig
	taken, err := config.Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	conf := writeConf(t, filepath.Join(t.TempDir(), "a.conf"), "[admin]\naddr = "+taken.Addr().String()+"\n")
	child := startChild(t, "serve", conf)
	child.await(`err="admin server: listen tcp ` + taken.Addr().String() + `: bind: address already in use"`)
	child.exit(1)
}
