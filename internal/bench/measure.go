package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/lars-lb/lars/internal/bench/chart"
	"github.com/lars-lb/lars/internal/bench/result"
)

// jsonName is the file of a run.
const jsonName = "bench.json"

// measurement is a run of some parts, one after another.
type measurement struct {
	settings
	parts          []part
	out            string // the folder for what is written
	stdout, stderr io.Writer
}

// run measures, shows it, and returns the exit code. What one part has measured
// is in the file before the next begins, so whatever ends a part leaves that.
func (m *measurement) run(ctx context.Context) int {
	if err := os.MkdirAll(m.out, 0o755); err != nil {
		fmt.Fprintf(m.stderr, "bench: %v\n", err)
		return 1
	}
	path := filepath.Join(m.out, jsonName)
	before, _ := result.Read(path) // nil if there is none, or none that is readable
	run := &result.Run{
		When: time.Now().UTC().Truncate(time.Second), Commit: result.Commit(ctx), Machine: result.ThisMachine(),
		Rounds: m.rounds, Length: m.length.String(),
	}
	fmt.Fprintf(m.stdout, "%s\ncommit %s, %s; rounds: %d of %s\n\n", run.Machine, run.Commit,
		run.When.Format("2006-01-02 15:04 UTC"), run.Rounds, run.Length)
	failed := m.measure(ctx, run, path, newForecast(before, run))
	if err := run.WriteTable(m.stdout); err != nil {
		failed = errors.Join(failed, err)
	}
	fmt.Fprintln(m.stdout)
	for _, line := range run.Summary() {
		fmt.Fprintln(m.stdout, line)
	}
	if !run.Empty() {
		pictures, err := draw(m.out, run, before)
		failed = errors.Join(failed, err)
		fmt.Fprintf(m.stdout, "written to %s: %s and %d pictures\n", m.out, jsonName, pictures)
	}
	if failed != nil {
		fmt.Fprintf(m.stderr, "bench: %v\n", failed)
	}
	if failed != nil || !run.OK() {
		return 1
	}
	return 0
}

// measure runs the parts. Its error is that the file could not be written; what
// befell a part is in the run.
func (m *measurement) measure(ctx context.Context, run *result.Run, path string, f forecast) (failed error) {
	p := newProgress(m.stderr, columnsOf(m.stderr), f)
	defer p.close()
	for i, part := range m.parts {
		p.part(i+1, m.parts)
		r := result.NewRecorder(part.name, p)
		began := time.Now()
		err := part.run(ctx, m.settings, r)
		if ctx.Err() != nil {
			run.Interrupted = true
			if errors.Is(err, ctx.Err()) {
				err = errors.New(result.Interrupted)
			}
		}
		run.Add(part.name, r, time.Since(began), err)
		if !run.Empty() {
			failed = errors.Join(failed, run.Write(path))
		}
		if run.Interrupted {
			return failed
		}
	}
	return failed
}

// draw writes the pictures of a run into a folder, and removes those that a run
// before left there and this one has not: they would look like its own.
func draw(dir string, run, before *result.Run) (written int, err error) {
	pictures, err := chart.Of(run)
	if err != nil {
		return 0, err
	}
	stale := make(map[string]bool)
	if before != nil {
		old, _ := chart.Of(before) // what cannot be drawn is not there
		for _, p := range old {
			stale[p.Name] = true
		}
	}
	for _, p := range pictures {
		delete(stale, p.Name)
		if failed := os.WriteFile(filepath.Join(dir, p.Name), p.SVG, 0o644); failed != nil {
			err = errors.Join(err, failed)
			continue
		}
		written++
	}
	for name := range stale {
		_ = os.Remove(filepath.Join(dir, name)) // it may be gone
	}
	return written, err
}
