package sim

import (
	"context"
	"errors"
	"reflect"
	"testing"
	"time"
)

// brief is a scenario that is over quickly.
func brief(options ...option) Scenario {
	options = append([]option{length(10 * time.Second)}, options...)
	s := newScenario("brief", "brief", "A short one.", 10, 200, fault(1, State{Fail: 0.5}), options...)
	return s
}

func TestResultsDoNotDependOnTheOrderOfRuns(t *testing.T) {
	t.Parallel()
	batch := Batch{Scenarios: []Scenario{brief(), brief(agents(3)), brief(slowLost)}, Algorithms: Algorithms(), FirstSeed: 7, Seeds: 3, Shares: true}
	var want []Row
	for _, workers := range []int{1, 4, 16} {
		batch.Workers = workers
		done := 0
		batch.Progress = func(n int) {
			if done++; n != done {
				t.Errorf("progress is %d after %d runs", n, done)
			}
		}
		rows, err := batch.Run(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if done != batch.Runs() {
			t.Errorf("%d runs were told of, of %d", done, batch.Runs())
		}
		if want == nil {
			want = rows
		} else if !reflect.DeepEqual(rows, want) {
			t.Errorf("with %d workers the results are others", workers)
		}
	}
	for i, row := range want {
		if row.Scenario != &batch.Scenarios[i] || len(row.Cells) != len(batch.Algorithms) {
			t.Fatalf("row %d is %+v", i, row)
		}
		for j, c := range row.Cells {
			l := c.Lost
			if c.Algorithm != batch.Algorithms[j].ID || c.Seeds != 3 || c.FirstSeed != 7 || c.Calls == 0 || len(c.FirstShare) != 10 {
				t.Errorf("cell %d of row %d is %+v", j, i, c)
			}
			if l.Min > l.Median || l.Median > l.Max {
				t.Errorf("%s lost %+v", c.Algorithm, l)
			}
		}
	}
}

func TestCancelledBatchReturnsWhatIsComplete(t *testing.T) {
	t.Parallel()
	endless := brief(length(1000 * time.Hour))
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	batch := Batch{
		Scenarios: []Scenario{brief(), endless, brief()}, Algorithms: Algorithms()[:2], FirstSeed: 1, Seeds: 2, Workers: 2,
		Progress: func(done int) {
			if done == 4 { // those of the first row
				cancel()
			}
		},
	}
	rows, err := batch.Run(ctx)
	if !errors.Is(err, context.Canceled) || len(rows) != 1 || rows[0].Scenario != &batch.Scenarios[0] {
		t.Errorf("%d rows, %v", len(rows), err)
	}
}

func TestSummary(t *testing.T) {
	t.Parallel()
	results := []Result{
		{Calls: 10, Failed: 5, Refused: 1, Ejects: true, HealthyOut: 1, HostTime: 10, Ejections: 3, MostAttempts: 1, FirstPicks: []int{1, 0}, Picks: []int{2, 0}},
		{Calls: 12, Failed: 1, Slow: 3, Ejects: true, HealthyOut: 4, HostTime: 10, Ejections: 1, MostAttempts: 2, FirstPicks: []int{1, 0}, Picks: []int{4, 0}},
		{Calls: 11, Failed: 2, Slow: 2, Ejects: true, HealthyOut: 2, HostTime: 10, Ejections: 2, MostAttempts: 0, FirstPicks: []int{1, 0}, Picks: []int{8, 0}},
	}
	want := Summary{
		Seeds: 3, Calls: 11, Lost: Spread{Median: 4, Min: 4, Max: 6}, Failed: 2, Slow: 2, Refused: 0,
		Ejection: &Ejection{HealthyShare: 0.2, Healthy: 2, Attempts: 1},
	}
	if got := Summarize(results); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v %+v", got, got.Ejection)
	}
	if got := firstShares(results, 2); !reflect.DeepEqual(got, []float64{0.25, 0}) {
		t.Errorf("shares of the first host are %v", got)
	}
	for i := range results {
		results[i].Ejects = false
	}
	if got := Summarize(results); got.Ejection != nil {
		t.Errorf("an algorithm that ejects nothing has %+v", got.Ejection)
	}
}
