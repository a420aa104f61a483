package sim

import (
	"reflect"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/balance"
)

// What the picture of an incident shows: the host is out soon after the fault,
// tried once a second at most, and has its share again 15 s after its end.
func TestIncidents(t *testing.T) {
	all := Incidents(1)
	if again := Incidents(1); !reflect.DeepEqual(again, all) {
		t.Error("equal seeds give different incidents")
	}
	for _, in := range all {
		share := func(at time.Duration) float64 { return in.Shares[(at-in.Begin)/time.Second] }
		if share(-time.Second) < 0.95 || share(5*time.Second) > 0.05 || share(in.Fault+15*time.Second) < 0.9 {
			t.Errorf("%s: shares are %.2f", in.Name, in.Shares)
		}
		if len(in.Turns) != 2 || in.Turns[0].State != balance.Overload || in.Turns[1].State != balance.Idle {
			t.Fatalf("%s: turns are %+v", in.Name, in.Turns)
		}
		if at := in.Turns[0].At; at < 0 || at > 200*time.Millisecond {
			t.Errorf("%s: out after %v", in.Name, at)
		}
		tries := append(append([]time.Duration(nil), in.Checks...), in.Probes...)
		if len(tries) < 10 || len(in.Checks) == 0 || len(in.Probes) == 0 {
			t.Errorf("%s: %d checks, %d probes", in.Name, len(in.Checks), len(in.Probes))
		}
	}
}

func TestEvidences(t *testing.T) {
	all := Evidences(1)
	for i, ev := range all {
		last := ev.Nats[len(ev.Nats)-1]
		ejected := len(ev.At) < 190 // else it had its two hundred calls
		if well := i == len(all)-1; well == ejected {
			t.Errorf("%s: %d calls, evidence %v at last", ev.Name, len(ev.At), last)
		}
		if i > 0 && len(ev.At) < len(all[i-1].At) {
			t.Errorf("%s: out after %d calls, sooner than a worse host", ev.Name, len(ev.At))
		}
	}
}
