package main

import (
	"bytes"
	"fmt"
	"io"
	"os"
	"sync"
	"time"

	"golang.org/x/term"

	"github.com/lars-lb/lars/internal/bench/result"
)

// forecast is how long parts are expected to take: as long as in the run before.
// It is empty if that measured for another time.
type forecast map[string]time.Duration

func newForecast(before, now *result.Run) forecast {
	if before == nil || before.Rounds != now.Rounds || before.Length != now.Length {
		return nil
	}
	f := make(forecast)
	for _, p := range before.Parts {
		if p.Error == "" {
			f[p.Name] = p.Took()
		}
	}
	return f
}

// left is how much longer the parts will take, the first of which began a time
// ago, and whether that can be said.
func (f forecast) left(parts []part, ago time.Duration) (time.Duration, bool) {
	left := time.Duration(0)
	for i, p := range parts {
		d, known := f[p.name]
		if !known {
			return 0, false
		}
		if i == 0 {
			d = max(0, d-ago)
		}
		left += d
	}
	return left, len(parts) > 0
}

// progress shows what is measured now: on a terminal one line, in place of the
// one before, whose times go on; else a line for each step. Write takes a line.
// It is safe for concurrent use.
type progress struct {
	w        io.Writer
	columns  int // of the terminal, 0 if w is none
	forecast forecast
	stop     chan struct{}
	stopped  sync.WaitGroup

	mu           sync.Mutex
	began, since time.Time // all of it, and this part
	number, of   int       // this part is one of how many
	parts        []part    // from this one on
	step         string    // the last line
}

// newProgress returns one that has to be closed. There is a terminal if columns
// is above 0.
func newProgress(w io.Writer, columns int, f forecast) *progress {
	p := &progress{w: w, columns: columns, forecast: f, stop: make(chan struct{}), began: time.Now()}
	if columns > 0 {
		p.stopped.Go(p.tick)
	}
	return p
}

// columnsOf is how wide the terminal is that w writes to, 0 if that is none.
func columnsOf(w io.Writer) int {
	file, ok := w.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return 0
	}
	if columns, _, err := term.GetSize(int(file.Fd())); err == nil && columns > 0 {
		return columns
	}
	return 80
}

// tick shows once a second how time goes by, until close.
func (p *progress) tick() {
	second := time.NewTicker(time.Second)
	defer second.Stop()
	for {
		select {
		case <-second.C:
			p.mu.Lock()
			p.show()
			p.mu.Unlock()
		case <-p.stop:
			return
		}
	}
}

// part says that a part begins, the first of them being number 1.
func (p *progress) part(number int, all []part) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.since, p.number, p.of, p.parts = time.Now(), number, len(all), all[number-1:]
}

func (p *progress) Write(line []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.step = string(bytes.TrimSpace(line))
	p.show()
	return len(line), nil
}

// show is called with the lock.
func (p *progress) show() {
	if p.step == "" {
		return
	}
	now := time.Now()
	times := clock(now.Sub(p.began))
	if left, known := p.forecast.left(p.parts, now.Sub(p.since)); known {
		times += ", about " + clock(left) + " left"
	}
	line := fmt.Sprintf("[%d/%d %s] %s", p.number, p.of, times, p.step)
	if p.columns == 0 {
		fmt.Fprintln(p.w, line)
		return
	}
	if short := []rune(line); len(short) >= p.columns { // a line that wraps could not be replaced
		line = string(short[:p.columns-1])
	}
	fmt.Fprint(p.w, "\r\033[K"+line)
}

// close ends the goroutine and removes the line from a terminal.
func (p *progress) close() {
	close(p.stop)
	p.stopped.Wait()
	if p.columns > 0 {
		fmt.Fprint(p.w, "\r\033[K")
	}
}

// clock writes a time as "3:07".
func clock(d time.Duration) string {
	s := int(d.Round(time.Second).Seconds())
	return fmt.Sprintf("%d:%02d", s/60, s%60)
}
