package cli_test

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"github.com/lars-lb/lars/internal/cli"
)

// openTerminal returns both ends of a terminal with so many columns.
func openTerminal(t *testing.T, columns uint16) (screen, terminal *os.File) {
	t.Helper()
	screen, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { screen.Close() })
	fd := int(screen.Fd())
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(fd, unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: columns}); err != nil {
		t.Fatal(err)
	}
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { terminal.Close() })
	return screen, terminal
}

// TestProgress draws the bar on a narrow terminal: each drawing fits one line,
// and says how far it is and no rate, which would be the agent's and not that
// of calls.
func TestProgress(t *testing.T) {
	agent := useAgent(t)
	agent.SetRoute(1, 1, "10.0.0.1:80")
	for _, columns := range []uint16{40, 100} {
		screen, terminal := openTerminal(t, columns)
		shown := make(chan string)
		go func() {
			var b strings.Builder
			_, _ = io.Copy(&b, screen) // ends with an error when the other end is closed
			shown <- b.String()
		}()
		var out bytes.Buffer
		args := strings.Fields("simulate 1 1 --calls 1000 --err-rate 0 --seed 1")
		code := cli.Run(t.Context(), "", args, cli.Streams{Out: &out, Err: terminal})
		terminal.Close()
		drawn := <-shown
		if code != 0 || !strings.Contains(drawn, "calls") || !strings.Contains(drawn, "/1000)") || !strings.Contains(drawn, "|") {
			t.Errorf("%d columns: exit %d, %q", columns, code, drawn)
		}
		if strings.Contains(drawn, "it/s") || strings.Contains(drawn, "/min") {
			t.Errorf("%d columns: a rate in %q", columns, drawn)
		}
		for line := range strings.SplitSeq(drawn, "\r") {
			if n := utf8.RuneCountInString(line); n >= int(columns) {
				t.Errorf("%d columns: %d in %q", columns, n, line)
			}
		}
	}
}
