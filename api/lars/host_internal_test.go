package lars

import (
	"fmt"
	"testing"
)

// A stale host says so, and is no other host for it.
func TestStaleHostIsTheSameHost(t *testing.T) {
	fresh := someHost(1)
	stale := fresh.asStale()
	if fresh.Stale() || !stale.Stale() || stale.asStale() != stale || (Host{}).Stale() {
		t.Errorf("fresh is stale: %v, stale is: %v", fresh.Stale(), stale.Stale())
	}
	if fresh != stale || stale.String() != fresh.String() {
		t.Errorf("%v is not %v", stale, fresh)
	}
	calls := map[Host]int{fresh: 1}
	calls[stale]++
	calls[someHost(2).asStale()]++
	if len(calls) != 2 || calls[fresh] != 2 {
		t.Errorf("as keys of a map: %v", fmt.Sprint(calls))
	}
	if var1, var2 := any(fresh), any(stale); var1 != var2 {
		t.Error("in interfaces they differ")
	}
}
