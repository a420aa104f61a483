package fault_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/chaos/fault"
)

var targets = []string{"agent1", "dns1", "reporter1", "db", "agent1>dns1", "dns1>db"}

func TestRandomIsTheSameAgain(t *testing.T) {
	make := func(seed uint64) fault.Schedule {
		return fault.Random(seed, targets, time.Hour, time.Second)
	}
	s := make(7)
	if !slices.Equal(s, make(7)) {
		t.Error("one seed, two schedules")
	}
	if slices.Equal(s, make(8)) {
		t.Error("two seeds, one schedule")
	}
	seen := map[string]bool{}
	for _, x := range s {
		seen[string(x.Kind)+" "+x.Target] = true
	}
	if len(seen) != 3*5+3+2*4 {
		t.Errorf("%d of all faults in an hour", len(seen))
	}
	if s.Length() > time.Hour {
		t.Errorf("it lasts %v", s.Length())
	}
	again, err := fault.Parse(s.String())
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Equal(s, again) {
		t.Error("it is not what it prints")
	}
}

func TestParse(t *testing.T) {
	s, err := fault.Parse("# two\n2s stall agent1>dns1 for 1.5s # late\n\n1.2s kill dns1 for 800ms\n")
	if err != nil {
		t.Fatal(err)
	}
	want := fault.Schedule{
		{At: 1200 * time.Millisecond, Kind: fault.Kill, Target: "dns1", For: 800 * time.Millisecond},
		{At: 2 * time.Second, Kind: fault.Stall, Target: "agent1>dns1", For: 1500 * time.Millisecond},
	}
	if !slices.Equal(s, want) {
		t.Errorf("%v", s)
	}
	for text, say := range map[string]string{
		"1s kill dns1":                                  "line 1: \"1s kill dns1\" is not TIME",
		"\n1 kill dns1 for 1":                           "line 2: time \"1\"",
		"-1s kill dns1 for 1s":                          "time \"-1s\"",
		"9999h kill dns1 for 1s":                        "time \"9999h\"",
		"1s stall dns1 for 1s":                          "want one of [kill stop",
		"1s kill a>b for 1s":                            "want one of [refuse",
		"1s nodisk db for 1s":                           "want one of [kill",
		"1s kill dns1 for 2s\n2s stop dns1 for 1s":      "one target has one fault at a time",
		strings.Repeat("1s reset a>b for 0s\n", 10_001): "more than 10000",
	} {
		if _, err := fault.Parse(text); err == nil || !strings.Contains(err.Error(), say) {
			t.Errorf("%.40q: %v, want %s", text, err, say)
		}
	}
}

func FuzzParse(f *testing.F) {
	f.Add("1.2s kill dns1 for 800ms")
	f.Add("1s reset a>b for 0s\n# x\n1h0m0.5s freeze db for 1ns")
	f.Fuzz(func(t *testing.T, text string) {
		s, err := fault.Parse(text)
		if err != nil {
			return
		}
		again, err := fault.Parse(s.String())
		if err != nil || !slices.Equal(s, again) {
			t.Errorf("%q is read as %v, %v", s.String(), again, err)
		}
	})
}
