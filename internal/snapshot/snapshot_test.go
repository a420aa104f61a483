package snapshot_test

import (
	"maps"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/lars-lb/lars/internal/route"
	"github.com/lars-lb/lars/internal/snapshot"
)

func TestRoundTrip(t *testing.T) {
	want := map[route.Module][]route.Node{
		{ModID: 1, CmdID: 1}:  {{IP: 0x0a000001, Port: 80, Weight: 100}, {IP: 0x0a000002, Port: 81, Weight: 0}},
		{ModID: -5, CmdID: 3}: {{IP: 1, Port: 65535, Weight: route.MaxWeight}},
	}
	path := filepath.Join(t.TempDir(), "made", "routes")
	head := snapshot.Head{Owner: "lars-dns", SavedAt: time.UnixMilli(1_700_000_000_123), Version: 42}
	if err := snapshot.Write(path, head, maps.All(want)); err != nil {
		t.Fatal(err)
	}
	got := make(map[route.Module][]route.Node)
	info, err := snapshot.Read(path, "lars-dns", func(m route.Module, nodes []route.Node) { got[m] = slices.Clone(nodes) })
	if err != nil {
		t.Fatal(err)
	}
	if info != (snapshot.Info{Head: head, Modules: 2, Hosts: 3}) || !maps.EqualFunc(got, want, slices.Equal) {
		t.Errorf("read %+v and %v, want %v", info, got, want)
	}
	if left, _ := filepath.Glob(path + "*"); !slices.Equal(left, []string{path}) {
		t.Errorf("files left: %q", left)
	}
}
