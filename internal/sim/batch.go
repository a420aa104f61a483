package sim

import (
	"context"
	"runtime"
	"sync"
	"time"
)

// Batch is many runs: each of the scenarios with each of the algorithms and
// each of the seeds. There must be at least one of each.
type Batch struct {
	Scenarios  []Scenario
	Algorithms []Algorithm
	FirstSeed  uint64
	Seeds      int // how many in a row
	// Workers is how many runs are simulated at the same time; 0 is one a core.
	Workers int
	// Shares asks for Summary.FirstShare.
	Shares bool
	// Progress, if not nil, is called after each run, by one goroutine at a
	// time, with the number of runs done.
	Progress func(done int)
}

// Row is what became of one scenario.
type Row struct {
	Scenario *Scenario
	Cells    []Summary // one an algorithm, in the order of the Batch
}

// Runs is the number of runs.
func (b *Batch) Runs() int { return len(b.Scenarios) * len(b.Algorithms) * b.Seeds }

// Run simulates everything and returns a row for each scenario, in the order of
// the Batch. When ctx ends it stops soon, and returns the rows that are
// complete, and the error of ctx.
func (b *Batch) Run(ctx context.Context) ([]Row, error) {
	results := make([]Result, b.Runs())
	finished := make([]bool, len(results))
	var (
		workers sync.WaitGroup
		mu      sync.Mutex // of next, done and Progress
		next    int
		done    int
	)
	take := func() (int, bool) {
		mu.Lock()
		defer mu.Unlock()
		next++
		return next - 1, next <= len(results) && ctx.Err() == nil
	}
	for range b.workers() {
		workers.Go(func() {
			for i, ok := take(); ok; i, ok = take() {
				sc, alg, seed := b.at(i)
				result, err := RunContext(ctx, sc, alg, seed)
				if err != nil {
					return
				}
				mu.Lock()
				results[i], finished[i] = result, true
				if done++; b.Progress != nil {
					b.Progress(done)
				}
				mu.Unlock()
			}
		})
	}
	workers.Wait()
	var rows []Row
	perRow := len(b.Algorithms) * b.Seeds
	for i := range b.Scenarios {
		if all(finished[i*perRow : (i+1)*perRow]) {
			rows = append(rows, b.row(i, results[i*perRow:(i+1)*perRow]))
		}
	}
	if len(rows) < len(b.Scenarios) {
		return rows, ctx.Err()
	}
	return rows, nil
}

func (b *Batch) workers() int {
	if b.Workers > 0 {
		return b.Workers
	}
	return runtime.GOMAXPROCS(0)
}

// at is what run i consists of. Scenarios come one after the other, so that
// whoever stops early has some that are complete.
func (b *Batch) at(i int) (*Scenario, Algorithm, uint64) {
	seed, i := i%b.Seeds, i/b.Seeds
	alg, sc := i%len(b.Algorithms), i/len(b.Algorithms)
	return &b.Scenarios[sc], b.Algorithms[alg], b.FirstSeed + uint64(seed)
}

// row sums up the runs of scenario i.
func (b *Batch) row(i int, results []Result) Row {
	row := Row{Scenario: &b.Scenarios[i]}
	for a, alg := range b.Algorithms {
		runs := results[a*b.Seeds : (a+1)*b.Seeds]
		s := Summarize(runs)
		s.Scenario, s.Algorithm, s.FirstSeed = row.Scenario.ID, alg.ID, b.FirstSeed
		if b.Shares {
			s.FirstShare = firstShares(runs, int(row.Scenario.Length/time.Second))
		}
		row.Cells = append(row.Cells, s)
	}
	return row
}

func all(flags []bool) bool {
	for _, f := range flags {
		if !f {
			return false
		}
	}
	return true
}
