package cli

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"time"
	"unicode/utf8"

	"golang.org/x/term"
)

// What a terminal does when it reads these.
const (
	clearScreen = "\x1b[2J"
	toTop       = "\x1b[H"
	clearLine   = "\x1b[K" // what is to the right
	clearBelow  = "\x1b[J"
)

// watch shows something each interval until ctx is done, which is no failure.
// The first time it has to work; later ones may fail, and are tried again, as
// what is watched may be restarted just then.
func (a *app) watch(ctx context.Context, interval time.Duration, show func(context.Context, *app) error) error {
	screen := screenOf(a)
	tick := time.NewTicker(interval)
	defer tick.Stop()
	for first := true; ; first = false {
		var out bytes.Buffer
		page := *a
		page.Out = &out
		err := show(ctx, &page)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil && first:
			return err
		case err != nil && screen == nil:
			fmt.Fprintf(a.Err, "lars: %v\n", err)
		case err != nil:
			fmt.Fprintf(&out, "%v\n", err)
		}
		if screen != nil {
			err = screen.draw(out.Bytes(), first)
		} else {
			_, err = a.Out.Write(out.Bytes())
		}
		if err != nil {
			return fmt.Errorf("write the result: %w", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		if screen == nil && !a.json && out.Len() > 0 {
			fmt.Fprintln(a.Out)
		}
	}
}

// screen is a terminal that is drawn on in place.
type screen struct{ file *os.File }

// screenOf is where the results go, nil if that is no terminal or if they are
// for programs.
func screenOf(a *app) *screen {
	f, ok := a.Out.(*os.File)
	if !ok || a.json || !term.IsTerminal(int(f.Fd())) {
		return nil
	}
	return &screen{f}
}

// draw replaces what is shown. Lines that have no room are left out, since a
// screen that scrolls cannot be drawn on in place.
func (s *screen) draw(text []byte, first bool) error {
	columns, rows, err := term.GetSize(int(s.file.Fd()))
	if err != nil || columns < 1 {
		columns, rows = 80, 24
	}
	var out bytes.Buffer
	if first {
		out.WriteString(clearScreen)
	}
	out.WriteString(toTop)
	lines := bytes.Split(bytes.TrimSuffix(text, []byte("\n")), []byte("\n"))
	free := rows - 2 // one for the remark below, one for the cursor
	for i, line := range lines {
		taken := max(1, (utf8.RuneCount(line)+columns-1)/columns)
		if free -= taken; free < 0 {
			fmt.Fprintf(&out, "(%d more lines: this window is too small)%s\n", len(lines)-i, clearLine)
			break
		}
		out.Write(line)
		out.WriteString(clearLine + "\n")
	}
	out.WriteString(clearBelow)
	_, err = s.file.Write(out.Bytes())
	return err
}
