package balance

import (
	"math"
	"testing"

	"github.com/lars-lb/lars/internal/route"
)

// More calls than one Count holds are handed out in several.
func TestCountsBeyondUint32(t *testing.T) {
	addr := route.Host{IP: 1, Port: 1}
	u := unsent{succ: 2 * math.MaxUint32, err: math.MaxUint32 + 5}
	for _, want := range []Count{
		{addr, math.MaxUint32, math.MaxUint32, true},
		{addr, math.MaxUint32, 5, true},
	} {
		if !u.due(true) {
			t.Fatalf("%+v is not due", u)
		}
		if got := u.take(addr, true); got != want {
			t.Errorf("took %+v, want %+v", got, want)
		}
	}
	if u.due(true) || !u.due(false) {
		t.Errorf("afterwards %+v", u)
	}
}
