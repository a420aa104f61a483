package cli_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/lars-lb/lars/internal/cli"
)

// TestAgentHostsWatchOnATerminal draws the table in place, as much of it as
// there is room for.
func TestAgentHostsWatchOnATerminal(t *testing.T) {
	for _, c := range []struct {
		columns uint16 // of 24 rows
		all     bool
	}{{200, true}, {20, false}} {
		screen, terminal := openTerminal(t, c.columns)
		shown := make(chan string)
		go func() {
			var b strings.Builder
			_, _ = io.Copy(&b, screen) // ends with an error when the other end is closed
			shown <- strings.ReplaceAll(b.String(), "\r\n", "\n")
		}()
		restarting := func(question int32) (int, any) {
			if question == 3 {
				return http.StatusServiceUnavailable, "starting"
			}
			return always(question)
		}
		var errs strings.Builder
		code := watching(t, "agent hosts 1 1 --watch --interval 100ms", 3, restarting, cli.Streams{Out: terminal, Err: &errs})
		terminal.Close()
		drawn := <-shown
		if code != 0 || errs.Len() > 0 || !strings.HasPrefix(drawn, "\x1b[2J\x1b[H(1,1): policy") {
			t.Errorf("%d columns: exit %d, %s, drawn %q", c.columns, code, &errs, drawn)
		}
		frames := strings.Split(drawn, "\x1b[H")[1:]
		if len(frames) != 3 || frames[0] != frames[1] || !strings.Contains(frames[2], "is starting: try again") {
			t.Fatalf("%d columns: %d frames, %q", c.columns, len(frames), drawn)
		}
		for _, frame := range frames {
			if !strings.HasSuffix(frame, "\n\x1b[J") || strings.Count(frame, "\n") != strings.Count(frame, "\x1b[K\n") {
				t.Errorf("%d columns: the old frame shines through %q", c.columns, frame)
			}
		}
		whole := strings.ReplaceAll(hostsOfModule1Table, "\n", "\x1b[K\n") + "\x1b[J"
		if c.all != (frames[0] == whole) || c.all == strings.Contains(frames[0], "more lines: this window is too small)") {
			t.Errorf("%d columns: frame %q", c.columns, frames[0])
		}
	}
}
