package dns

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestTooFewDescriptorsAreToldOf(t *testing.T) {
	for _, c := range []struct {
		limit uint64
		told  bool
	}{{1000 + otherDescriptors, false}, {1000 + otherDescriptors - 1, true}, {unix.RLIM_INFINITY, false}} {
		var log bytes.Buffer
		checkDescriptors(unix.Rlimit{Cur: 10, Max: c.limit}, 1000, slog.New(slog.NewTextHandler(&log, nil)))
		if told := strings.Contains(log.String(), "needed=1064"); told != c.told {
			t.Errorf("limit %d: %q", c.limit, log.String())
		}
	}
}
