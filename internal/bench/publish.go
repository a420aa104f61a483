package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/lars-lb/lars/internal/bench/page"
	"github.com/lars-lb/lars/internal/bench/result"
)

// publish writes a run into the documents in dir: the tables and pictures of
// PERFORMANCE.md, and the run itself, which these can be made from again.
func publish(dir, from string, stdout, stderr io.Writer) int {
	run, err := result.Read(from)
	if err != nil {
		fmt.Fprintf(stderr, "bench: %v (make bench measures, and writes it)\n", err)
		return 1
	}
	if err := write(dir, run); err != nil {
		fmt.Fprintf(stderr, "bench: %v\n", err)
		return 1
	}
	fmt.Fprintf(stdout, "%s has the run of %s on %s\n", filepath.Join(dir, page.Name), run.When.Format("2006-01-02 15:04 UTC"), run.Machine)
	return 0
}

func write(dir string, run *result.Run) error {
	files, err := page.Make(filepath.Join(dir, page.Name), run)
	if err != nil {
		return err
	}
	// Pictures that this run has not are of another.
	pictures, err := filepath.Glob(filepath.Join(dir, page.PicturePrefix+"*.svg"))
	if err != nil {
		return err
	}
	for _, path := range pictures {
		if _, again := files[filepath.Base(path)]; !again {
			err = errors.Join(err, os.Remove(path))
		}
	}
	err = errors.Join(err, run.Write(filepath.Join(dir, jsonName)))
	for name, text := range files {
		err = errors.Join(err, os.WriteFile(filepath.Join(dir, name), text, 0o644))
	}
	return err
}
