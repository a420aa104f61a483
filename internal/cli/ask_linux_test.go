package cli_test

import (
	"bytes"
	"context"
	"io"
	"strings"
	"testing"

	"github.com/lars-lb/lars/internal/cli"
)

const heldHint = "lars-dns holds back the removal of most hosts for a while ([dns] shrink_confirm): lars dns accept removes them at once\n"

// Where nobody can be asked, most hosts are removed only by who says so.
func TestRemovingMostNeedsAYes(t *testing.T) {
	dir := useStore(t)
	file := dir + "/few.csv"
	writeFile(t, file, "2,2,10.1.0.1,80\n")
	refused := func(line, what string) {
		t.Helper()
		want := result{1, "", "lars: this removes " + what + ", more than half of all: add --yes if that is meant; nothing was changed\n"}
		if r := lars(t, line); r != want {
			t.Errorf("lars %s: %+v\nwant %+v", line, r, want)
		}
	}
	hosts := hostNames(24)
	check(t, "route add 1 1 "+strings.Join(hosts, " "), "added 24 hosts to (1,1)\n")
	// Half of them, or ten, are nobody's concern.
	check(t, "route rm 1 1 "+strings.Join(hosts[:12], " "), "removed 12 hosts from (1,1)\n")
	check(t, "route rm 1 1 "+strings.Join(hosts[12:14], " "), "removed 2 hosts from (1,1)\n")
	check(t, "route rm 1 1 --all", "removed 10 hosts from (1,1)\n")

	check(t, "route add 1 1 "+strings.Join(hosts, " "), "added 24 hosts to (1,1)\n")
	refused("route rm 1 1 --all", "24 of 24 hosts")
	refused("route rm 1 1 "+strings.Join(hosts[:13], " "), "13 of 24 hosts")
	refused("route import --replace "+file, "24 of 24 hosts")
	refused("route import --replace --allow-empty /dev/null", "24 of 24 hosts")
	check(t, "route import --replace --dry-run "+file, "would add 1 host, remove 24 hosts and change the weight of 0 hosts, which changes 2 modules\n")
	check(t, "route import "+file, "added 1 host of 1\n")
	refused("route rm 1 1 --all", "24 of 25 hosts")
	if r := lars(t, "route rm 1 1 --all --yes"); r != (result{0, "removed 24 hosts from (1,1)\n", heldHint}) {
		t.Errorf("%+v", r)
	}
	check(t, "route add 1 1 "+strings.Join(hosts, " "), "added 24 hosts to (1,1)\n")
	if r := lars(t, "route import --replace --yes "+file); r != (result{0, "changed 1 module; the store has 1 route now\n", heldHint}) {
		t.Errorf("%+v", r)
	}
	// Other hosts in place of all: those of before are gone as well.
	check(t, "route add 1 1 "+strings.Join(hosts, " "), "added 24 hosts to (1,1)\n")
	csv := "modid,cmdid,ip,port\n"
	for _, h := range hosts {
		csv += "1,1," + strings.Replace(h, ":80", ",81", 1) + "\n"
	}
	if r := larsWith(t, csv, "route", "import", "--replace", "-"); r.code != 1 || !strings.Contains(r.err, "this removes 25 of 25 hosts") {
		t.Errorf("%+v", r)
	}
}

// atTerminal runs a command line at a terminal, where somebody enters a line
// once he is asked, and returns what he sees beside the result.
func atTerminal(t *testing.T, ctx context.Context, line string, enter func(screen io.Writer)) (code int, out, seen string) {
	t.Helper()
	screen, terminal := openTerminal(t, 200)
	shown := make(chan string)
	go func() {
		var all []byte
		for buffer, asked := make([]byte, 1000), false; ; {
			n, err := screen.Read(buffer)
			if all = append(all, buffer[:n]...); !asked && bytes.Contains(all, []byte("[y/N] ")) {
				asked = true
				enter(screen)
			}
			if err != nil { // the other end is closed
				shown <- strings.ReplaceAll(string(all), "\r\n", "\n")
				return
			}
		}
	}()
	var b bytes.Buffer
	code = cli.Run(ctx, "", strings.Fields(line), cli.Streams{In: terminal, Out: &b, Err: terminal})
	terminal.Close()
	return code, b.String(), <-shown
}

func TestRemovingMostIsAskedAtATerminal(t *testing.T) {
	useStore(t)
	hosts := hostNames(24)
	check(t, "route add 1 1 "+strings.Join(hosts, " "), "added 24 hosts to (1,1)\n")
	const question = "This removes 24 of 24 hosts, more than half of all. Go on? [y/N] "
	for _, answer := range []string{"n\n", "\n", "yesterday\n", "\x04" /* end of file */} {
		code, out, seen := atTerminal(t, t.Context(), "route rm 1 1 --all", func(w io.Writer) { _, _ = io.WriteString(w, answer) })
		if code != 1 || out != "" || !strings.HasPrefix(seen, question) || !strings.Contains(seen, "lars: nothing was changed") {
			t.Errorf("%q: exit %d, %q, %q", answer, code, out, seen)
		}
	}
	// Ctrl-C does not wait for an answer.
	ctx, cancel := context.WithCancel(t.Context())
	code, out, seen := atTerminal(t, ctx, "route rm 1 1 --all", func(io.Writer) { cancel() })
	if code != 1 || out != "" || !strings.Contains(seen, "nothing was changed: context canceled") {
		t.Errorf("cancelled: exit %d, %q, %q", code, out, seen)
	}
	check(t, "route rm 1 1 "+hosts[0], "removed 1 host from (1,1)\n") // nothing was
	code, out, seen = atTerminal(t, t.Context(), "route rm 1 1 --all", func(w io.Writer) { _, _ = io.WriteString(w, "Yes\n") })
	if code != 0 || out != "removed 23 hosts from (1,1)\n" || !strings.HasSuffix(seen, heldHint) {
		t.Errorf("yes: exit %d, %q, %q", code, out, seen)
	}
}
