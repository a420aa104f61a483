package daemon_test

import (
	"bufio"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus/testutil/promlint"

	"github.com/lars-lb/lars/internal/daemon"
)

func TestMetrics(t *testing.T) {
	conf := writeConf(t, filepath.Join(t.TempDir(), "a.conf"), withAdmin)
	child := startChild(t, "measured", conf)
	url := adminURL(child)
	child.await("serving")
	status, body := get(t, url+"/metrics")
	if status != http.StatusOK {
		t.Fatalf("%d %s", status, body)
	}
	for _, want := range []string{
		"faked_things_total 42\n", `program="faked"`, `version="v1.2.3"`, `go_version="go1.`,
		"\nprocess_open_fds ", "\nprocess_max_fds ", "\nprocess_resident_memory_bytes ", "\ngo_goroutines ",
	} {
		if !strings.Contains(body, want) {
			t.Errorf("no %q in:\n%s", want, body)
		}
	}
	problems, err := promlint.New(strings.NewReader(body)).Lint()
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range problems {
		t.Errorf("%s: %s", p.Metric, p.Text)
	}

	// Many scrapers at a time: each gets an answer, be it that there are too
	// many, and the next one a good one.
	var scrapers sync.WaitGroup
	for range 50 {
		scrapers.Go(func() {
			if status, _ := get(t, url+"/metrics"); status != http.StatusOK && status != http.StatusServiceUnavailable {
				t.Errorf("status %d", status)
			}
		})
	}
	scrapers.Wait()
	if status, _ := get(t, url+"/metrics"); status != http.StatusOK {
		t.Errorf("afterwards: %d", status)
	}
}

func TestHealthOfAStuckLoop(t *testing.T) {
	conf := writeConf(t, filepath.Join(t.TempDir(), "a.conf"), withAdmin)
	child := startChild(t, "stuck-loop", conf)
	url := adminURL(child)
	child.await("serving")
	for _, path := range []string{"/healthz", "/livez"} {
		status, body := get(t, url+path)
		if status != http.StatusServiceUnavailable || !strings.HasPrefix(body, "not healthy\nevent loop dns is stuck: it has been at one thing for 7s") || strings.Contains(body, "udp0") {
			t.Errorf("%s: %d %q", path, status, body)
		}
	}
}

func TestHealthAsJSON(t *testing.T) {
	conf := writeConf(t, filepath.Join(t.TempDir(), "a.conf"), withAdmin)
	child := startChild(t, "not-ready", conf)
	url := adminURL(child)
	child.await("serving")
	for path, want := range map[string]struct {
		status int
		ok     bool
		reason string
	}{
		"/readyz":  {http.StatusServiceUnavailable, false, "the database does not answer"},
		"/healthz": {http.StatusOK, true, ""},
	} {
		request, err := http.NewRequest(http.MethodGet, url+path, nil)
		if err != nil {
			t.Fatal(err)
		}
		request.Header.Set("Accept", "application/json")
		client := http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: patience}
		response, err := client.Do(request)
		if err != nil {
			t.Fatal(err)
		}
		var h daemon.Health
		err = json.NewDecoder(response.Body).Decode(&h)
		response.Body.Close()
		if err != nil || response.StatusCode != want.status || h.OK != want.ok || strings.Join(h.Reasons, ";") != want.reason || h.Reasons == nil {
			t.Errorf("%s: %d %+v %v", path, response.StatusCode, h, err)
		}
	}
}

// A request whose head does not end is refused, and others are served
// meanwhile.
func TestAdminBoundsHeaders(t *testing.T) {
	conf := writeConf(t, filepath.Join(t.TempDir(), "a.conf"), withAdmin)
	child := startChild(t, "serve", conf)
	url := adminURL(child)
	child.await("serving")
	c, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	// It answers before it has read all of it, so the rest may not be taken.
	_, _ = io.WriteString(c, "GET /stats HTTP/1.1\r\nHost: a\r\nX-Long: "+strings.Repeat("x", 200<<10))
	response, err := http.ReadResponse(bufio.NewReader(c), nil)
	if err != nil {
		t.Fatal(err)
	}
	if response.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Errorf("status %d", response.StatusCode)
	}
	if status, _ := get(t, url+"/healthz"); status != http.StatusOK {
		t.Errorf("/healthz: %d", status)
	}
}
