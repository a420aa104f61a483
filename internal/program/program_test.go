package program_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/lars-lb/lars/internal/program"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// daemon writes a program that sh runs in place of a daemon.
func daemon(t *testing.T, script string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "lars-fake")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+script), 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestDaemon(t *testing.T) {
	d, err := program.Start(t.Context(), daemon(t, `
echo 'not JSON' >&2
echo '{"msg":"serving","addr":"'"$(cat "$2")"'","workers":3}' >&2
exec sleep 60`), t.TempDir(), "127.0.0.1:7")
	if err != nil {
		t.Fatal(err)
	}
	if got := d.Serving("addr"); got != "127.0.0.1:7" {
		t.Errorf("it serves on %q", got)
	}
	if d.Serving("workers") != "" || d.PID() == 0 {
		t.Errorf("attribute %q of process %d", d.Serving("workers"), d.PID())
	}
	select {
	case <-d.Ended():
		t.Error("it ended by itself")
	default:
	}
	begin := time.Now()
	d.Stop()
	d.Stop()
	<-d.Ended()
	if took := time.Since(begin); took > 4*time.Second {
		t.Errorf("it had to be killed after %v", took)
	}
}

func TestDaemonThatDoesNotServe(t *testing.T) {
	ended := daemon(t, "echo 'the port is taken' >&2; exit 1")
	if _, err := program.Start(t.Context(), ended, t.TempDir(), ""); err == nil ||
		!strings.Contains(err.Error(), "lars-fake ended at once:\nthe port is taken") {
		t.Errorf("one that ends: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := program.Start(ctx, daemon(t, "exec sleep 60"), t.TempDir(), ""); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("one that says nothing: %v", err)
	}
	if _, err := program.Start(t.Context(), "/no/such/lars-dns", t.TempDir(), ""); err == nil || !strings.HasPrefix(err.Error(), "start lars-dns: ") {
		t.Errorf("one that is not there: %v", err)
	}
}
