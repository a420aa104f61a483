package result

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"time"
)

// Run is everything that one run of bench has measured, where and of what. It
// is what the JSON holds.
type Run struct {
	When        time.Time `json:"when"`   // it began; UTC
	Commit      string    `json:"commit"` // of the source, with "-dirty" if it had been changed
	Machine     Machine   `json:"machine"`
	Rounds      int       `json:"rounds"`
	Length      string    `json:"length"` // of a round
	Interrupted bool      `json:"interrupted,omitempty"`
	Parts       []Part    `json:"parts"` // those that were run, in their order

	Rows      []Row     `json:"rows"`
	Curves    []Curve   `json:"curves,omitempty"`
	Latencies []Latency `json:"latencies,omitempty"`
}

// Part is what became of one part.
type Part struct {
	Name    string  `json:"name"`
	Seconds float64 `json:"seconds"`         // that it took
	Error   string  `json:"error,omitempty"` // why it did not measure all
}

// Interrupted is the error of a part that was ended by whoever ran it.
const Interrupted = "interrupted"

// Took is how long the part took.
func (p Part) Took() time.Duration { return time.Duration(p.Seconds * float64(time.Second)) }

// Add adds what a part has recorded, also if it has ended with an error.
func (run *Run) Add(name string, r *Recorder, took time.Duration, err error) {
	p := Part{Name: name, Seconds: took.Round(time.Millisecond).Seconds()}
	if err != nil {
		p.Error = err.Error()
	}
	run.Parts = append(run.Parts, p)
	run.Rows = append(run.Rows, r.Rows...)
	run.Curves = append(run.Curves, r.Curves...)
	run.Latencies = append(run.Latencies, r.Latencies...)
}

// Empty reports whether nothing has been measured.
func (run *Run) Empty() bool {
	return len(run.Rows) == 0 && len(run.Curves) == 0 && len(run.Latencies) == 0
}

// Of is the run of one part alone, and whether it was run.
func (run *Run) Of(part string) (only Run, ok bool) {
	only = *run
	only.Parts, only.Rows, only.Curves, only.Latencies = nil, nil, nil, nil
	for _, p := range run.Parts {
		if p.Name == part {
			only.Parts, ok = append(only.Parts, p), true
		}
	}
	for _, r := range run.Rows {
		if r.Part == part {
			only.Rows = append(only.Rows, r)
		}
	}
	for _, c := range run.Curves {
		if c.Part == part {
			only.Curves = append(only.Curves, c)
		}
	}
	for _, l := range run.Latencies {
		if l.Part == part {
			only.Latencies = append(only.Latencies, l)
		}
	}
	return only, ok
}

// Find is the row of a part with a name, if there is one.
func (run *Run) Find(part, what string) (Row, bool) {
	i := slices.IndexFunc(run.Rows, func(r Row) bool { return r.Part == part && r.What == what })
	if i < 0 {
		return Row{}, false
	}
	return run.Rows[i], true
}

// Judged counts the rows with an aim, and lists those that missed it.
func (run *Run) Judged() (judged int, missed []Row) {
	for _, r := range run.Rows {
		if r.Aim.Kind == "" {
			continue
		}
		if judged++; !r.OK() {
			missed = append(missed, r)
		}
	}
	return judged, missed
}

// OK reports whether everything was measured and every aim reached.
func (run *Run) OK() bool {
	_, missed := run.Judged()
	failed := slices.ContainsFunc(run.Parts, func(p Part) bool { return p.Error != "" })
	return len(missed) == 0 && !failed && !run.Interrupted
}

// Write puts the run into a file, of which there is never a part: it replaces
// the file that was there at once.
func (run *Run) Write(path string) (err error) {
	text, err := json.MarshalIndent(run, "", "\t")
	if err != nil {
		return fmt.Errorf("write %s: %w", path, err)
	}
	f, err := os.CreateTemp(filepath.Dir(path), ".bench-*")
	if err != nil {
		return err
	}
	_, err = f.Write(append(text, '\n'))
	if err = errors.Join(err, f.Chmod(0o644), f.Close()); err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}

// Read reads a run that was written to a file.
func Read(path string) (*Run, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	var run Run
	if err := json.Unmarshal(text, &run); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return &run, nil
}
