//go:build linux

package reactor

import (
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// Connections that fall silent together are not asked together.
func TestKeepAlivesAreSpread(t *testing.T) {
	fd, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(fd)
	seen := make(map[int]bool)
	for range 200 {
		if err := setConnOptions(fd, 16*time.Second); err != nil {
			t.Fatal(err)
		}
		idle, err := unix.GetsockoptInt(fd, unix.IPPROTO_TCP, unix.TCP_KEEPIDLE)
		if err != nil {
			t.Fatal(err)
		}
		if idle < 12 || idle > 16 {
			t.Fatalf("a silent peer is asked after %d s, want 12 to 16", idle)
		}
		seen[idle] = true
	}
	if len(seen) != 5 {
		t.Errorf("silent peers are asked after %v s, want each of 12 to 16", seen)
	}
}
