package store

import (
	"testing"

	"github.com/lars-lb/lars/internal/route"
)

func TestParseRow(t *testing.T) {
	want := RouteRow{ID: 7, Module: route.Module{ModID: -3, CmdID: 2}, IP: 3232235953, Port: 80, Weight: -1}
	if got, ok := parseRow("7 4294967293 2 3232235953 80 -1"); !ok || got != want {
		t.Errorf("%+v, %v, want %+v", got, ok, want)
	}
	for _, bad := range []string{"", "1 2 3 4 5", "1 2 3 4 5 ", "1 2 3 4 5 6 ", "1 2 3 4 5 6 7", "1  2 3 4 5", "1 2 x 4 5 6", "1 2 - 4 5 6", "--1 2 3 4 5 6", "1 2 3 4 5 6-"} {
		if got, ok := parseRow([]byte(bad)); ok {
			t.Errorf("%q is read as %+v", bad, got)
		}
	}
}
