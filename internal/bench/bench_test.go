package main

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/bench/result"
)

// fakes are parts that record what is given, and end with an error or none.
func fake(name string, err error, rows ...result.Row) part {
	return part{name, func(_ context.Context, _ settings, r *result.Recorder) error {
		r.Progress("something")
		for _, row := range rows {
			r.Row(row)
		}
		return err
	}}
}

// measure runs parts and returns the exit code, what was printed, and the
// folder.
func measure(t *testing.T, ctx context.Context, dir string, parts ...part) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs strings.Builder
	m := measurement{settings: settings{rounds: 3, length: time.Second}, parts: parts, out: dir, stdout: &out, stderr: &errs}
	return m.run(ctx), out.String(), errs.String()
}

var (
	good   = result.Row{What: "good", Unit: "/s", Ours: 95, Other: 100, Aim: result.RatioAtLeast(0.9)}
	missed = result.Row{What: "slow", Unit: "/s", Ours: 50, Other: 100, Aim: result.RatioAtLeast(0.9)}
)

func TestExitCode(t *testing.T) {
	for name, test := range map[string]struct {
		parts []part
		want  int
		says  string
	}{
		"all reached": {[]part{fake("a", nil, good), fake("b", nil)}, 0, "1 of 1 aims reached"},
		"one missed":  {[]part{fake("a", nil, good, missed)}, 1, "MISSED  a: slow: ratio 0.50, wanted ratio ≥ 0.9"},
		"one failed":  {[]part{fake("a", errors.New("no database")), fake("b", nil, good)}, 1, "a FAILED: no database"},
	} {
		t.Run(name, func(t *testing.T) {
			code, out, _ := measure(t, t.Context(), t.TempDir(), test.parts...)
			if code != test.want || !strings.Contains(out, test.says) {
				t.Errorf("exit code %d, want %d; printed\n%s", code, test.want, out)
			}
		})
	}
}

// A part that fails hides neither what it measured nor the others.
func TestFailureHidesNothing(t *testing.T) {
	dir := t.TempDir()
	_, out, errs := measure(t, t.Context(), dir, fake("a", errors.New("broken"), good), fake("b", nil, missed))
	run, err := result.Read(filepath.Join(dir, jsonName))
	if err != nil {
		t.Fatal(err)
	}
	if len(run.Rows) != 2 || len(run.Parts) != 2 || run.Parts[0].Error != "broken" {
		t.Errorf("recorded %+v", run)
	}
	for _, want := range []string{"good", "slow", run.Machine.Kernel, run.Commit, "written to " + dir + ": bench.json and 2 pictures"} {
		if !strings.Contains(out, want) {
			t.Errorf("no %q in\n%s", want, out)
		}
	}
	for _, name := range []string{"a-ratios.svg", "b-ratios.svg"} {
		if _, err := os.Stat(filepath.Join(dir, name)); err != nil {
			t.Error(err)
		}
	}
	if lines := strings.Split(errs, "\n"); len(lines) != 3 || !strings.HasPrefix(lines[0], "[1/2 ") || !strings.HasSuffix(lines[1], "] b: something") {
		t.Errorf("told %q", errs)
	}
}

func TestInterruption(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	stopped := part{"b", func(ctx context.Context, _ settings, r *result.Recorder) error {
		r.Row(good)
		cancel()
		return ctx.Err()
	}}
	dir := t.TempDir()
	code, out, _ := measure(t, ctx, dir, fake("a", nil, good), stopped, fake("c", nil, good))
	if code != 1 || !strings.Contains(out, "interrupted: this is what was measured until then") || !strings.Contains(out, "2 of 2 aims") {
		t.Errorf("exit code %d, printed\n%s", code, out)
	}
	run, err := result.Read(filepath.Join(dir, jsonName))
	if err != nil {
		t.Fatal(err)
	}
	if !run.Interrupted || len(run.Rows) != 2 || len(run.Parts) != 2 || run.Parts[1].Error != "interrupted" {
		t.Errorf("recorded %+v", run)
	}
}

// A run that measured nothing leaves the record of the one before.
func TestNothingMeasured(t *testing.T) {
	dir := t.TempDir()
	measure(t, t.Context(), dir, fake("a", nil, good))
	if code, out, _ := measure(t, t.Context(), dir, fake("a", errors.New("broken"))); code != 1 || strings.Contains(out, "written") {
		t.Errorf("exit code %d, printed\n%s", code, out)
	}
	if run, err := result.Read(filepath.Join(dir, jsonName)); err != nil || len(run.Rows) != 1 {
		t.Errorf("recorded %+v, %v", run, err)
	}
}

// Pictures of a run before, which are not of this one, go; other files stay.
func TestStalePictures(t *testing.T) {
	dir := t.TempDir()
	own := filepath.Join(dir, "own.svg")
	if err := os.WriteFile(own, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	measure(t, t.Context(), dir, fake("a", nil, good), fake("b", nil, good))
	measure(t, t.Context(), dir, fake("b", nil, good))
	if _, err := os.Stat(filepath.Join(dir, "a-ratios.svg")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the picture of a part that was not run: %v", err)
	}
	for _, name := range []string{own, filepath.Join(dir, "b-ratios.svg")} {
		if _, err := os.Stat(name); err != nil {
			t.Error(err)
		}
	}
}

func TestUsage(t *testing.T) {
	for _, test := range []struct {
		args []string
		code int
		says string
	}{
		{[]string{"-h"}, 0, "make bench ONLY=agent"},
		{[]string{"-only", "nothing"}, 2, `there is no part "nothing": want some of agent`},
		{[]string{"-only", "agent,nothing"}, 2, `there is no part "nothing"`},
		{[]string{"-only", ","}, 2, "no part is named"},
		{[]string{"-rounds", "0"}, 2, "-rounds must be at least 1"},
		{[]string{"-length", "1ms"}, 2, "-length at least 10ms"},
		{[]string{"-fast"}, 2, "-fast"},
		{[]string{"agent"}, 2, `what is "agent"?`},
		{[]string{"-docs", t.TempDir(), "-out", t.TempDir()}, 1, "make bench measures, and writes it"},
	} {
		var errs strings.Builder
		if code := run(t.Context(), test.args, io.Discard, &errs); code != test.code || !strings.Contains(errs.String(), test.says) {
			t.Errorf("%q: exit code %d, want %d; printed\n%s", test.args, code, test.code, errs.String())
		}
	}
}

func TestChoose(t *testing.T) {
	all := []part{fake("a", nil), fake("b", nil), fake("c", nil)}
	for only, want := range map[string]string{"": "a, b, c", "b": "b", "c,a": "a, c", "a, b,a": "a, b", "b c": "b, c", "c,": "c"} {
		chosen, err := choose(all, only)
		if err != nil || names(chosen) != want {
			t.Errorf("%q: %s, %v; want %s", only, names(chosen), err, want)
		}
	}
}
