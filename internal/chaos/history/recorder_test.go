package history_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"sync"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/chaos/history"
)

func TestRecorderIsBounded(t *testing.T) {
	r := history.NewRecorder(100)
	var writers sync.WaitGroup
	for range 4 {
		writers.Go(func() {
			for range 50 {
				r.Call(history.Call{})
			}
		})
	}
	writers.Wait()
	if h := r.Snapshot(); len(h.Calls) != 100 || h.Dropped != 100 {
		t.Errorf("%d calls, %d dropped", len(h.Calls), h.Dropped)
	}
}

func TestDrainForgets(t *testing.T) {
	r := history.NewRecorder(10)
	for i := range 10 {
		r.Call(history.Call{Sent: time.Duration(i)})
	}
	r.Version(history.Version{})
	if h := r.Drain(4); len(h.Calls) != 4 || len(h.Versions) != 1 {
		t.Errorf("%+v", h)
	}
	r.Call(history.Call{Sent: 10})
	if h := r.Snapshot(); len(h.Calls) != 7 || h.Calls[0].Sent != 4 || h.Dropped != 0 {
		t.Errorf("%+v", h)
	}
}

func TestFaultsLastUntilEnded(t *testing.T) {
	r := history.NewRecorder(1)
	end := r.Begin(history.Fault{What: "a"})
	before := r.Snapshot()
	end()
	if before.Faults[0].End != history.Never {
		t.Error("a snapshot changes")
	}
	if f := r.Snapshot().Faults[0]; f.End < f.Begin || f.End == history.Never {
		t.Errorf("%+v", f)
	}
}

func TestDumpIsLinesOfJSON(t *testing.T) {
	r := history.NewRecorder(10)
	r.Call(history.Call{Agent: "agent1", Outcome: history.Unanswered})
	r.Version(history.Version{})
	r.Begin(history.Fault{What: "kill dns1"})()
	r.Settling(history.Settling{})
	r.Sums([]history.Sum{{}})
	var out bytes.Buffer
	if err := r.Snapshot().Dump(&out, map[string]int{"seed": 7}); err != nil {
		t.Fatal(err)
	}
	kinds := make(map[string]int)
	for lines := bufio.NewScanner(&out); lines.Scan(); {
		var line map[string]json.RawMessage
		if err := json.Unmarshal(lines.Bytes(), &line); err != nil {
			t.Fatal(err)
		}
		for kind := range line {
			kinds[kind]++
		}
	}
	for _, kind := range []string{"head", "call", "version", "fault", "settling", "sum"} {
		if kinds[kind] != 1 {
			t.Errorf("%d lines with %s", kinds[kind], kind)
		}
	}
}
