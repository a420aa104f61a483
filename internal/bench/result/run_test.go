package result

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"
)

// made is a run with something of everything.
func made() *Run {
	run := &Run{
		When: time.Date(2026, 11, 24, 13, 5, 0, 0, time.UTC), Commit: "0123456789ab", Rounds: 5, Length: "1s",
		Machine: Machine{CPU: "AMD EPYC", Cores: 2, Memory: 25 << 30, Kernel: "6.1.0", Go: "go1.26.8"},
	}
	agent := NewRecorder("agent", io.Discard)
	agent.Row(Row{What: "GetHost", Unit: "/s", Ours: 382_471, Than: "responder in C", Other: 410_000, Aim: RatioAtLeast(0.9), Lars1: 0.61, Note: "as shipped"})
	agent.Row(Row{What: "Report", Unit: "/s", Ours: 200_000, Than: "responder in C", Other: 400_000, Aim: RatioAtLeast(0.9), Note: "as shipped"})
	agent.Row(Row{What: "lost", Ours: 0, Aim: ValueAtMost(0)})
	agent.Latency(Latency{Name: "latency", Title: "Latency", Unit: "µs", Of: []Distribution{{"agent", 60, 80, 120, 300, 9000}}})
	run.Add("agent", agent, 63*time.Second, nil)
	dns := NewRecorder("dns", io.Discard)
	dns.Row(Row{What: "10M routes", Unit: "MB", Ours: 850})
	dns.Curve(Curve{Name: "start", Title: "Start", X: "routes", Y: "s", Series: []Series{{"lars-dns", []Point{{1, 2}, {10, 3}}}}})
	run.Add("dns", dns, 2*time.Second, errors.New("no database"))
	return run
}

func TestRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bench.json")
	run := made()
	for range 2 { // the second replaces the first
		if err := run.Write(path); err != nil {
			t.Fatal(err)
		}
	}
	got, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got, run) {
		t.Errorf("read\n%+v\nwrote\n%+v", got, run)
	}
	if files, _ := os.ReadDir(filepath.Dir(path)); len(files) != 1 {
		t.Errorf("%d files were left", len(files))
	}
	text, _ := os.ReadFile(path)
	for _, want := range []string{`"ratio": 0.93`, `"ok": false`, `"lars_1": 0.61`} {
		if !strings.Contains(string(text), want) {
			t.Errorf("no %s in the JSON", want)
		}
	}
}

// What was not measured must not come back as a good 0.
func TestRoundTripOfNoNumbers(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bench.json")
	run := &Run{
		Rows: []Row{
			{What: "a", Ours: nan, Other: inf, Lars1: nan, Aim: RatioAtMost(1)},
			{What: "b", Ours: inf, Aim: ValueAtLeast(1)},
			{What: "c", Ours: nan, Aim: ValueAtMost(0)},
		},
		Curves:    []Curve{{Series: []Series{{"s", []Point{{1, nan}, {inf, 2}}}}}},
		Latencies: []Latency{{Of: []Distribution{DistributionOf("none", nil)}}},
	}
	if err := run.Write(path); err != nil {
		t.Fatal(err)
	}
	got, err := Read(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range got.Rows {
		if r.OK() || finite(r.Ours) {
			t.Errorf("%s: %g, OK is %t", r.What, r.Ours, r.OK())
		}
	}
	if p := got.Curves[0].Series[0].Points; p[0].Drawable() || p[1].Drawable() || p[0].X != 1 || p[1].Y != 2 {
		t.Errorf("points are %v", p)
	}
	if d := got.Latencies[0].Of[0]; d.Name != "none" || finite(d.P50) || finite(d.Max) {
		t.Errorf("the distribution is %v", d)
	}
}

func TestReadBad(t *testing.T) {
	path := filepath.Join(t.TempDir(), "bench.json")
	if _, err := Read(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	for _, text := range []string{"", "{", `{"rows": [{"ours": "fast"}]}`, `{"curves": [{"series": [{"points": [1]}]}]}`} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Read(path); err == nil || !strings.Contains(err.Error(), path) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestTable(t *testing.T) {
	var out strings.Builder
	if err := made().WriteTable(&out); err != nil {
		t.Fatal(err)
	}
	const want = `
PART   WHAT         OURS    BESIDE                 RATIO  LARS 1.0  AIM          
agent  GetHost [1]  382k/s  410k/s responder in C  0.93   0.61      ratio ≥ 0.9  ok
agent  Report [1]   200k/s  400k/s responder in C  0.50   -         ratio ≥ 0.9  MISSED
agent  lost         0       -                      -      -         ≤ 0          ok
dns    10M routes   850 MB  -                      -      -         -            
[1] as shipped
`
	if got := out.String(); got != want[1:] {
		t.Errorf("got\n%swant%s", got, want)
	}
}

func TestSummary(t *testing.T) {
	run := made()
	run.Machine.Load, run.Interrupted = 1.5, true
	const want = `took 1m5s: agent 1m3s, dns 2s
the machine was busy before (load 1.5 on 2 cores): trust the ratios, not the rates
dns FAILED: no database
interrupted: this is what was measured until then
2 of 3 aims reached
MISSED  agent: Report: ratio 0.50, wanted ratio ≥ 0.9`
	if got := strings.Join(run.Summary(), "\n"); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestRunOK(t *testing.T) {
	good := Row{Ours: 1, Aim: ValueAtLeast(1)}
	missed := Row{Ours: 0, Aim: ValueAtLeast(1)}
	for i, test := range []struct {
		run  Run
		want bool
	}{
		{Run{}, true},
		{Run{Rows: []Row{good, {}}, Parts: []Part{{Name: "a"}}}, true},
		{Run{Rows: []Row{good, missed}}, false},
		{Run{Rows: []Row{good}, Parts: []Part{{Name: "a", Error: "x"}}}, false},
		{Run{Rows: []Row{good}, Interrupted: true}, false},
	} {
		if got := test.run.OK(); got != test.want {
			t.Errorf("run %d: %t", i, got)
		}
	}
}

func TestOfAndFind(t *testing.T) {
	run := made()
	of, ok := run.Of("dns")
	if !ok || fmt.Sprint(len(of.Parts), len(of.Rows), len(of.Curves), len(of.Latencies)) != "1 1 1 0" || of.Commit != run.Commit {
		t.Errorf("of dns: %+v, %t", of, ok)
	}
	if len(run.Rows) != 4 {
		t.Error("the run itself has changed")
	}
	if _, ok := run.Of("reporter"); ok {
		t.Error("there is a part that was not run")
	}
	if r, ok := run.Find("dns", "10M routes"); !ok || r.Ours != 850 {
		t.Errorf("found %+v, %t", r, ok)
	}
	if _, ok := run.Find("agent", "10M routes"); ok {
		t.Error("found a row of another part")
	}
}

func TestMachine(t *testing.T) {
	m := ThisMachine()
	if m.CPU == "" || m.Cores < 1 || m.Memory < 1<<20 || m.Kernel == "" || m.Go == "" || m.Load < 0 {
		t.Errorf("this machine is %+v", m)
	}
	if got := modelName("processor\t: 0\nmodel name\t: AMD  EPYC \nmodel name\t: other\n"); got != "AMD EPYC" {
		t.Errorf("the model is %q", got)
	}
	if got := modelName("processor\t: 0\nCPU implementer\t: 0x41\n"); got != "" {
		t.Errorf("the model is %q", got)
	}
	if got, want := made().Machine.String(), "AMD EPYC, 2 cores, 25 GiB of memory, Linux 6.1.0, go1.26.8"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}
